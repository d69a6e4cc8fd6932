"""Pages as JSON on the wire: each made once for a reading, however many browsers show it."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from starlette.responses import Response

from cordboard.desk.desk_page import DeskPage, desk_page
from cordboard.desk.feed import Body, Reading
from cordboard.desk.flow_page import FlowPage
from cordboard.desk.ports import CrmNow, DeskFloor, FlowBook
from cordboard.desk.problems import Problem
from cordboard.desk.queue_page import QueuePage, queue_page
from cordboard.desk.team_page import TeamPage, team_page
from cordboard.desk.wire import wire

_QUEUES, _TEAM = "/queues", "/team"  # no agent has such a name


@dataclass(frozen=True, slots=True)
class DeskAnswer:
    """at: the desk's clock; read_at: when the floor was read. Both in seconds since 1970."""

    version: str
    at: float
    read_at: float
    view: DeskPage


@dataclass(frozen=True, slots=True)
class QueueAnswer:
    """As `DeskAnswer`, for the live queue page."""

    version: str
    at: float
    read_at: float
    view: QueuePage


@dataclass(frozen=True, slots=True)
class TeamAnswer:
    """As `DeskAnswer`, for the team page."""

    version: str
    at: float
    read_at: float
    view: TeamPage


@dataclass(frozen=True, slots=True)
class FlowAnswer:
    """As `DeskAnswer`, for the flows."""

    version: str
    at: float
    read_at: float
    view: FlowPage


def agent_body(floor: DeskFloor, crm: CrmNow, agent: str) -> Body:
    """What makes this agent's page of a reading."""

    def body(reading: Reading) -> bytes | None:
        if agent not in reading.bodies:
            page = desk_page(reading.snapshot, floor.plan, crm(), agent)
            reading.bodies[agent] = orjson.dumps(page) if page else None
        return reading.bodies[agent]

    return body


def queue_body(floor: DeskFloor) -> Body:
    """What makes the live queue page of a reading."""

    def body(reading: Reading) -> bytes | None:
        if _QUEUES not in reading.bodies:
            reading.bodies[_QUEUES] = orjson.dumps(queue_page(reading.snapshot, floor.plan))
        return reading.bodies[_QUEUES]

    return body


def team_body(floor: DeskFloor, agent: str) -> Body:
    """What makes the team page of a reading, for a supervisor; all of them see the same."""

    def body(reading: Reading) -> bytes | None:
        if not is_supervisor(floor, agent):
            return None
        if _TEAM not in reading.bodies:
            reading.bodies[_TEAM] = orjson.dumps(team_page(reading.snapshot, floor.plan))
        return reading.bodies[_TEAM]

    return body


def flow_body(floor: DeskFloor, flows: FlowBook, agent: str) -> Body:
    """What makes the page of flows, for an admin. It does not come from the floor, so it is made anew each time:
    what was refused shows also while the floor cannot be read.
    """

    def body(_reading: Reading) -> bytes | None:
        return orjson.dumps(flows.page()) if is_admin(floor, agent) else None

    return body


def is_admin(floor: DeskFloor, agent: str) -> bool:
    """Whether the configuration makes them one, now."""
    configured = floor.plan.agents.get(agent)
    return configured is not None and configured.is_admin


def is_supervisor(floor: DeskFloor, agent: str) -> bool:
    """The same of who may change the state of others."""
    configured = floor.plan.agents.get(agent)
    return configured is not None and configured.is_supervisor


def answer(reading: Reading, body: Body) -> Response:
    """One reading as the answer to one question. Raises Problem if there is nothing to show."""
    view = body(reading)
    if view is None:
        raise Problem(401, "not-logged-in", "Please log in.")
    return Response(wire(reading, view), media_type="application/json")
