"""Key figures from the database: reads what of the ledger a question needs, and has the pure functions count it.

Used by `cordboard kpi` and by the desk's `/api/v1/kpi`; both say the same, to the last digit. A day of 30,000 calls
is read in some seconds: not in the thread that keeps the desk's pages alive.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any, Literal, get_args

from sqlalchemy import Connection, and_, bindparam, or_, select

from cordboard.acd.agent_kpis import AGENT_KINDS, AgentKpis, agent_kpis
from cordboard.acd.kpis import CALLBACK_KINDS, Kpis, kpis_between
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import FloorPlan, Presence, Queue
from cordboard.acd.reasons import REASON_KINDS, ReasonCount, reason_counts
from cordboard.acd.report_period import LATE
from cordboard.store.ledger import read_rows
from cordboard.store.tables import agent_states, ledger

By = Literal["queue", "agent", "interval", "reason"]
BYS: tuple[By, ...] = get_args(By)
INTERVALS_MAX = 3_000  # two months by half hours
HOUR_S = 3_600.0
QUEUE_KINDS = (*REASON_KINDS, *CALLBACK_KINDS, "wait_estimated")

_begun = ledger.alias("begun")
_BEGUN_THEN = select(_begun.c.entry_id).where(
    _begun.c.kind == "entered_queue", _begun.c.at >= bindparam("since"), _begun.c.at < bindparam("until")
)
_made = ledger.alias("made")
_MADE_THEN = select(_made.c.offer_id).where(
    _made.c.kind == "offer_made", _made.c.at >= bindparam("since"), _made.c.at < bindparam("until")
)
# What happened after the period is wanted of the calls and offers of the period only, and of what is about no call.
_WANTED = (
    select(ledger)
    .where(
        ledger.c.kind.in_(bindparam("kinds", expanding=True)),
        or_(
            and_(ledger.c.at >= bindparam("since"), ledger.c.at < bindparam("until")),
            and_(
                ledger.c.at >= bindparam("until"),
                ledger.c.at < bindparam("late"),
                or_(
                    ledger.c.entry_id == "",
                    ledger.c.entry_id.in_(_BEGUN_THEN),
                    ledger.c.offer_id.in_(_MADE_THEN),
                ),
            ),
        ),
    )
    .order_by(ledger.c.seq)
)
_PRESENCES = select(agent_states.c.agent, agent_states.c.presence)
_TOLD_QUEUES = select(ledger.c.queue).where(ledger.c.queue != "").distinct().order_by(ledger.c.queue)


@dataclass(frozen=True, slots=True)
class KpiQuestion:
    """since until before `until`, in seconds since 1970 (inf: up to now). queue: one, be it configured or not, or
    "" for all.

    interval_s: how long each interval is, for `by` interval.
    """

    since: float
    until: float = math.inf
    by: By = "queue"
    queue: str = ""
    interval_s: float = 1_800.0
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class IntervalKpis:
    """The figures of one queue in one interval of the period; in seconds since 1970."""

    since: float
    until: float
    kpis: Kpis

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON; the times in UTC."""
        return {"from": _iso(self.since), "to": _iso(self.until), **self.kpis.as_json()}


KpiLine = Kpis | AgentKpis | IntervalKpis | ReasonCount


def read_kpi_lines(connection: Connection, plan: FloorPlan, asked: KpiQuestion, wall: float) -> Sequence[KpiLine]:
    """The answer, in the order of the configuration; what the ledger tells of and is configured no more comes last.
    wall: now, in seconds since 1970.

    Raises ValueError for too many intervals.
    """
    match asked.by:
        case "queue":
            rows = _by_queue(_rows(connection, asked, QUEUE_KINDS))
            edges = [asked.since, asked.until]
            return [next(kpis_between(rows[queue.name], queue, edges)) for queue in _queues(plan, asked, rows)]
        case "agent":
            return _agents(connection, plan, asked, wall)
        case "interval":
            return list(_intervals(connection, plan, asked, wall))
        case "reason":
            told = _rows(connection, asked, REASON_KINDS)
            names = [queue.name for queue in _queues(plan, asked, {row.queue for row in told})]
            return reason_counts(told, names, asked.since, min(asked.until, wall))


