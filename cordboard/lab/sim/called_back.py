"""Customers of a simulated day who are called back: looked for once a second, dialled, and what they do then."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Generic

from cordboard.lab.sim.callers import Callers, chance_of
from cordboard.lab.sim.hall import LOOK_S, DialledCustomer, Hall, OfferT, Visit


class CalledBack(Generic[OfferT]):
    """The dialler of a day."""

    def __init__(self, hall: Hall[OfferT], callers: Callers[OfferT]) -> None:
        self._hall = hall
        self._callers = callers
        queues = hall.day.plan.queues.values()
        self._is_needed = any(queue.callback or (queue.cut_off and queue.cut_off.ring_back) for queue in queues)
        self._is_planned = False

    def look_soon(self) -> None:
        """Look in a second, if anybody is owed a call."""
        if self._is_needed and not self._is_planned and self._hall.floor.owes_calls:
            self._is_planned = True
            self._hall.clock.after(LOOK_S, self._look)

    def _look(self) -> None:
        self._is_planned = False
        for customer in self._hall.floor.claim(self._hall.now):
            self._dial(customer)
        self._hall.go_on()

    def _dial(self, customer: DialledCustomer) -> None:
        hall, (caller, part) = self._hall, self._callers.known[customer.number]
        visit = Visit[OfferT](
            replace(caller, call_id=customer.call_id, queue=customer.queue), part, hall.clock.now_s, customer.queue
        )
        if customer.policy.dial == "agent_first":
            visit.awaited = customer.policy
            self._callers.arrive(visit)
            return
        answers_after_s = chance_of(visit).answers_after_s(hall.deeds, customer.policy.ring_s)
        if answers_after_s is None:
            hall.clock.after(customer.policy.ring_s, partial(self._ring_out, customer))
        else:
            hall.clock.after(answers_after_s, partial(self._pick_up, visit))

    def _pick_up(self, visit: Visit[OfferT]) -> None:
        """Nothing comes of it if they have called themselves meanwhile."""
        if self._hall.floor.is_wanted(self._hall.now, visit.caller.call_id):
            visit.came_s = self._hall.clock.now_s
            self._callers.arrive(visit)

    def _ring_out(self, customer: DialledCustomer) -> None:
        self._hall.floor.attempt_ended(self._hall.now, customer.call_id, "no_answer")
        self._hall.go_on()
