"""The desk as one web application: `desk_app` puts its parts together. Called by the desk process and by tests."""

from __future__ import annotations

from fastapi import FastAPI

from cordboard.desk.api import PREFIX, Desk, api
from cordboard.desk.body_limit import BodyLimit
from cordboard.desk.feed import FloorFeed
from cordboard.desk.guard import Guard
from cordboard.desk.kpi_api import KpiBook, kpi_api
from cordboard.desk.logging_in import LoggingIn
from cordboard.desk.pages import pages
from cordboard.desk.ports import Accounts, CrmNow, DeskFloor, FlowBook
from cordboard.desk.problems import handle_problems
from cordboard.desk.sessions import Sessions
from cordboard.service.passwords import PasswordCheck


def desk_app(
    floor: DeskFloor,
    accounts: Accounts,
    flows: FlowBook,
    *,
    crm: CrmNow = lambda: None,
    kpis: KpiBook | None = None,
    https: bool = False,
) -> FastAPI:
    """The application. https: people reach it by https only, so cookies may demand it. kpis: None has no reports.

    `app.state.feed.end()` lets all pages go, so that a server that stops need not wait for them.
    """
    app = FastAPI(
        title="Cordboard desk",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
    )
    sessions = Sessions(accounts, https=https)
    feed = FloorFeed(floor)
    flows.on_changed(feed.look_again)
    app.state.feed = feed
    app.state.desk = Desk(floor, flows, crm, feed, sessions, LoggingIn(accounts, PasswordCheck()))
    app.include_router(api(app.state.desk))
    if kpis is not None:
        app.include_router(kpi_api(app.state.desk, kpis))
    app.include_router(pages(app.state.desk))
    app.add_middleware(BodyLimit)
    app.add_middleware(Guard, https=https)  # the last one added is the first one asked
    app.add_api_route("/healthz", _alive, include_in_schema=False)
    handle_problems(app)
    return app


async def _alive() -> dict[str, bool]:
    """For probes and `cordboard doctor`: the desk answers. No log-in, no database."""
    return {"alive": True}
