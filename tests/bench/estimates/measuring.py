"""Plays the days and asks every formula at the same moment about the same caller, of what is known then."""

from __future__ import annotations

from dataclasses import dataclass, field

from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import Moment
from cordboard.acd.wait_estimate import Estimate
from cordboard.acd.wait_formulas import MovingAverage, QueueFigures, google_ccai, position_share
from cordboard.lab.sim.day import Day
from cordboard.lab.sim.estimating import DayEstimates
from cordboard.lab.sim.floor_state import Caller
from cordboard.lab.sim.memory_floor import MemoryFloor
from cordboard.lab.sim.scenario import SimDay
from tests.bench.estimates.days import QUEUE, days
from tests.bench.estimates.figures import APP_QUEUE, CCAI, OURS, THUMB, Scores, Told, scores

WARM_UP = 50  # callers of a day before anything is asked: no formula knows anything yet
EVERY = 2  # callers who wait


def measure_estimates(seeds: int) -> dict[str, Scores]:
    """The scores of each day, all seeds together."""
    return {
        title: scores([told for seed in range(1, seeds + 1) for told in _played(day, seed)])
        for title, day in days().items()
    }


def _played(day: SimDay, seed: int) -> list[Told]:
    floor = MemoryFloor(day.plan, seed)
    asked = _Asked(floor, DayEstimates(floor, seed, EVERY))
    Day(day, floor, seed, asked.look).play()
    waits = {row.call_id: row.data["wait_s"] for row in floor.ledger.rows if row.kind == "joined"}
    return [
        Told(told_s, found.at_most_s, waits[call_id])
        for call_id, (found, told_s) in asked.told.items()
        if call_id in waits
    ]


@dataclass
class _Asked:
    """What each formula said, by call."""

    floor: MemoryFloor
    estimates: DayEstimates
    average: MovingAverage = field(default_factory=MovingAverage)
    told: dict[str, tuple[Estimate, dict[str, float]]] = field(default_factory=dict)
    callers: int = 0
    read: int = 0

    def look(self, now: Moment, caller: Caller) -> None:
        """A caller has entered."""
        self._read_ledger()
        self.callers += 1
        found = self.estimates.look(now, caller)
        if found is None or caller.queue != QUEUE or self.callers <= WARM_UP:
            return
        figures = self._figures(now, caller)
        told_s = {
            OURS: found.likely_s,
            APP_QUEUE: self.average.wait_s(),
            THUMB: position_share(figures),
            CCAI: google_ccai(figures),
        }
        self.told[caller.call_id] = found, told_s

    def _figures(self, now: Moment, caller: Caller) -> QueueFigures:
        plan, books = self.floor.books.plan, self.floor.books
        serving = [one for one in self.estimates.at_work(now) if QUEUE in plan.agents[one.agent].queues]
        mine = books.places[caller.call_id].waiting
        ahead = [call for call in books.lines.everybody() if call.queue == QUEUE]
        position = 1 + sum((-call.priority, call.entered_at) < (-mine.priority, mine.entered_at) for call in ahead)
        aht_s = self.estimates.history.handling(QUEUE).mean_s
        return QueueFigures(
            position,
            len(ahead),
            len(serving),
            aht_s,
            shares=sum(1 / len(plan.agents[one.agent].queues) for one in serving),
            available=sum(books.agents[one.agent].is_ready(now) for one in serving),
            callbacks=sum(one.place.queue == QUEUE for one in books.promises.values()),
        )

    def _read_ledger(self) -> None:
        rows: list[LedgerRow] = self.floor.ledger.rows
        for row in rows[self.read :]:
            if row.kind == "joined" and row.queue == QUEUE:
                self.average.take(row.data["wait_s"])
        self.read = len(rows)
