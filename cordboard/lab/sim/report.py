"""What a simulated day comes to: the key figures of `cordboard kpi`, as text or JSON. No clock of ours shows in it,
so the same seed prints the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from cordboard.acd.kpis import Kpis, kpis
from cordboard.acd.ledger_row import LedgerRow
from cordboard.bootstrap.kpi_report import kpi_report
from cordboard.lab.sim.day import Day
from cordboard.lab.sim.memory_floor import MemoryFloor
from cordboard.lab.sim.scenario import SimDay


def play_day(day: SimDay, seed: int) -> list[LedgerRow]:
    """The ledger of the day, played in memory."""
    floor = MemoryFloor(day.plan, seed)
    Day(day, floor, seed).play()
    return floor.ledger.rows


def day_kpis(day: SimDay, rows: Sequence[LedgerRow]) -> list[Kpis]:
    """The key figures of each queue."""
    by_queue: dict[str, list[LedgerRow]] = {name: [] for name in day.plan.queues}
    for row in rows:
        if row.queue:
            by_queue[row.queue].append(row)
    return [kpis(by_queue[name], queue) for name, queue in day.plan.queues.items()]


def as_text(day: SimDay, seed: int, found: Sequence[Kpis]) -> str:
    """For people."""
    return kpi_report(f"{day.title}: {_period(day)}, seed {seed}", found, UTC)


def as_json_lines(day: SimDay, seed: int, found: Sequence[Kpis]) -> Iterator[str]:
    """For programs: the day, then each queue."""
    head = {"scenario": day.title, "seed": seed, "period": _period(day), "agents": len(day.plan.agents)}
    yield json.dumps({**head, "calls": sum(one.offered for one in found)})
    yield from (json.dumps(one.as_json()) for one in found)


def _period(day: SimDay) -> str:
    first, last = (datetime.fromtimestamp(at, UTC) for at in (day.begins_at, day.begins_at + day.lasts_s))
    return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
