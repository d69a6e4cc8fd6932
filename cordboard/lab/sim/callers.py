"""What callers do on a simulated day: come, wait, lose patience, step out, ask to be called back, get cut off."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Generic

from cordboard.acd.model import LeftBecause, Moment
from cordboard.acd.overflow import next_wait_s
from cordboard.acd.reviewing import is_watched
from cordboard.lab.sim.clock import LATE_S
from cordboard.lab.sim.floor_state import Caller
from cordboard.lab.sim.hall import LOOK_S, Hall, OfferT, Visit
from cordboard.lab.sim.length import Length
from cordboard.lab.sim.written_callers import GetsCutOff, SimCallers, StepsOut, WantsCallback

CALLED_BACK_MAX_S = 3_600.0  # the longest wait of who is called back, as of the service's own flow for them
_USUAL = GetsCutOff()


@dataclass(frozen=True, slots=True)
class Chance:
    """How likely somebody is to pick up who is called back."""

    share: float
    after_s: Length

    def answers_after_s(self, chance: Random, ring_s: float) -> float | None:
        """When they do; None if they do not."""
        does, after_s = chance.random() < self.share, self.after_s.draw(chance)
        return after_s if does and after_s < ring_s else None


def chance_of(visit: Visit[OfferT]) -> Chance:
    """How likely this customer is to pick up."""
    wants: WantsCallback | GetsCutOff = visit.part.callback or visit.part.cut_off or _USUAL
    return Chance(wants.answers, wants.answers_after_s)


class Callers(Generic[OfferT]):
    """The callers of a day. on_entered: called for each, once they have entered and phones ring."""

    def __init__(self, hall: Hall[OfferT], on_entered: Callable[[Moment, Caller], None]) -> None:
        self._hall = hall
        self._on_entered = on_entered
        self.calls = 0
        self.known: dict[str, tuple[Caller, SimCallers]] = {}  # by number, those who may be called back

    # -- coming --

    def expect_all(self) -> None:
        """Plan the first of each."""
        for part in self._hall.day.callers:
            self._expect(part, self._times_of(part))

    def _times_of(self, part: SimCallers) -> Iterator[float]:
        """When they come; drawn as the day goes on, one after the other."""
        if part.calls_h is None:
            yield from (part.at_s + number * part.every_s for number in range(part.times))
            return
        for first, last, calls_h in self._hall.day.curve(part):
            at_s = first
            while calls_h > 0 and (at_s := at_s + self._hall.arrivals.expovariate(calls_h / 3600.0)) < last:
                yield at_s

    def _expect(self, part: SimCallers, times: Iterator[float]) -> None:
        at_s = next(times, None)
        if at_s is not None:
            self._hall.clock.at(at_s, partial(self._come, part, times))

    def _come(self, part: SimCallers, times: Iterator[float]) -> None:
        caller = Caller("", part.queue, part.priority, part.language, part.needs, f"n{self.calls + 1:07d}")
        visit = self._visit(caller, part)
        self._plan_moods(visit)
        self._expect(part, times)
        self._arrive_by_phone(visit)

    def _call_again(self, caller: Caller, part: SimCallers) -> None:
        """From the same number; what was asked for before is asked for again. Nothing befalls them twice."""
        self._arrive_by_phone(self._visit(caller, part))

    def _visit(self, caller: Caller, part: SimCallers) -> Visit[OfferT]:
        self.calls += 1
        caller = replace(caller, call_id=f"c{self.calls:07d}")
        visit = Visit[OfferT](caller, part, self._hall.clock.now_s, caller.queue)
        self._hall.visits[caller.call_id] = visit
        self._plan_patience(visit, self._hall.day.plan.queues[caller.queue].max_wait_s)
        return visit

    def _arrive_by_phone(self, visit: Visit[OfferT]) -> None:
        self._enter(visit)
        self._on_entered(self._hall.now, visit.caller)

    def arrive(self, visit: Visit[OfferT]) -> None:
        """Somebody who is called back has picked up, or is waited for by a leg in their stead."""
        self._hall.visits[visit.caller.call_id] = visit
        if visit.awaited is None:
            self._plan_patience(visit, CALLED_BACK_MAX_S)
        else:
            self._hall.clock.after(CALLED_BACK_MAX_S, partial(self._wait_no_more, visit))
        self._enter(visit)

    def _enter(self, visit: Visit[OfferT]) -> None:
        max_wait_s = self._hall.day.plan.queues[visit.caller.queue].max_wait_s
        self._heed(visit, self._hall.floor.enter(self._hall.now, visit.caller, max_wait_s))

    # -- waiting --

    def _plan_patience(self, visit: Visit[OfferT], max_wait_s: float) -> None:
        patience_s, clock = visit.part.patience_s, self._hall.clock
        if patience_s is not None:
            clock.after(patience_s.draw(self._hall.arrivals), partial(self._give_up, visit))
        clock.after(max_wait_s, partial(self._wait_no_more, visit))

    def _give_up(self, visit: Visit[OfferT]) -> None:
        if self._hall.is_here(visit):
            self.leave(visit, LeftBecause.ABANDONED)

    def _wait_no_more(self, visit: Visit[OfferT]) -> None:
        """Whoever is being offered to an agent gets that chance still; who is in a menu comes back to hear it."""
        visit.is_overdue = True
        if self._hall.is_here(visit) and not visit.rung and not visit.is_away:
            self.leave(visit, LeftBecause.MAX_WAIT)

    def leave(self, visit: Visit[OfferT], because: LeftBecause) -> None:
        """They are gone."""
        self._forget(visit)
        self._hall.floor.leave(self._hall.now, visit.caller.call_id, because)
        self._hall.go_on()

    def _forget(self, visit: Visit[OfferT]) -> None:
        del self._hall.visits[visit.caller.call_id]
        visit.rung.clear()

    # -- the queue's rules --

    def _plan_review(self, visit: Visit[OfferT], *, is_new: bool) -> None:
        """Look at the caller's standing again when time alone may change it; each second where others may, or the
        hour. is_new: they have just come to this queue from another one, whose steps may hold already.
        """
        queue = self._hall.day.plan.queues[visit.queue]
        waited_s = self._hall.clock.now_s - visit.came_s
        by_time_s = max(waited_s, next_wait_s(queue.overflow, 0.0 if is_new else waited_s))
        after_s = min(by_time_s, waited_s + LOOK_S if is_watched(queue, waited_s) else math.inf)
        if after_s < math.inf:
            self._hall.clock.at(visit.came_s + after_s + LATE_S, partial(self._review, visit))

    def _review(self, visit: Visit[OfferT]) -> None:
        if self._hall.is_here(visit) and not visit.is_away:
            self._heed(visit, self._hall.floor.review(self._hall.now, visit.caller.call_id))

    def _heed(self, visit: Visit[OfferT], queue: str | None) -> None:
        """Where the rules of queues have put the caller: "" for out, None for where they are."""
        if queue == "":
            del self._hall.visits[visit.caller.call_id]
        else:
            visit.queue = queue or visit.queue
            self._plan_review(visit, is_new=bool(queue))
        self._hall.go_on()

    # -- what else may happen --

    def _plan_moods(self, visit: Visit[OfferT]) -> None:
        """Draw for each caller as they come what they will do: it does not depend on what others do meanwhile."""
        part, moods, after = visit.part, self._hall.moods, self._hall.clock.after
        if part.callback is not None or part.cut_off is not None:
            self.known[visit.caller.number] = visit.caller, part
        if part.steps_out is not None and moods.random() < part.steps_out.share:
            after(part.steps_out.after_s.draw(moods), partial(self._step_out, visit, part.steps_out))
        if part.callback is not None and moods.random() < part.callback.share:
            after(part.callback.after_s.draw(moods), partial(self._ask, visit, part.callback))
        if part.cut_off is not None and moods.random() < part.cut_off.waiting:
            after(part.cut_off.after_s.draw(moods), partial(self._drop, visit, part.cut_off))

    def _listens(self, visit: Visit[OfferT]) -> bool:
        """Whether they hear what the queue says. For whom a phone rings nobody hears keys."""
        return self._hall.is_here(visit) and not visit.is_away and not visit.rung

    def _step_out(self, visit: Visit[OfferT], how: StepsOut) -> None:
        if self._listens(visit):
            self._go_away(visit, how.held_for_s)
            self._hall.clock.after(how.for_s.draw(self._hall.moods), partial(self._come_back, visit))

    def _go_away(self, visit: Visit[OfferT], held_s: float) -> None:
        visit.is_away = True
        visit.rung.clear()
        self._hall.floor.step_out(self._hall.now, visit.caller.call_id, held_s)
        self._hall.go_on()

    def _come_back(self, visit: Visit[OfferT]) -> None:
        if not self._hall.is_here(visit):
            return
        visit.is_away = False
        self._enter(visit)
        if visit.is_overdue and self._hall.is_here(visit) and not visit.rung:
            self.leave(visit, LeftBecause.MAX_WAIT)

    def _ask(self, visit: Visit[OfferT], wants: WantsCallback) -> None:
        """They are asked, and accept. Who has gone on to another queue is not asked there."""
        if self._listens(visit) and visit.queue == visit.caller.queue:
            confirms_after_s = wants.confirms_after_s.draw(self._hall.moods)
            self._go_away(visit, confirms_after_s + LOOK_S)
            self._hall.clock.after(confirms_after_s, partial(self._confirm, visit, wants))

    def _confirm(self, visit: Visit[OfferT], wants: WantsCallback) -> None:
        if not self._hall.is_here(visit):
            return
        if not self._hall.floor.book(self._hall.now, visit.caller.call_id):
            self._come_back(visit)
            return
        self._forget(visit)
        if self._hall.moods.random() < wants.calls_again:
            self._expect_again(visit, wants.calls_again_after_s, wants.calls_again_to)
        self._hall.go_on()

    def _drop(self, visit: Visit[OfferT], how: GetsCutOff) -> None:
        """The line breaks down while they wait."""
        hall = self._hall
        if not hall.is_here(visit):
            return
        self._forget(visit)
        hall.floor.leave(hall.now, visit.caller.call_id, LeftBecause.ABANDONED)
        hall.tell_why(visit.caller.call_id, how.cause)
        if hall.moods.random() < how.calls_again:
            self._expect_again(visit, how.calls_again_after_s)
        hall.go_on()

    def _expect_again(self, visit: Visit[OfferT], after_s: Length, queue: str | None = None) -> None:
        after = after_s.draw(self._hall.moods)
        caller = replace(visit.caller, queue=queue or visit.caller.queue)
        self._hall.clock.after(after, partial(self._call_again, caller, visit.part))
