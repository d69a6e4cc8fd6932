"""What Prometheus scrapes of queues and agents: read from the database when it asks, by one worker of each machine.

Labels are bounded: queues of the configuration (any other is `other`), reasons and activities of the code; never an
agent, a call or a number. Counters begin at 0 with the process, as Prometheus expects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from sqlalchemy import Connection

from cordboard.acd.ledger_row import LedgerRow
from cordboard.errors import StoreUnavailable
from cordboard.service.floor import Floor
from cordboard.store.acd_reads import StoreReader, last_seq, rows_after
from cordboard.store.acd_values import FloorSnapshot
from cordboard.store.moments import now

COUNTED_KINDS = ("entered_queue", "wait_estimated", "joined", "left_queue", "offer_ended", "talk_ended")
ROWS_MAX = 20_000  # of one reading; who is not asked for long catches up in several
WAIT_BUCKETS_S = (5, 10, 20, 30, 45, 60, 120, 300, 600, 1_800)
TALK_BUCKETS_S = (15, 30, 60, 120, 180, 300, 600, 1_200, 3_600)
ERROR_BUCKETS_S = (5, 10, 20, 30, 60, 120, 300, 600, 1_800)
ESTIMATES_KEPT = 20_000  # callers who wait and whose estimate we have seen; with more, the oldest are let go
OTHER = "other"


class AcdMetrics:
    """The figures of all queues of a floor's configuration."""

    def __init__(self, registry: CollectorRegistry, floor: Floor) -> None:
        self._floor = floor
        self._seq: int | None = None
        self._calls = Counter(
            "cordboard_queue_calls",
            "Calls that entered a queue (result `entered`), and how they left it.",
            ["queue", "result"],
            registry=registry,
        )
        self._waits = Histogram(
            "cordboard_queue_wait_seconds",
            "How long callers had waited when they left their queue, by how.",
            ["queue", "result"],
            buckets=WAIT_BUCKETS_S,
            registry=registry,
        )
        self._talks = Histogram(
            "cordboard_queue_talk_seconds",
            "How long agents and callers talked.",
            ["queue"],
            buckets=TALK_BUCKETS_S,
            registry=registry,
        )
        self._offers = Counter(
            "cordboard_queue_offers", "Offers to agents, by how they ended.", ["queue", "end"], registry=registry
        )
        self._estimated: dict[str, Mapping[str, Any]] = {}  # of those who wait, by entry
        self._errors = Histogram(
            "cordboard_queue_estimate_error_seconds",
            "By how much the estimated waits of answered callers were wrong, up or down.",
            ["queue"],
            buckets=ERROR_BUCKETS_S,
            registry=registry,
        )
        self._estimates = Counter(
            "cordboard_queue_estimates",
            "Answered callers whose estimate was `kept` (they waited no longer than is told) or `exceeded`.",
            ["queue", "result"],
            registry=registry,
        )
        self._waiting = Gauge("cordboard_queue_waiting", "Callers in line now.", ["queue"], registry=registry)
        self._longest = Gauge(
            "cordboard_queue_longest_wait_seconds", "Of those in line now.", ["queue"], registry=registry
        )
        self._level = Gauge(
            "cordboard_queue_service_level_ratio",
            "Today, by the queue's own formula; not there before the first call.",
            ["queue"],
            registry=registry,
        )
        self._agents = Gauge(
            "cordboard_queue_agents",
            "Agents of a queue, by what they do.",
            ["queue", "activity"],
            registry=registry,
        )

    async def refresh(self, reader: StoreReader) -> None:
        """Read what has happened. Without a database everything stays as it was."""

        def work(connection: Connection) -> tuple[list[LedgerRow], FloorSnapshot]:
            if self._seq is None:
                self._seq = last_seq(connection)
            rows = list(rows_after(connection, self._seq, COUNTED_KINDS, most=ROWS_MAX))
            return rows, reader.snapshot(connection, now(), self._floor.plan)

        try:
            rows, snapshot = await reader.ask(work)
        except StoreUnavailable:
            return
        self.count(rows)
        self.show(snapshot)

    def count(self, rows: Iterable[LedgerRow]) -> None:
        """Count what is new."""
        known = self._floor.plan.queues
        for row in rows:
            if self._seq is None or row.seq > self._seq:  # two may have asked at a time
                self._seq = row.seq
                self._take(row, row.queue if row.queue in known else OTHER)

    def show(self, snapshot: FloorSnapshot) -> None:
        """How it is now; what is configured no more is gone."""
        for gauge in (self._waiting, self._longest, self._level, self._agents):
            gauge.clear()
        for queue in snapshot.queues:
            self._waiting.labels(queue.name).set(queue.waiting)
            self._longest.labels(queue.name).set(queue.longest_wait_s)
            if queue.service_level is not None:
                self._level.labels(queue.name).set(queue.service_level)
            for activity, count in queue.agents.items():
                self._agents.labels(queue.name, str(activity)).set(count)

    def _take(self, row: LedgerRow, queue: str) -> None:
        match row.kind:
            case "entered_queue":
                self._calls.labels(queue, "entered").inc()
            case "wait_estimated":
                self._note_estimate(row)
            case "joined":
                self._judge_estimate(row, queue)
            case "left_queue":
                self._estimated.pop(row.entry_id, None)
                self._calls.labels(queue, row.data["because"]).inc()
                self._waits.labels(queue, row.data["because"]).observe(row.data["wait_s"])
            case "offer_ended":
                self._offers.labels(queue, row.data["end"]).inc()
            case "talk_ended" if not row.data.get("estimated"):
                self._talks.labels(queue).observe(row.data["talk_s"])

    def _note_estimate(self, row: LedgerRow) -> None:
        self._estimated.setdefault(row.entry_id, row.data)
        if len(self._estimated) > ESTIMATES_KEPT:
            del self._estimated[next(iter(self._estimated))]

    def _judge_estimate(self, row: LedgerRow, queue: str) -> None:
        """By what came of it, as `acd.estimate_errors` has it."""
        if (told := self._estimated.pop(row.entry_id, None)) is None:
            return
        waited_s = row.data["wait_s"] - told["waited_s"]
        self._errors.labels(queue).observe(abs(told["likely_s"] - waited_s))
        self._estimates.labels(queue, "kept" if waited_s <= told["at_most_s"] else "exceeded").inc()
