"""The pages: who is not logged in sees the log-in page only, and nobody a way to pages that are not for them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from cordboard.acd.model import Agent
from cordboard.desk.api import Desk
from cordboard.desk.problems import Problem
from cordboard.desk.static_files import StaticFile, read_static_files
from cordboard.errors import StoreUnavailable

PAGE_CACHE = "no-store"  # after logging out, "back" shows nothing
ASSET_CACHE = "no-cache"  # kept, and asked for again each time: an upgrade shows when the page is loaded (`wire`)
PAGES = ("desk.html", "queues.html", "team.html", "flows.html")
FLOWS_LINK = '<a href="/flows">Flows</a>'
TEAM_LINK = '<a href="/team">Team</a>'

UNKNOWN = Agent("", "", "", ())
"""Who asks while the database cannot tell. A page is empty until it has data, so it may come, and says so."""


def pages(desk: Desk) -> APIRouter:
    """Routes for the pages and what they load."""
    router = APIRouter(include_in_schema=False)
    static = read_static_files()
    made = {name: _for_each(static[name]) for name in PAGES}

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
        return made[name][visitor.is_admin, visitor.is_supervisor].answer(request, PAGE_CACHE)

    @router.get("/flows")
    async def flows_page(request: Request) -> Response:
        return await _special_page("flows", request, lambda visitor: visitor.is_admin)

    @router.get("/team")
    async def team_page(request: Request) -> Response:
        return await _special_page("team", request, lambda visitor: visitor.is_supervisor)

    async def _special_page(name: str, request: Request, may_see: Callable[[Agent], bool]) -> Response:
        """A page for some: to the others the desk is shown."""
        visitor = await _visitor(desk, request)
        if visitor is not None and not may_see(visitor):
            return RedirectResponse("/", 303)
        return await _page(f"{name}.html", request, f"/login?to={name}")

    @router.get("/static/{name}")
    async def asset(request: Request, name: str) -> Response:
        if name not in static or name.endswith(".html"):
            raise Problem(404, "not-found", "There is nothing at this address.")
        return static[name].answer(request, ASSET_CACHE)

    return router


def _for_each(page: StaticFile) -> dict[tuple[bool, bool], StaticFile]:
    """A page for admins and others, supervisors and others, without the links that lead them nowhere."""
    made = {}
    for is_admin, is_supervisor in product((True, False), repeat=2):
        shown = page if is_admin else page.without(FLOWS_LINK)
        made[is_admin, is_supervisor] = shown if is_supervisor else shown.without(TEAM_LINK)
    return made


async def _visitor(desk: Desk, request: Request) -> Agent | None:
    """Who asks; None if nobody is logged in."""
    try:
        session = await desk.sessions.of(request)
    except StoreUnavailable:
        return UNKNOWN
    return desk.floor.plan.agents.get(session.agent) if session is not None else None
