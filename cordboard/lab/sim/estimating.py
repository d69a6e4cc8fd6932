"""Estimates the waits of a simulated day while it goes on, from what the floor knows at that moment and no more.

Whoever waits when a caller has entered is estimated as on a real floor (`acd.wait_line`, `acd.wait_estimate`), and
the estimate is written to the day's ledger, from which its error is known in the end (`acd.estimate_errors`).
"""

from __future__ import annotations

import math
from random import Random

from cordboard.acd.model import Activity, Moment, Presence
from cordboard.acd.wait_estimate import Estimate, estimate
from cordboard.acd.wait_history import WaitHistory
from cordboard.acd.wait_line import AtWork, AwayPlace, wait_line
from cordboard.lab.sim.floor_state import AgentAtDesk, Caller, Place
from cordboard.lab.sim.memory_floor import MemoryFloor


class DayEstimates:
    """every: of so many callers who have to wait one is estimated; each takes some 20 ms."""

    def __init__(self, floor: MemoryFloor, seed: int, every: int = 1) -> None:
        self._floor = floor
        self._chance = Random(f"estimates {seed}")
        self._every = every
        self._waited = 0
        self._read = 0
        self.history = WaitHistory()

    def look(self, now: Moment, caller: Caller) -> Estimate | None:
        """For `Day.on_entered`: estimate the wait of who has just entered. None for those who do not wait, or whose
        turn it is not.
        """
        self._read_ledger()
        place = self._floor.books.places.get(caller.call_id)
        if place is None or place.state != "waiting":
            return None
        self._waited += 1
        if self._waited % self._every:
            return None
        found = self._estimate(place, now)
        if found is not None:
            figures = {"waited_s": 0.0, "likely_s": found.likely_s, "at_most_s": found.at_most_s}
            self._floor.ledger.tell_place("wait_estimated", place, now.wall, **figures)
        return found

    def at_work(self, now: Moment) -> list[AtWork]:
        """The agents who are available, and what they are at."""
        agents = self._floor.books.agents.values()
        return [_at_work(agent, now) for agent in agents if agent.presence is Presence.AVAILABLE]

    def _estimate(self, place: Place, now: Moment) -> Estimate | None:
        books, history = self._floor.books, self.history
        waiting, at_work = list(books.lines.everybody()), self.at_work(now)
        line = wait_line(place.waiting, waiting, at_work, books.plan, history, now, self._away(now))
        return estimate(line, self._chance, history.told_share(place.queue))

    def _away(self, now: Moment) -> list[AwayPlace]:
        """Those whose place is kept, and who may come back to it."""
        books = self._floor.books
        due = {one.place.entry_id: one.due_at or 0.0 for one in books.promises.values()}
        return [
            AwayPlace(
                place.waiting,
                place.kind,
                math.inf if place.held_until is None else place.held_until - now.boot,
                max(0.0, due.get(entry_id, 0.0) - now.wall),
            )
            for entry_id, place in books.away.items()
            if place.kind != "hung_up"
        ]

    def _read_ledger(self) -> None:
        rows = self._floor.ledger.rows
        for row in rows[self._read :]:
            self.history.take(row)
        self._read = len(rows)


def _at_work(agent: AgentAtDesk, now: Moment) -> AtWork:
    offer = agent.offer
    if offer is None:
        return AtWork(agent.name, left_s=max(0.0, agent.blocked_until - now.boot))
    if agent.activity is Activity.WRAP_UP:
        return AtWork(agent.name, offer.queue, left_s=max(0.0, (agent.wrap_up_until or 0.0) - now.boot))
    talked_s = 0.0 if offer.joined_at is None else max(0.0, now.wall - offer.joined_at)
    return AtWork(agent.name, offer.queue, talked_s)
