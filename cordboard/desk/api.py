"""The desk's interface for its pages and for programs: everything under `/api/v1`.

    POST login        {agent, password}                 204 and a cookie
    POST logout                                         204; the agent takes no calls any more
    GET  snapshot                                       the agent's page as data
    GET  events                                         the same, pushed as server-sent events
    PUT  presence     {presence, reason}                204
    POST offers/{offer_id}/disposition {disposition, note}   204
    POST offers/{offer_id}/more-time                    204
    GET  team, team/events                              every agent, for supervisors
    PUT  team/{agent}/presence {presence, reason}       204
    GET  queues, queues/events                          the live queue page, without any person
    GET  kpi                                            key figures (`kpi_api`)
    GET  flows, flows/events, flows/{flow}.svg          the flows and their pictures, for admins

Each agent sees and changes what is their own only; supervisors change the presence of others, too. Who asks, comes
from the cookie and from nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cordboard.acd.model import Presence
from cordboard.desk.answers import (
    DeskAnswer,
    FlowAnswer,
    QueueAnswer,
    TeamAnswer,
    agent_body,
    answer,
    flow_body,
    is_admin,
    is_supervisor,
    queue_body,
    team_body,
)
from cordboard.desk.desk_page import NOTE_MAX
from cordboard.desk.event_stream import EventStream
from cordboard.desk.feed import Body, FloorFeed
from cordboard.desk.flow_picture import HOURS_MAX, Picture, picture_answer
from cordboard.desk.logging_in import LoggingIn
from cordboard.desk.ports import CrmNow, DeskFloor, FlowBook
from cordboard.desk.problems import Problem
from cordboard.desk.sessions import Sessions
from cordboard.service.passwords import LONGEST
from cordboard.store.accounts import Session

PREFIX = "/api/v1"


class Credentials(BaseModel):
    """What an agent types to log in. agent: a key of agents.yaml, which are lowercase."""

    model_config = ConfigDict(extra="forbid")
    agent: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=LONGEST, repr=False)]


class PresenceChoice(BaseModel):
    """What an agent chooses. reason: one of the configured ones, for a pause."""

    model_config = ConfigDict(extra="forbid")
    presence: Presence
    reason: Annotated[str, Field(max_length=64)] = ""


class Result(BaseModel):
    """What came of a call. disposition: one of its queue's."""

    model_config = ConfigDict(extra="forbid")
    disposition: Annotated[str, Field(max_length=64)]
    note: Annotated[str, Field(max_length=NOTE_MAX, repr=False)] = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the routes work with."""

    floor: DeskFloor
    flows: FlowBook
    crm: CrmNow
    feed: FloorFeed
    sessions: Sessions
    logging_in: LoggingIn

    async def session(self, request: Request) -> Session:
        """Who asks. Raises Problem if nobody is logged in, StoreUnavailable."""
        session = await self.sessions.of(request)
        if session is None or session.agent not in self.floor.plan.agents:
            raise Problem(401, "not-logged-in", "Please log in.")
        return session

    async def admin(self, request: Request) -> Session:
        """The same, for what only admins may see."""
        session = await self.session(request)
        if not is_admin(self.floor, session.agent):
            raise Problem(403, "not-admin", "Only admins may see this: `admin: true` in agents.yaml.")
        return session

    async def supervisor(self, request: Request) -> Session:
        """The same, for what only supervisors may see and do."""
        session = await self.session(request)
        if not is_supervisor(self.floor, session.agent):
            detail = "Only supervisors may do this: `supervisor: true` in agents.yaml."
            raise Problem(403, "not-supervisor", detail)
        return session


async def _logged_in(request: Request) -> Session:
    desk: Desk = request.app.state.desk
    return await desk.session(request)


async def _admin(request: Request) -> Session:
    desk: Desk = request.app.state.desk
    return await desk.admin(request)


async def _supervisor(request: Request) -> Session:
    desk: Desk = request.app.state.desk
    return await desk.supervisor(request)


LoggedIn = Annotated[Session, Depends(_logged_in)]
"""A route's argument: whose cookie came with the request. Without one there is no answer but 401."""

Admin = Annotated[Session, Depends(_admin)]
"""The same of an admin. To everybody else the answer is 403."""

Supervisor = Annotated[Session, Depends(_supervisor)]
"""The same of a supervisor."""

Hours = Annotated[int | None, Query(ge=1, le=HOURS_MAX, description="Count the calls of so many hours.")]


def api(desk: Desk) -> APIRouter:
    """The routes; the application must have `desk` in its state."""
    router = APIRouter(prefix=PREFIX)
    _add_logging_in(router, desk)
    _add_actions(router, desk)
    _add_views(router, desk)
    _add_team(router, desk)
    _add_flows(router, desk)
    return router


