"""Key figures over the desk's interface, for people's own tools: `GET /api/v1/kpi`, as JSON or CSV.

The same figures as `cordboard kpi`, to the last digit. An agent sees queues, intervals, reasons, and of agents
themselves; admins and supervisors see all agents. Who asks comes from the cookie, as everywhere on the desk.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from zoneinfo import ZoneInfo

import orjson
from fastapi import APIRouter, Query, Response

from cordboard.acd.agent_kpis import AgentKpis
from cordboard.acd.kpi_csv import kpi_csv
from cordboard.acd.report_period import Period, period_of
from cordboard.desk.api import PREFIX, Desk, LoggedIn
from cordboard.desk.problems import Problem
from cordboard.store.kpi_reads import By, KpiLine, KpiQuestion

LONGEST_S = 40 * 86_400.0  # a month, and what people add to it; more is for the command line

Moment = Annotated[str, Query(max_length=40, description="2026-11-23, 2026-11-23T09:30, or 09:30 for today.")]


Form = Literal["json", "csv"]


class KpiBook(Protocol):
    """Where the figures come from: `bootstrap.stored_kpis.StoredKpis`."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of moments that are written without one."""
        ...

    async def lines(self, asked: KpiQuestion) -> Sequence[KpiLine]:
        """The answer. Raises StoreUnavailable, LookupError for a queue that neither the configuration nor the
        ledger has, ValueError for a question that is too long.
        """
        ...


def kpi_api(desk: Desk, book: KpiBook) -> APIRouter:
    """The route; the application must have `desk` in its state."""
    router = APIRouter(prefix=PREFIX)

    @router.get("/kpi")
    async def show_kpis(
        session: LoggedIn,
        by: Annotated[By, Query(description="What each line is about.")] = "queue",
        queue: Annotated[str, Query(max_length=64, description="One queue; all without it.")] = "",
        since: Moment = "",
        until: Moment = "",
        interval_min: Annotated[float, Query(ge=1, le=44_640, description="How long intervals are.")] = 30.0,
        made_as: Annotated[Form, Query(alias="format", description="What the answer is.")] = "json",
    ) -> Response:
        """Key figures of today, or of the calls that entered in a period; shares from 0 to 1, times in seconds."""
        period = _period(since, until, book.zone)
        asked = _question(period, by, queue, interval_min * 60)
        try:
            found = await book.lines(asked)
        except LookupError as unknown:
            raise Problem(404, "no-such-queue", "There is no queue of this name, nor was there one.") from unknown
        except ValueError as refusal:
            raise Problem(422, "not-possible", str(refusal)) from refusal
        shown = [one.as_json() for one in found if _may_see(desk, session.agent, one)]
        return _as_csv(shown, by) if made_as == "csv" else _as_json(shown, period, by)

    return router


def _period(since: str, until: str, zone: ZoneInfo) -> Period:
    now = datetime.now(zone)
    try:
        period = period_of(since, until, now)
    except ValueError as refusal:
        raise Problem(422, "no-period", str(refusal)) from refusal
    if ((period.until or now) - period.since).total_seconds() > LONGEST_S:
        raise Problem(422, "no-period", "Ask for 40 days at most; `cordboard kpi` has longer periods.")
    return period


def _question(period: Period, by: By, queue: str, interval_s: float) -> KpiQuestion:
    until = period.until.timestamp() if period.until else float("inf")
    return KpiQuestion(period.since.timestamp(), until, by, queue, interval_s, period.zone)


def _may_see(desk: Desk, asker: str, line: KpiLine) -> bool:
    """How long others took for what is nobody's business but theirs, and of those who lead them."""
    agent = desk.floor.plan.agents[asker]
    return not isinstance(line, AgentKpis) or line.agent == asker or agent.is_admin or agent.is_supervisor


def _as_json(lines: Sequence[dict[str, Any]], period: Period, by: By) -> Response:
    body = {**period.as_json(), "by": by, "lines": lines}
    return Response(orjson.dumps(body), media_type="application/json")


def _as_csv(lines: Sequence[dict[str, Any]], by: By) -> Response:
    name = f"kpi_by_{by}.csv"
    return Response(
        kpi_csv(lines), media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
