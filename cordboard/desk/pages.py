"""The three pages: who is not logged in sees the log-in page only."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from cordboard.desk.problems import Problem
from cordboard.desk.sessions import Sessions
from cordboard.desk.static_files import read_static_files
from cordboard.errors import StoreUnavailable

PAGE_CACHE = "no-store"  # after logging out, "back" shows nothing
ASSET_CACHE = "no-cache"  # kept, and asked for again each time: an upgrade shows at the next reload


def pages(sessions: Sessions) -> APIRouter:
    """Routes for the pages and what they load."""
    router = APIRouter(include_in_schema=False)
    static = read_static_files()

    @router.get("/login")
    async def login_page(request: Request) -> Response:
        return static["login.html"].answer(request, PAGE_CACHE)

    @router.get("/")
    async def desk_page(request: Request) -> Response:
        if not await _may_look(sessions, request):
            return RedirectResponse("/login", 303)
        return static["desk.html"].answer(request, PAGE_CACHE)

    @router.get("/queues")
    async def queues_page(request: Request) -> Response:
        if not await _may_look(sessions, request):
            return RedirectResponse("/login?to=queues", 303)
        return static["queues.html"].answer(request, PAGE_CACHE)

    @router.get("/static/{name}")
    async def asset(request: Request, name: str) -> Response:
        if name not in static or name.endswith(".html"):
            raise Problem(404, "not-found", "There is nothing at this address.")
        return static[name].answer(request, ASSET_CACHE)

    return router


async def _may_look(sessions: Sessions, request: Request) -> bool:
    """Whether to show the page. It is empty until it has data, so without a database it may come, and says so."""
    try:
        return await sessions.of(request) is not None
    except StoreUnavailable:
        return True