def _add_logging_in(router: APIRouter, desk: Desk) -> None:
    @router.post("/login", status_code=204)
    async def login(credentials: Credentials, request: Request, response: Response) -> None:
        """Log in. The answer sets the cookie which all else needs."""
        address = request.client.host if request.client else ""
        is_known = credentials.agent in desk.floor.plan.agents
        await desk.logging_in.check(credentials.agent, credentials.password, address, is_known=is_known)
        await desk.sessions.open(credentials.agent, response)

    @router.post("/logout", status_code=204)
    async def logout(session: LoggedIn, response: Response) -> None:
        """Take no calls any more, and end this session on all its pages."""
        await desk.floor.agents.set_presence(session.agent, Presence.LOGGED_OUT)
        await desk.sessions.end(session, response)
        desk.feed.log_out(session.token_hash)


def _add_actions(router: APIRouter, desk: Desk) -> None:
    @router.put("/presence", status_code=204)
    async def set_presence(choice: PresenceChoice, session: LoggedIn) -> None:
        """Be available, pause, or take no calls any more. During a call it counts from its end."""
        try:
            await desk.floor.agents.set_presence(session.agent, choice.presence, choice.reason)
        except ValueError as refusal:
            raise Problem(422, "not-possible", str(refusal)) from refusal

    @router.post("/offers/{offer_id}/disposition", status_code=204)
    async def dispose(offer_id: str, result: Result, session: LoggedIn) -> None:
        """Say what came of your call: kept while you talk, and ends the wrap-up."""
        try:
            await desk.floor.agents.dispose(session.agent, offer_id, result.disposition, result.note)
        except ValueError as refusal:
            raise Problem(422, "not-possible", str(refusal)) from refusal

    @router.post("/offers/{offer_id}/more-time", status_code=204)
    async def extend_wrap_up(offer_id: str, session: LoggedIn) -> None:
        """Ask for more time for your notes, where the queue has any to give."""
        try:
            await desk.floor.agents.extend_wrap_up(session.agent, offer_id)
        except ValueError as refusal:
            raise Problem(422, "not-possible", str(refusal)) from refusal


def _add_team(router: APIRouter, desk: Desk) -> None:
    @router.get("/team", responses={200: {"model": TeamAnswer}})
    async def show_team(session: Supervisor) -> Response:
        """Every agent, as they are now."""
        return answer(await desk.feed.read(), team_body(desk.floor, session.agent))

    @router.get("/team/events", responses=_EVENTS)
    async def push_team(session: Supervisor) -> EventStream:
        """The same whenever it changes, as server-sent events."""
        return _stream(desk, session, team_body(desk.floor, session.agent))

    @router.put("/team/{agent}/presence", status_code=204)
    async def force_presence(agent: str, choice: PresenceChoice, session: Supervisor) -> None:
        """Have an agent be available, paused or logged out. They are shown that it was you."""
        if agent not in desk.floor.plan.agents:
            raise Problem(404, "not-found", "There is no such agent.")
        try:
            await desk.floor.agents.force_presence(session.agent, agent, choice.presence, choice.reason)
        except ValueError as refusal:
            raise Problem(422, "not-possible", str(refusal)) from refusal


def _add_views(router: APIRouter, desk: Desk) -> None:
    @router.get("/snapshot", responses={200: {"model": DeskAnswer}})
    async def show_desk(session: LoggedIn) -> Response:
        """Everything on your page, as it is now."""
        return answer(await desk.feed.read(), agent_body(desk.floor, desk.crm, session.agent))

    @router.get("/events", responses=_EVENTS)
    async def push_desk(session: LoggedIn) -> EventStream:
        """The same whenever it changes, as server-sent events: `snapshot`, `beat`, `over`."""
        return _stream(desk, session, agent_body(desk.floor, desk.crm, session.agent))

    @router.get("/queues", responses={200: {"model": QueueAnswer}})
    async def show_queues(_session: LoggedIn) -> Response:
        """Live figures of all queues. There is no person in them."""
        return answer(await desk.feed.read(), queue_body(desk.floor))

    @router.get("/queues/events", responses=_EVENTS)
    async def push_queues(session: LoggedIn) -> EventStream:
        """The same whenever it changes, as server-sent events."""
        return _stream(desk, session, queue_body(desk.floor))


def _add_flows(router: APIRouter, desk: Desk) -> None:
    @router.get("/flows", responses={200: {"model": FlowAnswer}})
    async def show_flows(session: Admin) -> Response:
        """Every flow that is live, and what was refused."""
        return answer(await desk.feed.read(), flow_body(desk.floor, desk.flows, session.agent))

    @router.get("/flows/events", responses=_EVENTS)
    async def push_flows(session: Admin) -> EventStream:
        """The same whenever it changes, as server-sent events."""
        return _stream(desk, session, flow_body(desk.floor, desk.flows, session.agent))

    @router.get("/flows/{flow}.svg", response_class=Picture)
    async def draw_flow(flow: str, _session: Admin, hours: Hours = None) -> Picture:
        """The flow's picture; with `hours`, how many calls took each way."""
        return await picture_answer(desk.flows, flow, hours)


def _stream(desk: Desk, session: Session, body: Body) -> EventStream:
    return EventStream(desk.feed, session.token_hash, body, desk.sessions.holding(session))


_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "Events, until either side leaves."}
}
