"""What a caller lives through in a queue, on the worker that holds the call.

    enter -> hold -> (announcement -> hold)* -> an agent's phone is rung -> handed over to the switch
                  \\-> max wait is over, or the caller leaves

The conversation calls it for the verb `Enqueue`. Ringing, whisper and talk depend on no worker: the call is handed
over with the offer and comes back to any worker when it has ended, and then, if nobody talked to the caller, enters
again, in the same place. So a worker that dies loses nobody's place: that is the same path.

An announcement delays no agent: when an offer comes while one plays, the call is let go of in the middle of it and
re-enters at once, on whatever worker, which finds the offer waiting for it.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from cordboard.acd.model import LeftBecause, Moment, Queue
from cordboard.acd.prompts import PLACES_MAX, place_prompt, position_prompt, whisper_prompt
from cordboard.errors import StoreUnavailable, SwitchError
from cordboard.service.floor import Floor
from cordboard.store.acd_values import CallerNote, Entered, Entering, OfferToRing
from cordboard.store.moments import now
from cordboard.telephony.outcomes import AgentRung, Failed, HandedOver, HungUp, NotServed, Outcome
from cordboard.telephony.ports import Arrival, Phone
from cordboard.telephony.verbs import Enqueue, Hold, Play, RingAgent

SLICE_S = 30.0  # the longest stay between two looks at the clock
RETRY_S = 1.0  # between two tries to enter while there is no database
WITHOUT_STORE_S = 60.0  # callers of an outage wait this long for the database, then they are better off elsewhere

log = structlog.get_logger()


@dataclass(eq=False)
class _Visit:
    """A caller who waits here now. came: when the caller came to the queue; entered: the place, once there is one;
    offer: set when there is one to ring; interrupted: let go of the call.
    """

    phone: Phone
    verb: Enqueue
    checkpoint: str
    queue: Queue
    caller: Callable[[], CallerNote]
    came: Moment
    interrupted: bool
    entered: Entered | None = None
    offer: OfferToRing | None = None
    is_announcing: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def call_id(self) -> str:
        return self.phone.arrival.call.call_id

    @property
    def max_wait_s(self) -> float:
        return self.queue.max_wait_s if self.verb.max_wait_s is None else self.verb.max_wait_s

    @property
    def waited_s(self) -> float:
        """Since the caller came to the queue, on a clock that nobody can set."""
        return now().boot - (self.came.boot if self.entered is None else self.entered.entered_boot)

    def take(self, offer: OfferToRing) -> None:
        self.offer = offer
        self.news.set()

    def interrupt(self) -> None:
        self.interrupted = True
        self.news.set()


class WaitingRoom:
    """Everybody who waits on this worker."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._visits: dict[str, _Visit] = {}
        self._is_draining = False
        self._looking: asyncio.Task[None] | None = None
        self._look_again = False
        floor.on_offers(self._look_soon)
        floor.on_plan(self._leave_old_queues)
        floor.waiting_here = lambda: self._visits.keys()

    def drain(self) -> None:
        """Hand every waiting caller over to another worker."""
        self._is_draining = True
        for visit in list(self._visits.values()):
            visit.interrupt()

    async def wait(
        self, phone: Phone, verb: Enqueue, checkpoint: str, caller: Callable[[], CallerNote]
    ) -> Outcome | HandedOver:
        """Keep a caller until an agent's phone is rung, the longest wait is over, or the caller leaves.

        caller: who it is and how they came here, as known when asked. Raises SwitchUnavailable.
        """
        queue = self._floor.plan.queues.get(verb.queue)
        if queue is None:  # it was there when the flow was loaded, and is gone since
            self.lost(phone.arrival.call.call_id)
            return Failed(f"there is no queue {verb.queue} any more")
        visit = _Visit(phone, verb, checkpoint, queue, caller, now(), interrupted=self._is_draining)
        self._register(visit)  # before entering: an offer may come the moment the store knows of it
        try:
            entered = await self._enter(visit)
            if not isinstance(entered, Entered):
                return entered
            if entered.left is not None:
                return NotServed("max_wait")
            visit.entered = entered
            visit.offer = entered.offer or visit.offer
            if entered.fence == 1:
                log.info("entered_queue", call_id=visit.call_id, queue=queue.name)
            return await self._live_through(visit)
        finally:
            if self._visits.get(visit.call_id) is visit:
                del self._visits[visit.call_id]

    def _register(self, visit: _Visit) -> None:
        if (older := self._visits.get(visit.call_id)) is not None:  # its phone is of no use any more
            older.interrupt()
        self._visits[visit.call_id] = visit

    def rung(self, arrival: Arrival, rung: AgentRung) -> None:
        """A call has come back with what came of ringing an agent for it."""
        log.info("agent_leg_ended", call_id=arrival.call.call_id, offer_id=rung.offer_id, result=rung.result)
        self._floor.rung(arrival.call.call_id, rung, caller_is_here=not arrival.ended)

    def gone(self, call_id: str) -> None:
        """The caller has left while no worker had the call. Who was in no queue is in none."""
        self._floor.leave(call_id, LeftBecause.ABANDONED)

    def lost(self, call_id: str) -> None:
        """The caller is here and cannot be kept in a queue."""
        self._floor.leave(call_id, LeftBecause.LOST)

    def _leave_old_queues(self) -> None:
        """Those who wait in a queue that is gone have to know."""
        for visit in self._visits.values():
            visit.news.set()

    # -- entering --

    async def _enter(self, visit: _Visit) -> Entered | Outcome | HandedOver:
        """Enter in the store; without a database the caller hears music until it is there again, or too late."""
        give_up_at = time.monotonic() + WITHOUT_STORE_S
        is_on_hold = False
        while True:
            try:
                return await self._floor.enter(self._entering(visit), visit.caller())
            except StoreUnavailable as fault:
                if not is_on_hold:
                    log.warning("entering_delayed", call_id=visit.call_id, reason=str(fault))
            if time.monotonic() >= give_up_at:
                self._floor.came_and_went(self._entering(visit), visit.caller(), LeftBecause.MAX_WAIT)
                return NotServed("no_store")
            if not is_on_hold and (ended := await self._hold(visit)):
                return ended
            is_on_hold = True
            if gone := await visit.phone.stay(RETRY_S, visit.checkpoint):
                self._floor.came_and_went(self._entering(visit), visit.caller(), LeftBecause.ABANDONED)
                return gone
            if self._is_draining:
                return await self._hand_over(visit)

    def _entering(self, visit: _Visit) -> Entering:
        call = visit.phone.arrival.call
        return Entering(
            call_id=call.call_id,
            leg_id=call.leg_id,
            switch=call.switch,
            queue=visit.queue.name,
            language=visit.verb.language,
            priority=visit.verb.priority,
            entered_at=visit.came.wall,
            entered_boot=visit.came.boot,
            max_wait_s=visit.max_wait_s,
            owner=self._floor.name,
        )

    # -- waiting --

    async def _live_through(self, visit: _Visit) -> Outcome | HandedOver:
        if visit.offer is None and (ended := await self._hold(visit)):
            return self._gone(visit, ended)
        announce_after_s = next_announcement_s(visit.queue, visit.waited_s)
        while True:
            if visit.offer is not None:
                return await self._ring(visit, visit.offer)
            if visit.interrupted:
                return await self._hand_over(visit)
            if (over := self._wait_is_over(visit)) is not None:
                return over
            if visit.waited_s >= announce_after_s:
                announce_after_s = next_announcement_s(visit.queue, visit.waited_s)
                if ended := await self._announce(visit):
                    return ended
                continue
            due_s = min(visit.max_wait_s, announce_after_s) - visit.waited_s
            if gone := await self._stay(visit, min(max(due_s, 0.0), SLICE_S)):
                return self._gone(visit, gone)

    def _wait_is_over(self, visit: _Visit) -> Outcome | None:
        """Why the caller waits no longer, None while they do."""
        if visit.waited_s >= visit.max_wait_s:
            self._leave(visit, LeftBecause.MAX_WAIT)
            return NotServed("max_wait")
        if visit.queue.name not in self._floor.plan.queues:
            self._leave(visit, LeftBecause.LOST)
            return Failed(f"there is no queue {visit.queue.name} any more")
        return None

    async def _stay(self, visit: _Visit, longest_s: float) -> HungUp | None:
        """Music, until there is news, the caller leaves, or the time is over."""
        staying = asyncio.create_task(visit.phone.stay(longest_s, visit.checkpoint))
        news = asyncio.create_task(visit.news.wait())
        try:
            await asyncio.wait({staying, news}, return_when=asyncio.FIRST_COMPLETED)
            visit.news.clear()
            return staying.result() if staying.done() else None
        finally:
            await _cancel(staying, news)

    async def _hold(self, visit: _Visit) -> Outcome | HandedOver | None:
        """Begin the music. None: it plays."""
        outcome = await visit.phone.perform(Hold(visit.queue.music), visit.checkpoint)
        return outcome if isinstance(outcome, HungUp | Failed | HandedOver) else None

    def _gone(self, visit: _Visit, ended: Outcome | HandedOver) -> Outcome | HandedOver:
        """The caller has left, or the switch could not keep them here."""
        self._leave(visit, LeftBecause.ABANDONED)
        return ended

    def _leave(self, visit: _Visit, because: LeftBecause) -> None:
        wait_s = round(visit.waited_s, 3)
        log.info("left_queue", call_id=visit.call_id, queue=visit.queue.name, because=because.value, wait_s=wait_s)
        self._floor.leave(visit.call_id, because, visit.entered)

    async def _hand_over(self, visit: _Visit) -> HandedOver:
        await visit.phone.hand_over(visit.checkpoint)
        return HandedOver()

    # -- announcements --

    async def _announce(self, visit: _Visit) -> Outcome | HandedOver | None:
        """Tell the caller their place. None: they know it, and the music plays again."""
        with suppress(StoreUnavailable):
            position = await self._floor.position(visit.call_id)
            if position is None or position > PLACES_MAX or visit.offer is not None or visit.interrupted:
                return None
            return await self._say(visit, position)
        return None

    async def _say(self, visit: _Visit, position: int) -> Outcome | HandedOver | None:
        visit.is_announcing = True
        saying = asyncio.create_task(self._speak(visit, position))
        news = asyncio.create_task(visit.news.wait())
        try:
            await asyncio.wait({saying, news}, return_when=asyncio.FIRST_COMPLETED)
            if not saying.done():  # an offer, or this worker drains: the call comes back in a moment
                visit.phone.let_go()
                return HandedOver()
            ended = saying.result()
            return self._gone(visit, ended) if isinstance(ended, HungUp) else None
        finally:
            visit.is_announcing = False
            await _cancel(saying, news)
            if visit.offer is None and not visit.interrupted:
                self._look_soon()

    async def _speak(self, visit: _Visit, position: int) -> Outcome | HandedOver | None:
        language = visit.verb.language
        prompt = position_prompt(visit.queue, language)
        if prompt is None:
            return None
        outcome = await visit.phone.perform(Play((prompt, place_prompt(position, language))), visit.checkpoint)
        if isinstance(outcome, HungUp):
            return outcome
        if isinstance(outcome, Failed):
            log.warning("announcement_failed", call_id=visit.call_id, reason=outcome.reason)
        return await self._hold(visit)

    # -- offers --

    async def _ring(self, visit: _Visit, offer: OfferToRing) -> Outcome | HandedOver:
        queue = visit.queue
        log.info("agent_rung", call_id=visit.call_id, queue=queue.name, agent=offer.agent, offer_id=offer.offer_id)
        verb = RingAgent(
            offer_id=offer.offer_id,
            device=offer.device,
            ring_s=queue.ring_s,
            music=queue.music,
            whisper=whisper_prompt(queue),
            accept_key=queue.accept.key,
            accept_s=queue.accept.within_s,
        )
        outcome = await visit.phone.perform(verb, visit.checkpoint)
        if isinstance(outcome, HungUp):
            return self._gone(visit, outcome)
        return outcome

    def _look_soon(self) -> None:
        """Ask the store for offers of those who wait here. While one answer is under way, once more after it."""
        if not self._visits:
            return
        if self._looking is not None and not self._looking.done():
            self._look_again = True
            return
        self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        self._look_again = True
        while self._look_again:
            self._look_again = False
            quiet = [
                visit.call_id for visit in self._visits.values() if not visit.is_announcing and not visit.offer
            ]
            with suppress(StoreUnavailable, SwitchError):
                pending = await self._floor.take_offers(quiet)
                for offer in pending.taken:
                    self._deliver(offer)
                for call_id in pending.waiting:
                    if (visit := self._visits.get(call_id)) is not None and visit.is_announcing:
                        visit.interrupt()

    def _deliver(self, offer: OfferToRing) -> None:
        """A caller who has left meanwhile has ended the offer by that."""
        visit = self._visits.get(offer.call_id)
        if visit is not None and visit.offer is None:
            visit.take(offer)


def next_announcement_s(queue: Queue, waited_s: float) -> float:
    """After how much waiting the next announcement is due; a failed offer does not bring it forward."""
    announce = queue.announce
    if announce.every_s <= 0:
        return math.inf
    if waited_s < announce.first_after_s:
        return announce.first_after_s
    said = math.floor((waited_s - announce.first_after_s) / announce.every_s) + 1
    return announce.first_after_s + said * announce.every_s


async def _cancel(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
