"""The pages: who is not logged in sees the log-in page only, and who is no admin no way to the flows."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from cordboard.acd.model import Agent
from cordboard.desk.api import Desk
from cordboard.desk.problems import Problem
from cordboard.desk.static_files import read_static_files
from cordboard.errors import StoreUnavailable

PAGE_CACHE = "no-store"  # after logging out, "back" shows nothing
ASSET_CACHE = "no-cache"  # kept, and asked for again each time: an upgrade shows at the next reload
FLOWS_LINK = '<a href="/flows">Flows</a>'

UNKNOWN = Agent("", "", "", ())
"""Who asks while the database cannot tell. A page is empty until it has data, so it may come, and says so."""


def pages(desk: Desk) -> APIRouter:
    """Routes for the pages and what they load."""
    router = APIRouter(include_in_schema=False)
    static = read_static_files()
    plain = {name: static[name].without(FLOWS_LINK) for name in ("desk.html", "queues.html")}

    @router.get("/login")
    async def login_page(request: Request) -> Response:
        return static["login.html"].answer(request, PAGE_CACHE)

    @router.get("/")
    async def desk_page(request: Request) -> Response:
        return await _page("desk.html", request, "/login")

    @router.get("/queues")
    async def queues_page(request: Request) -> Response:
        return await _page("queues.html", request, "/login?to=queues")

    async def _page(name: str, request: Request, otherwise: str) -> Response:
        visitor = await _visitor(desk, request)
        if visitor is None:
            return RedirectResponse(otherwise, 303)
        return (static if visitor.is_admin else plain)[name].answer(request, PAGE_CACHE)

    @router.get("/flows")
    async def flows_page(request: Request) -> Response:
        visitor = await _visitor(desk, request)
        if visitor is None or not visitor.is_admin:
            return RedirectResponse("/login?to=flows" if visitor is None else "/", 303)
        return static["flows.html"].answer(request, PAGE_CACHE)

    @router.get("/static/{name}")
    async def asset(request: Request, name: str) -> Response:
        if name not in static or name.endswith(".html"):
            raise Problem(404, "not-found", "There is nothing at this address.")
        return static[name].answer(request, ASSET_CACHE)

    return router


async def _visitor(desk: Desk, request: Request) -> Agent | None:
    """Who asks; None if nobody is logged in."""
    try:
        session = await desk.sessions.of(request)
    except StoreUnavailable:
        return UNKNOWN
    return desk.floor.plan.agents.get(session.agent) if session is not None else None
