"""Pages as JSON on the wire: each made once for a reading, however many browsers show it."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from starlette.responses import Response

from cordboard.desk.desk_page import DeskPage, desk_page
from cordboard.desk.feed import Body, Reading
from cordboard.desk.ports import CrmNow, DeskFloor
from cordboard.desk.problems import Problem
from cordboard.desk.queue_page import QueuePage, queue_page
from cordboard.desk.wire import wire

_QUEUES = "/queues"  # no agent has this name


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


def answer(reading: Reading, body: Body) -> Response:
    """One reading as the answer to one question. Raises Problem if there is nothing to show."""
    view = body(reading)
    if view is None:
        raise Problem(401, "not-logged-in", "Please log in.")
    return Response(wire(reading, view), media_type="application/json")
