"""Plays a simulated day: callers come and lose patience, agents come to work, pick up, talk and go to lunch.

`Day` decides nothing about queues: it tells a floor what happens, and rings the phones it is told to ring. The
floor is `MemoryFloor`, or, in a test, the real store. What people do is drawn by chance from the seed, in the order
in which it happens; so the same seed on the same floor is the same day.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Generic, Protocol, TypeVar

from cordboard.acd.model import LeftBecause, Moment, OfferEnd, Presence
from cordboard.acd.overflow import is_watched, next_wait_s
from cordboard.lab.sim.clock import LATE_S, VirtualClock
from cordboard.lab.sim.floor_state import Caller
from cordboard.lab.sim.scenario import SimDay, Stretch
from cordboard.lab.sim.written_day import SimAgents, SimCallers

LOOK_S = 1.0  # as a worker of the service looks
_DEED_ENDS = {
    "declines": OfferEnd.DECLINED,
    "rejects": OfferEnd.REJECTED,
    "busy": OfferEnd.BUSY,
    "unavailable": OfferEnd.UNAVAILABLE,
}


class RungOffer(Protocol):
    """A phone to ring."""

    @property
    def offer_id(self) -> str: ...
    @property
    def call_id(self) -> str: ...
    @property
    def agent(self) -> str: ...
    @property
    def queue(self) -> str: ...


OfferT = TypeVar("OfferT", bound=RungOffer)


class SimFloor(Protocol[OfferT]):
    """What a day needs of a floor. `failed` and the like pass over what is not news."""

    @property
    def next_due(self) -> float | None: ...
    def enter(self, now: Moment, caller: Caller) -> str | None: ...
    def leave(self, now: Moment, call_id: str, because: LeftBecause) -> None: ...
    def review(self, now: Moment, call_id: str) -> str | None: ...
    def take_offers(self, now: Moment) -> list[OfferT]: ...
    def answered(self, now: Moment, offer: OfferT) -> None: ...
    def joined(self, now: Moment, offer: OfferT) -> None: ...
    def failed(self, now: Moment, offer: OfferT, end: OfferEnd) -> None: ...
    def gone(self, now: Moment, offer: OfferT) -> None: ...
    def dispose(self, now: Moment, offer: OfferT, disposition: str) -> None: ...
    def set_presence(self, now: Moment, agent: str, presence: Presence, reason: str = "") -> None: ...
    def sweep(self, now: Moment) -> None: ...


@dataclass(slots=True, eq=False)
class _Visit(Generic[OfferT]):
    """A caller in a queue, since `came_s`. queue: where they are now; rung: the phones that ring for them;
    is_overdue: they have waited their longest.
    """

    caller: Caller
    came_s: float
    queue: str
    rung: dict[str, OfferT] = field(default_factory=dict)
    is_overdue: bool = False


class Day(Generic[OfferT]):
    """One play of a day. on_entered: called for each caller, once they have entered and phones ring."""

    def __init__(
        self,
        day: SimDay,
        floor: SimFloor[OfferT],
        seed: int,
        on_entered: Callable[[Moment, Caller], None] = lambda _now, _caller: None,
    ) -> None:
        self._day = day
        self._floor = floor
        self._on_entered = on_entered
        self._clock = VirtualClock(day.begins_at)
        self._arrivals = Random(f"arrivals {seed}")
        self._deeds = Random(f"deeds {seed}")
        self._visits: dict[str, _Visit[OfferT]] = {}
        self._offers_made: dict[str, int] = {}
        self._sweep_due: float | None = None
        self.calls = 0

    def play(self) -> int:
        """The whole day, until the last caller has gone. How many things happened."""
        for name, roster in self._day.rosters.items():
            for stretch in roster:
                self._clock.at(stretch.at_s, partial(self._become, name, stretch))
        for callers in self._day.callers:
            self._expect(callers, self._times_of(callers))
        return self._clock.run()

    # -- callers --

    def _times_of(self, callers: SimCallers) -> Iterator[float]:
        """When they come; drawn as the day goes on, one after the other."""
        if callers.calls_h is None:
            yield from (callers.at_s + number * callers.every_s for number in range(callers.times))
            return
        for first, last, calls_h in self._day.curve(callers):
            at_s = first
            while calls_h > 0 and (at_s := at_s + self._arrivals.expovariate(calls_h / 3600.0)) < last:
                yield at_s

    def _expect(self, callers: SimCallers, times: Iterator[float]) -> None:
        at_s = next(times, None)
        if at_s is not None:
            self._clock.at(at_s, partial(self._come, callers, times))

    def _come(self, callers: SimCallers, times: Iterator[float]) -> None:
        self.calls += 1
        caller = Caller(f"c{self.calls:07d}", callers.queue, callers.priority, callers.language, callers.needs)
        visit = self._visits[caller.call_id] = _Visit[OfferT](caller, self._clock.now_s, caller.queue)
        if callers.patience_s is not None:
            self._clock.after(callers.patience_s.draw(self._arrivals), partial(self._give_up, visit))
        self._clock.after(self._day.plan.queues[caller.queue].max_wait_s, partial(self._wait_no_more, visit))
        self._expect(callers, times)
        self._heed(visit, self._floor.enter(self._clock.now, caller))
        self._on_entered(self._clock.now, caller)

    def _give_up(self, visit: _Visit[OfferT]) -> None:
        if self._is_here(visit):
            self._leave(visit, LeftBecause.ABANDONED)

    def _wait_no_more(self, visit: _Visit[OfferT]) -> None:
        """Whoever is being offered to an agent gets that chance still."""
        visit.is_overdue = True
        if self._is_here(visit) and not visit.rung:
            self._leave(visit, LeftBecause.MAX_WAIT)

    def _plan_review(self, visit: _Visit[OfferT], *, is_new: bool) -> None:
        """Look at the caller's standing again when time alone may change it; each second where others may. is_new:
        they have just come to this queue from another one, whose steps may hold already.
        """
        steps = self._day.plan.queues[visit.queue].overflow
        waited_s = self._clock.now_s - visit.came_s
        by_time_s = max(waited_s, next_wait_s(steps, 0.0 if is_new else waited_s))
        after_s = min(by_time_s, waited_s + LOOK_S if is_watched(steps, waited_s) else math.inf)
        if after_s < math.inf:
            self._clock.at(visit.came_s + after_s + LATE_S, partial(self._review, visit))

    def _review(self, visit: _Visit[OfferT]) -> None:
        if not self._is_here(visit):
            return
        self._heed(visit, self._floor.review(self._clock.now, visit.caller.call_id))

    def _heed(self, visit: _Visit[OfferT], queue: str | None) -> None:
        """Where the rules of queues have put the caller: "" for out, None for where they are."""
        if queue == "":
            del self._visits[visit.caller.call_id]
        else:
            visit.queue = queue or visit.queue
            self._plan_review(visit, is_new=bool(queue))
        self._go_on()

    def _leave(self, visit: _Visit[OfferT], because: LeftBecause) -> None:
        del self._visits[visit.caller.call_id]
        visit.rung.clear()
        self._floor.leave(self._clock.now, visit.caller.call_id, because)
        self._go_on()

    def _is_here(self, visit: _Visit[OfferT]) -> bool:
        return self._visits.get(visit.caller.call_id) is visit

    # -- agents --

    def _become(self, agent: str, stretch: Stretch) -> None:
        self._floor.set_presence(self._clock.now, agent, Presence(stretch.presence), stretch.reason)
        self._go_on()

    def _ring(self, offer: OfferT) -> None:
        part = self._day.groups[offer.agent]
        visit = self._visits[offer.call_id]
        visit.rung[offer.offer_id] = offer
        deed = self._deed(offer.agent, part)
        if deed in ("answers", "declines"):
            self._clock.after(part.answers_after_s.draw(self._deeds), partial(self._pick_up, visit, offer, deed))
        elif deed == "rejects":
            self._clock.after(part.answers_after_s.draw(self._deeds), self._failing(visit, offer, deed))
        else:
            rings_s = self._day.plan.queues[offer.queue].ring_s if deed == "ignores" else 0.0
            self._clock.after(rings_s, self._failing(visit, offer, deed))

    def _deed(self, agent: str, part: SimAgents) -> str:
        number = self._offers_made.get(agent, 0)
        self._offers_made[agent] = number + 1
        if part.misses and self._deeds.random() < part.misses:
            return "ignores"
        return part.does[min(number, len(part.does) - 1)]

    def _pick_up(self, visit: _Visit[OfferT], offer: OfferT, deed: str) -> None:
        if offer.offer_id not in visit.rung:
            return
        self._floor.answered(self._clock.now, offer)
        part, accept = self._day.groups[offer.agent], self._day.plan.queues[offer.queue].accept
        if deed == "declines":
            self._clock.after(part.accepts_after_s.draw(self._deeds), self._failing(visit, offer, deed))
        elif accept.key:
            self._clock.after(part.accepts_after_s.draw(self._deeds), partial(self._join, visit, offer))
        else:
            self._join(visit, offer)

    def _join(self, visit: _Visit[OfferT], offer: OfferT) -> None:
        if offer.offer_id not in visit.rung:
            return
        del self._visits[offer.call_id]
        visit.rung.clear()
        self._floor.joined(self._clock.now, offer)
        talks_s = self._day.groups[offer.agent].talks_s.draw(self._deeds)
        self._clock.after(talks_s, partial(self._hang_up, offer))
        self._go_on()

    def _hang_up(self, offer: OfferT) -> None:
        part = self._day.groups[offer.agent]
        self._floor.gone(self._clock.now, offer)
        if part.disposition is not None:
            disposes_after_s = part.disposes_after_s.draw(self._deeds)
            self._clock.after(disposes_after_s, partial(self._dispose, offer, part.disposition))
        self._go_on()

    def _dispose(self, offer: OfferT, disposition: str) -> None:
        self._floor.dispose(self._clock.now, offer, disposition)
        self._go_on()

    def _failing(self, visit: _Visit[OfferT], offer: OfferT, deed: str) -> Callable[[], None]:
        return partial(self._fail, visit, offer, _DEED_ENDS.get(deed, OfferEnd.NO_ANSWER))

    def _fail(self, visit: _Visit[OfferT], offer: OfferT, end: OfferEnd) -> None:
        if visit.rung.pop(offer.offer_id, None) is None:
            return
        self._floor.failed(self._clock.now, offer, end)
        if visit.is_overdue and not visit.rung:
            self._leave(visit, LeftBecause.MAX_WAIT)
        self._go_on()

    # -- time --

    def _go_on(self) -> None:
        """Ring what is to be rung, and look again when the floor has something due."""
        for offer in self._floor.take_offers(self._clock.now):
            self._ring(offer)
        due = self._floor.next_due
        if due is not None and (self._sweep_due is None or due < self._sweep_due):
            self._sweep_due = due
            self._clock.at_boot(due, partial(self._sweep, due))

    def _sweep(self, due: float) -> None:
        if due == self._sweep_due:
            self._sweep_due = None
        self._floor.sweep(self._clock.now)
        self._go_on()
