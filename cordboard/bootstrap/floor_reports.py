"""Reads what the commands about queues show: one function a report, each on one moment of the database.

Used by `cli_queues`, which prints what comes back. Raises StoreUnavailable where there is no database, and NotKnown
for a queue or a call nobody has heard of.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Connection

from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.report_period import Period
from cordboard.bootstrap.floor_files import FloorFiles, NotKnown, known, reading
from cordboard.bootstrap.queue_report import KINDS, QueueNow, queue_now
from cordboard.config.validation import closest
from cordboard.store.acd_reads import floor_snapshot, ledger_rows, rows_after, why
from cordboard.store.acd_values import AgentView, WhyLine
from cordboard.store.call_ids import calls_beginning_with
from cordboard.store.kpi_reads import By, KpiLine, KpiQuestion, read_kpi_lines, told_queues
from cordboard.store.moments import now

DAY_S = 86_400.0  # also the longest wait there can be
SHORTEST_ID = 6  # characters; fewer would fit all calls of a day
CALLS_LISTED = 10
SUGGESTED_AMONG = 500  # calls whose ids are compared with one that was mistyped


def read_kpi_report(
    files: FloorFiles, queue: str, period: Period, by: str = "queue", interval_s: float = 1_800.0
) -> Sequence[KpiLine]:
    """The figures of one queue, or of all if `queue` is "", by one of `BYS`. Raises ValueError for too many,
    NotKnown for a queue that neither the files nor the ledger has.
    """
    with reading(files) as connection:
        if queue and queue not in files.plan.queues:
            known("queue", queue, dict.fromkeys([*files.plan.queues, *told_queues(connection)]))
        return read_kpi_lines(connection, files.plan, question(queue, period, by, interval_s), now().wall)


def question(queue: str, period: Period, by: str, interval_s: float = 1_800.0) -> KpiQuestion:
    """What a period and words mean to the store."""
    until = period.until.timestamp() if period.until else math.inf
    return KpiQuestion(period.since.timestamp(), until, cast(By, by), queue, interval_s, period.zone)


def read_agents(files: FloorFiles) -> Sequence[AgentView]:
    """All agents of the files, as the floor has them."""
    with reading(files) as connection:
        return floor_snapshot(connection, now(), files.plan).agents


def read_why(files: FloorFiles, call_id: str) -> list[WhyLine]:
    """A call's story. call_id: whole, or its beginning. Raises NotKnown for none or several, ValueError for ""."""
    if not call_id:
        raise ValueError("write a call's id; `cordboard queue show` lists those of the calls that wait")
    with reading(files) as connection:
        return why(connection, _whole_id(connection, call_id), now=now(), plan=files.plan)


class QueueWatch:
    """Looks at queues again and again, and reads only what the ledger has got since."""

    def __init__(self, files: FloorFiles, queue: str) -> None:
        self._files = files
        self._names = [files.queue(queue).name] if queue else list(files.plan.queues)
        self._rows: list[LedgerRow] = []

    def look(self, midnight: datetime) -> list[QueueNow]:
        """The queues now. midnight: when the day of the figures began."""
        since, plan, moment = midnight.timestamp(), self._files.plan, now()
        with reading(self._files) as connection:
            self._read_on(connection, min(since, moment.wall - DAY_S))
            snapshot = floor_snapshot(connection, moment, plan)
        return [queue_now(name, plan, snapshot, self._rows, since) for name in self._names]

    def _read_on(self, connection: Connection, since: float) -> None:
        if self._rows:
            self._rows += rows_after(connection, self._rows[-1].seq, KINDS)
        else:
            self._rows += ledger_rows(connection, since, kinds=KINDS)


def _whole_id(connection: Connection, begun: str) -> str:
    """The id of the one call that begins so."""
    is_enough = len(begun) >= SHORTEST_ID
    found = calls_beginning_with(connection, begun, CALLS_LISTED + 1) if is_enough else []
    if len(found) == 1 or begun in found:
        return found[0]
    if found:
        ids = [*found[:CALLS_LISTED], *(["..."] if len(found) > CALLS_LISTED else [])]
        raise NotKnown("\n  ".join([f"several calls begin with `{begun}`; give more of the id:", *ids]))
    if not is_enough:
        raise NotKnown(f"`{begun}` is too short; give {SHORTEST_ID} characters of a call's id, or more")
    raise NotKnown(f"no queue has had a call `{begun}`; {_suggestion(connection, begun)}")


def _suggestion(connection: Connection, call_id: str) -> str:
    """A call of the last day with nearly that id, for one that was copied badly."""
    entered = ledger_rows(connection, now().wall - DAY_S, kinds=("entered_queue",))
    recent = deque((row.call_id for row in entered), maxlen=SUGGESTED_AMONG)
    return closest(call_id, recent) or "`cordboard queue show` lists those that wait"