def is_known_queue(connection: Connection, plan: FloorPlan, queue: str) -> bool:
    """Whether there is anything to tell of a queue: it is configured, or was."""
    return queue in plan.queues or queue in told_queues(connection)


def told_queues(connection: Connection) -> Sequence[str]:
    """Every queue the ledger tells of, by name. All of the ledger is read: only for names not configured."""
    return connection.scalars(_TOLD_QUEUES).all()


def _queues(plan: FloorPlan, asked: KpiQuestion, told: Iterable[str]) -> list[Queue]:
    """told: the queues the ledger tells of; one that is configured no more has the service level of a new one."""
    if asked.queue:
        return [plan.queues.get(asked.queue) or Queue(asked.queue)]
    return [*plan.queues.values(), *map(Queue, sorted(set(told) - {"", *plan.queues}))]


def _agents(connection: Connection, plan: FloorPlan, asked: KpiQuestion, wall: float) -> list[AgentKpis]:
    """All agents, or those of one queue, of now and from then; their time is that with all queues, as nobody is
    free for one who talks for another.
    """
    there = {row.agent: Presence(row.presence) for row in connection.execute(_PRESENCES)}
    names = [name for name, agent in plan.agents.items() if asked.queue in ("", *agent.queues)]
    rows = _rows(connection, replace(asked, queue=""), AGENT_KINDS)
    names += sorted({row.agent for row in rows if asked.queue in ("", row.queue)} - {"", *names})
    wanted = {name: there.get(name, Presence.LOGGED_OUT) for name in names}
    return agent_kpis(rows, wanted, asked.since, asked.until, time_until=wall, queue=asked.queue)


def _intervals(connection: Connection, plan: FloorPlan, asked: KpiQuestion, wall: float) -> Iterator[IntervalKpis]:
    edges = interval_edges(asked.since, min(asked.until, wall), asked.interval_s, asked.zone)
    rows = _by_queue(_rows(connection, asked, QUEUE_KINDS))
    for queue in _queues(plan, asked, list(rows)):
        figures = kpis_between(rows[queue.name], queue, edges)
        yield from (IntervalKpis(*ends, found) for ends, found in zip(pairwise(edges), figures, strict=True))


def interval_edges(since: float, until: float, interval_s: float, zone: tzinfo = UTC) -> list[float]:
    """Where intervals of that length begin and end; the last one may be shorter. Raises ValueError for too many.

    Those of more than an hour begin at the same time of each day in `zone`: one is longer or shorter by the hour
    when its clocks are changed.
    """
    count = max(1, math.ceil((until - since) / interval_s))
    if count > INTERVALS_MAX:
        raise ValueError(f"that is {count} intervals; ask for a shorter period, or longer intervals")
    begin = datetime.fromtimestamp(since, zone)
    later = (_later(begin, number * interval_s, by_wall=interval_s > HOUR_S) for number in range(1, count + 1))
    return [since, *(edge for edge in later if edge < until), max(since, until)]


def _later(begin: datetime, length_s: float, *, by_wall: bool) -> float:
    """That long after, by the clock on the wall or by what has passed."""
    return (begin + timedelta(seconds=length_s)).timestamp() if by_wall else begin.timestamp() + length_s


def _rows(connection: Connection, asked: KpiQuestion, kinds: Sequence[str]) -> list[LedgerRow]:
    values = {
        "since": asked.since,
        "until": asked.until,
        "late": asked.until + LATE.total_seconds(),
        "kinds": list(kinds),
    }
    statement = _WANTED.where(ledger.c.queue.in_(["", asked.queue])) if asked.queue else _WANTED
    return list(read_rows(connection, statement, values))


def _by_queue(rows: Iterable[LedgerRow]) -> Mapping[str, list[LedgerRow]]:
    found: defaultdict[str, list[LedgerRow]] = defaultdict(list)
    for row in rows:
        found[row.queue].append(row)
    return found


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
