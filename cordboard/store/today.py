"""The day's counts of each queue for the live page, kept up by reading only what the ledger has got since.

A call belongs to the day in which it entered its queue, as in `acd.kpis`; the two agree to the last digit (a test
compares them). Used by the reader's thread alone.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, func, select

from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import LeftBecause, Queue
from cordboard.acd.service_level import FLOWED_OUT, ServiceCounts, service_level
from cordboard.store.ledger import last_seq, rows_after
from cordboard.store.tables import ledger

UTC = ZoneInfo("UTC")
_KINDS = ("entered_queue", "stepped_out", "joined", "left_queue")
_FIRST = select(func.min(ledger.c.seq)).where(ledger.c.at >= bindparam("since"))


@dataclass(slots=True)
class QueueDay:
    """One queue's day. waits, patience: of the answered and the abandoned, in seconds, sorted. flowed_out: how many
    were sent elsewhere.
    """

    offered: int = 0
    waits: list[float] = field(default_factory=list)
    patience: list[float] = field(default_factory=list)
    flowed_out: int = 0

    def service_level(self, queue: Queue) -> float | None:
        """By the queue's own formula, 0.0 to 1.0; None before the first call."""
        counts = ServiceCounts(
            answered=len(self.waits),
            answered_in_t=bisect_right(self.waits, queue.service_level_s),
            abandoned=len(self.patience),
            abandoned_in_t=bisect_right(self.patience, queue.service_level_s),
            abandoned_short=bisect_right(self.patience, queue.short_abandon_s),
            flowed_out=self.flowed_out,
        )
        return service_level(queue.service_level_formula, counts)


class Today:
    """All queues' day. zone: where it begins at midnight."""

    def __init__(self, zone: ZoneInfo = UTC) -> None:
        self._zone = zone
        self._until = -math.inf
        self._since = 0.0
        self._seq = 0
        self._days: dict[str, QueueDay] = {}
        self._waiting: set[str] = set()
        self._called_back: set[str] = set()  # of those who wait: who has hung up, and keeps the place

    def read(self, connection: Connection, wall: float) -> None:
        """Take in what is new. wall: now, in seconds since 1970."""
        if not self._since <= wall < self._until:
            self._begin(connection, wall)
        for row in rows_after(connection, self._seq, _KINDS):
            self._seq = row.seq
            self._take(row)

    def queue(self, name: str) -> QueueDay:
        """One queue's day so far."""
        return self._days.get(name) or QueueDay()

    def _begin(self, connection: Connection, wall: float) -> None:
        self._since, self._until = day_of(wall, self._zone)
        first = connection.execute(_FIRST, {"since": self._since}).scalar_one()
        self._seq = first - 1 if first is not None else last_seq(connection)
        self._days = {}
        self._waiting = set()
        self._called_back = set()

    def _take(self, row: LedgerRow) -> None:
        day = self._days.setdefault(row.queue, QueueDay())
        if row.kind == "entered_queue":
            if self._since <= row.at < self._until:
                self._waiting.add(row.entry_id)
                day.offered += 1
        elif row.kind in ("joined", "left_queue") and row.entry_id in self._waiting:
            self._take_end(day, row)
        if row.data.get("entry_kind") == "callback" and row.entry_id in self._waiting:
            self._called_back.add(row.entry_id)

    def _take_end(self, day: QueueDay, row: LedgerRow) -> None:
        self._waiting.discard(row.entry_id)
        because = row.data.get("because", LeftBecause.SERVED)
        if because == LeftBecause.SERVED:
            if row.entry_id not in self._called_back:
                insort(day.waits, row.data["wait_s"])
        elif because == LeftBecause.ABANDONED:
            insort(day.patience, row.data["wait_s"])
        elif because in FLOWED_OUT:
            day.flowed_out += 1


def day_of(wall: float, zone: ZoneInfo) -> tuple[float, float]:
    """When the day of this moment began there and will end, in seconds since 1970."""
    day = datetime.fromtimestamp(wall, zone).date()
    begins, ends = (datetime.combine(one, time(), zone) for one in (day, day + timedelta(days=1)))
    return begins.timestamp(), ends.timestamp()  # a day of 23 or 25 hours is one day
