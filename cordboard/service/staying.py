"""One caller's wait in a queue, from the place in line to whatever ends it.

    music -> (announcement -> music)* -> an agent's phone is rung -> handed over to the switch
      |
      +-> max wait is over, sent out by the queue's rules, a key pressed, the caller leaves, or this worker drains

Called by the waiting room for each visit that has a place. What comes for the caller meanwhile is left in the visit
by others (`offer_delivery`, `reviews`, the keys) and taken up here, one thing after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from cordboard.acd.model import LeftBecause
from cordboard.service import announcing
from cordboard.service.announcing import Ended
from cordboard.service.floor import Floor
from cordboard.service.reviews import Reviews
from cordboard.service.ringing import ring
from cordboard.service.visits import Visit
from cordboard.service.wait_ends import SENT_OUT, log_left
from cordboard.store.acd_values import HeldPlace
from cordboard.telephony.outcomes import Failed, HandedOver, HungUp, LeftByKey, NotServed, Outcome

SLICE_S = 30.0  # the longest stay between two looks at the clock

log = structlog.get_logger()


class Stay:
    """A visit's wait. look_soon: asks for offers that were left alone while the caller was spoken to."""

    def __init__(self, visit: Visit, floor: Floor, reviews: Reviews, look_soon: Callable[[], None]) -> None:
        self._visit = visit
        self._floor = floor
        self._reviews = reviews
        self._look_soon = look_soon

    async def live_through(self) -> Outcome | HandedOver:
        """Keep the caller until the wait is over; why it is. Raises SwitchUnavailable."""
        visit = self._visit
        if visit.offer is None and (ended := await announcing.hold(visit)):
            return self._gone(ended)
        while True:
            if (ended := await self._what_has_come()) is not None:
                return ended
            if visit.next_due_s() <= 0.0:
                if (ended := await self._do_what_is_due()) is not None:
                    return ended
            elif gone := await self._listen(min(visit.next_due_s(), SLICE_S)):
                return self._gone(gone)

    async def _what_has_come(self) -> Ended:
        """What ends the wait now, None if nothing does. What the caller wants goes first."""
        visit = self._visit
        if visit.left is not None:
            return self._sent_out(visit.left)
        if visit.key:
            return self._leave_by_key(visit.key)
        if visit.offer is not None:
            outcome = await ring(self._floor, visit, visit.offer)
            return self._gone(outcome) if isinstance(outcome, HungUp) else outcome
        if visit.interrupted:
            return await visit.hand_over()
        if visit.patience_s <= 0.0:
            return self._leave(LeftBecause.MAX_WAIT)
        if visit.queue.name not in self._floor.plan.queues:
            return self._leave(LeftBecause.CLOSED)
        return None

    async def _do_what_is_due(self) -> Ended:
        """A step of the overflow, or something to tell. None if the wait goes on."""
        visit, music = self._visit, self._visit.queue.music
        if visit.is_step_due:
            visit.reviewed_s = visit.waited_s
            await self._reviews.review((visit.call_id,))
        elif (ended := await announcing.announce(self._floor, visit)) is not None:
            return self._gone(ended) if isinstance(ended, HungUp | Failed) else ended
        else:
            self._look_soon()  # offers have been left alone meanwhile
        if visit.queue.music != music and (ended := await announcing.hold(visit)):
            return self._gone(ended)
        return None

    async def _listen(self, longest_s: float) -> HungUp | None:
        """Music, until there is news, the caller leaves, or the time is over."""
        visit = self._visit
        staying = asyncio.create_task(visit.phone.stay(longest_s, visit.checkpoint))
        news = asyncio.create_task(visit.news.wait())
        try:
            await asyncio.wait({staying, news}, return_when=asyncio.FIRST_COMPLETED)
            visit.news.clear()
            return staying.result() if staying.done() else None
        finally:
            await _cancel(staying, news)

    # -- the end --

    def _sent_out(self, because: LeftBecause) -> NotServed:
        """The store has decided it, and has noted it already."""
        log_left(self._visit, because)
        return SENT_OUT[because]

    def _leave_by_key(self, key: str) -> LeftByKey:
        """Out of the queue, or out of it for a while."""
        visit, verb = self._visit, self._visit.verb
        keeps_place = key in verb.step_out_keys
        if keeps_place:
            log.info("stepped_out", call_id=visit.call_id, queue=visit.queue.name)
            self._floor.step_out(visit.call_id, verb.held_for_s, key, self._place())
        else:
            self._note_left(LeftBecause.EXIT_KEY, key)
        return LeftByKey(key, keeps_place)

    def _leave(self, because: LeftBecause) -> NotServed:
        self._note_left(because)
        return SENT_OUT[because]

    def _gone(self, ended: Outcome | HandedOver) -> Outcome | HandedOver:
        """The caller has left, or the switch could not keep them here."""
        self._note_left(LeftBecause.ABANDONED)
        return ended

    def _note_left(self, because: LeftBecause, key: str = "") -> None:
        log_left(self._visit, because)
        self._floor.leave(self._visit.call_id, because, self._place(), key=key)

    def _place(self) -> HeldPlace | None:
        """The place that is left. None, for wherever the call waits, if the rules may just be moving it."""
        entered = self._visit.entered
        return None if entered is None or self._reviews.may_be_moving(self._visit.call_id) else entered.held


async def _cancel(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
