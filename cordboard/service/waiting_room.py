"""What a caller lives through in a queue, on the worker that holds the call.

    enter -> hold -> (announcement -> hold)* -> an agent's phone is rung -> handed over to the switch
      |        |
      |        +-> max wait is over, sent out by the queue's rules, a key pressed, or the caller leaves
      +-> not let in

The conversation calls it for the verb `Enqueue`. Ringing, whisper and talk depend on no worker: the call is handed
over with the offer and comes back to any worker when it has ended, and then, if nobody talked to the caller, enters
again, in the same place. So a worker that dies loses nobody's place: that is the same path. What the caller is told
while waiting is in `announcing`, the caller in `visits`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from contextlib import suppress

import structlog

from cordboard.acd.identity import mark_of
from cordboard.acd.model import LeftBecause, Queue
from cordboard.acd.prompts import whisper_prompt
from cordboard.errors import StoreUnavailable, SwitchError
from cordboard.service import announcing
from cordboard.service.announcing import Ended
from cordboard.service.floor import Floor
from cordboard.service.visits import Visit
from cordboard.store.acd_values import CallerNote, Entered, Entering, OfferToRing, Verdict
from cordboard.store.moments import now
from cordboard.telephony.outcomes import (
    AgentRung,
    Failed,
    HandedOver,
    HungUp,
    LeftByKey,
    NotServed,
    Outcome,
)
from cordboard.telephony.ports import Arrival, HoldKeys, Phone
from cordboard.telephony.verbs import AgentPhone, Enqueue, RingAgent

SLICE_S = 30.0  # the longest stay between two looks at the clock
REVIEW_S = 1.0  # between two looks at rules that depend on others
RETRY_S = 1.0  # between two tries to enter while there is no database
WITHOUT_STORE_S = 60.0  # callers of an outage wait this long for the database, then they are better off elsewhere

log = structlog.get_logger()


# What the flow is told when the queue's rules have ended a wait.
_SENT_OUT: dict[LeftBecause, NotServed] = {
    LeftBecause.MAX_WAIT: NotServed("max_wait"),
    LeftBecause.EMPTY: NotServed("empty"),
    LeftBecause.CLOSED: NotServed("closed"),
    LeftBecause.OVERFLOW: NotServed("overflow"),
}


class WaitingRoom:
    """Everybody who waits on this worker. keys: where the keys of those on hold are heard; None where none are."""

    def __init__(self, floor: Floor) -> None:
        self.keys: HoldKeys | None = None
        self._floor = floor
        self._visits: dict[str, Visit] = {}
        self._is_draining = False
        self._looking: asyncio.Task[None] | None = None
        self._look_again = False
        self._reviewed_at = 0.0
        self._under_review: frozenset[str] = frozenset()
        self._stepped_out: set[str] = (
            set()
        )  # calls of this worker; of others a list of legs tells that they are over
        floor.on_offers(self._look_soon)
        floor.on_plan(self._leave_old_queues)
        floor.waiting_here = lambda: self._visits.keys()

    def drain(self) -> None:
        """Hand every waiting caller over to another worker."""
        self._is_draining = True
        for visit in list(self._visits.values()):
            visit.interrupt()

    async def wait(
        self,
        phone: Phone,
        verb: Enqueue,
        checkpoint: str,
        caller: Callable[[], CallerNote],
        *,
        seq: int = 0,
        came_as: int = 0,
    ) -> Outcome | HandedOver:
        """Keep a caller until an agent's phone is rung, the longest wait is over, or the caller leaves.

        caller: who it is and how they came here, as known when asked. seq: the number of this step in the
        checkpoint; came_as: that with which the call has come from another worker, which may have died when it was
        to hear that the wait is over. Raises SwitchUnavailable.
        """
        queue = self._floor.plan.queues.get(verb.queue)
        if queue is None:  # it was there when the flow was loaded, and is gone since
            self.lost(phone.arrival.call.call_id)
            return Failed(f"there is no queue {verb.queue} any more")
        visit = Visit(phone, verb, checkpoint, queue, queue, caller, now(), self._is_draining, seq, came_as)
        self._register(visit)  # before entering: an offer may come the moment the store knows of it
        try:
            entered = await self._enter(visit)
            if not isinstance(entered, Entered):
                return entered
            if (refused := _refusal(entered)) is not None:
                reason = refused.reason if isinstance(refused, NotServed) else LeftBecause.EXIT_KEY.value
                log.info("not_let_in", call_id=visit.call_id, queue=queue.name, reason=reason)
                return refused
            visit.settle_in(entered, self._queue(entered.queue))
            if entered.fence == 1:
                log.info("entered_queue", call_id=visit.call_id, queue=visit.queue.name)
            return await self._live_through(visit)
        finally:
            self._deregister(visit)

    def _register(self, visit: Visit) -> None:
        if (older := self._visits.get(visit.call_id)) is not None:  # its phone is of no use any more
            older.interrupt()
        self._visits[visit.call_id] = visit
        self._stepped_out.discard(visit.call_id)
        if self.keys is not None and visit.keys:
            self.keys.hear_keys(visit.phone.arrival.call.leg_id, visit.press)

    def _deregister(self, visit: Visit) -> None:
        if self._visits.get(visit.call_id) is visit:
            del self._visits[visit.call_id]
            if self.keys is not None and visit.keys:
                self.keys.forget_keys(visit.phone.arrival.call.leg_id)

    def rung(self, arrival: Arrival, rung: AgentRung) -> None:
        """A call has come back with what came of ringing an agent for it."""
        log.info("agent_leg_ended", call_id=arrival.call.call_id, offer_id=rung.offer_id, result=rung.result)
        self._floor.rung(arrival.call.call_id, rung, caller_is_here=not arrival.ended)

    def gone(self, call_id: str) -> None:
        """The caller has left while no worker had the call. Who was in no queue is in none."""
        self._floor.leave(call_id, LeftBecause.ABANDONED)

    def ended(self, call_id: str, *, has_left: bool) -> None:
        """A call is over. If its caller had stepped out of a queue here, nobody comes back to that place."""
        if call_id in self._stepped_out:
            self._stepped_out.discard(call_id)
            self._floor.leave(call_id, LeftBecause.ABANDONED if has_left else LeftBecause.EXIT_KEY)

    def lost(self, call_id: str) -> None:
        """The caller is here and cannot be kept in a queue."""
        self._floor.leave(call_id, LeftBecause.LOST)

    def _queue(self, name: str) -> Queue:
        """A queue by its name; one that is gone has nothing to say but that."""
        return self._floor.plan.queues.get(name) or Queue(name)

    def _leave_old_queues(self) -> None:
        """Those who wait in a queue that is gone have to know."""
        for visit in self._visits.values():
            visit.news.set()

    # -- entering --

    async def _enter(self, visit: Visit) -> Entered | Outcome | HandedOver:
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
            if not is_on_hold and (ended := await announcing.hold(visit)):
                return ended
            is_on_hold = True
            if gone := await visit.phone.stay(RETRY_S, visit.checkpoint):
                self._floor.came_and_went(self._entering(visit), visit.caller(), LeftBecause.ABANDONED)
                return gone
            if self._is_draining:
                return await self._hand_over(visit)

    def _entering(self, visit: Visit) -> Entering:
        call = visit.phone.arrival.call
        return Entering(
            call_id=call.call_id,
            leg_id=call.leg_id,
            switch=call.switch,
            queue=visit.asked.name,
            language=visit.verb.language,
            priority=visit.verb.priority,
            entered_at=visit.came.wall,
            entered_boot=visit.came.boot,
            max_wait_s=visit.max_wait_s,
            owner=self._floor.name,
            needs=visit.verb.needs,
            identity=mark_of(visit.verb.identity),
            visit=visit.seq,
            came_as=visit.came_as,
        )

    # -- waiting --

    async def _live_through(self, visit: Visit) -> Outcome | HandedOver:
        if visit.offer is None and (ended := await announcing.hold(visit)):
            return self._gone(visit, ended)
        while True:
            if (ended := await self._what_has_come(visit)) is not None:
                return ended
            if visit.next_due_s() <= 0.0:
                if (ended := await self._do_what_is_due(visit)) is not None:
                    return ended
            elif gone := await self._stay(visit, min(visit.next_due_s(), SLICE_S)):
                return self._gone(visit, gone)

    async def _what_has_come(self, visit: Visit) -> Ended:
        """What ends the wait now, None if nothing does. What the caller wants goes first."""
        if visit.left is not None:
            return self._sent_out(visit, visit.left)
        if visit.key:
            return self._leave_by_key(visit, visit.key)
        if visit.offer is not None:
            return await self._ring(visit, visit.offer)
        if visit.interrupted:
            return await self._hand_over(visit)
        if visit.patience_s <= 0.0:
            self._leave(visit, LeftBecause.MAX_WAIT)
            return NotServed("max_wait")
        if visit.queue.name not in self._floor.plan.queues:
            self._leave(visit, LeftBecause.LOST)
            return Failed(f"there is no queue {visit.queue.name} any more")
        return None

    async def _do_what_is_due(self, visit: Visit) -> Ended:
        """A step of the overflow, or something to tell. None if the wait goes on."""
        music = visit.queue.music
        if visit.is_step_due:
            visit.reviewed_s = visit.waited_s
            await self._review((visit.call_id,))
        elif (ended := await announcing.announce(self._floor, visit)) is not None:
            return self._gone(visit, ended) if isinstance(ended, HungUp | Failed) else ended
        else:
            self._look_soon()  # offers have been left alone meanwhile
        if visit.queue.music != music and (ended := await announcing.hold(visit)):
            return self._gone(visit, ended)
        return None

    def _leave_by_key(self, visit: Visit, key: str) -> LeftByKey:
        """Out of the queue, or out of it for a while."""
        keeps_place = key in visit.verb.step_out_keys
        if keeps_place:
            log.info("stepped_out", call_id=visit.call_id, queue=visit.queue.name)
            self._stepped_out.add(visit.call_id)
            self._floor.step_out(visit.call_id, visit.verb.held_for_s, key, self._this_stay(visit))
        else:
            self._leave(visit, LeftBecause.EXIT_KEY, key)
        return LeftByKey(key, keeps_place)

    def _sent_out(self, visit: Visit, because: LeftBecause) -> NotServed:
        """The store has decided it, and has noted it already."""
        _log_left(visit, because)
        return _SENT_OUT[because]

    async def _stay(self, visit: Visit, longest_s: float) -> HungUp | None:
        """Music, until there is news, the caller leaves, or the time is over."""
        staying = asyncio.create_task(visit.phone.stay(longest_s, visit.checkpoint))
        news = asyncio.create_task(visit.news.wait())
        try:
            await asyncio.wait({staying, news}, return_when=asyncio.FIRST_COMPLETED)
            visit.news.clear()
            return staying.result() if staying.done() else None
        finally:
            await _cancel(staying, news)

    def _gone(self, visit: Visit, ended: Outcome | HandedOver) -> Outcome | HandedOver:
        """The caller has left, or the switch could not keep them here."""
        self._leave(visit, LeftBecause.ABANDONED)
        return ended

    def _leave(self, visit: Visit, because: LeftBecause, key: str = "") -> None:
        _log_left(visit, because)
        self._floor.leave(visit.call_id, because, self._this_stay(visit), key=key)

    def _this_stay(self, visit: Visit) -> Entered | None:
        """The stay that is over. None, for wherever the call waits, if the rules may just be moving it."""
        return None if visit.call_id in self._under_review else visit.entered

    async def _hand_over(self, visit: Visit) -> HandedOver:
        await visit.phone.hand_over(visit.checkpoint)
        return HandedOver()

    # -- the queue's rules --

    async def _review_watched(self) -> None:
        """Look at the rules that depend on others, for all whom nothing else is done with."""
        if time.monotonic() - self._reviewed_at < REVIEW_S:
            return
        self._reviewed_at = time.monotonic()
        quiet = (visit for visit in self._visits.values() if not visit.is_announcing and not visit.offer)
        watched = frozenset(visit.call_id for visit in quiet if visit.is_watched)
        if not watched:
            return
        self._under_review = watched
        try:
            await self._review(watched)
        finally:
            self._under_review = frozenset()

    async def _review(self, call_ids: Collection[str]) -> None:
        """Have the store apply the rules to these calls, and tell those who look after them. What it has decided
        without our hearing of it, it says again when it is asked again.
        """
        is_answered = False
        with suppress(StoreUnavailable):
            for verdict in await self._floor.review(call_ids):
                if (visit := self._visits.get(verdict.call_id)) is not None:
                    self._hear_verdict(visit, verdict)
            is_answered = True
        for call_id in call_ids:
            if (visit := self._visits.get(call_id)) is not None:
                visit.is_in_doubt = not is_answered

    def _hear_verdict(self, visit: Visit, verdict: Verdict) -> None:
        if verdict.left is not None:
            visit.send_out(verdict.left)
        elif verdict.entered is not None:
            queue = verdict.entered.queue
            log.info("overflowed", call_id=visit.call_id, queue=visit.queue.name, to=queue)
            visit.move(verdict.entered, self._queue(queue))
        else:
            visit.note_position(verdict.position)

    # -- offers --

    async def _ring(self, visit: Visit, offer: OfferToRing) -> Outcome | HandedOver:
        queue = visit.queue
        verb = RingAgent(
            offer_id=offer.offer_id,
            device=offer.device,
            ring_s=queue.ring_s,
            music=queue.music,
            whisper=whisper_prompt(queue),
            accept_key=queue.accept.key,
            accept_s=queue.accept.within_s,
            also=tuple(AgentPhone(one.offer_id, one.device) for one in offer.also),
        )
        asyncio.get_running_loop().call_soon(_log_rung, visit, offer)  # first the phone, then the words
        outcome = await visit.phone.perform(verb, visit.checkpoint)
        if isinstance(outcome, HungUp):
            return self._gone(visit, outcome)
        if isinstance(outcome, AgentRung):  # of a switch where the caller stays with us while phones ring
            self.rung(visit.phone.arrival, outcome)
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
            busy = {call_id for call_id, visit in self._visits.items() if visit.is_announcing or visit.offer}
            quiet = self._visits.keys() - busy
            with suppress(StoreUnavailable, SwitchError):
                pending = await self._floor.take_offers(quiet)
                for offer in pending.taken:
                    self._deliver(offer)
                for call_id in pending.waiting:
                    if (visit := self._visits.get(call_id)) is not None and visit.is_announcing:
                        visit.interrupt()
                await self._review_watched()

    def _deliver(self, offer: OfferToRing) -> None:
        """A caller who has left meanwhile has ended the offer by that."""
        visit = self._visits.get(offer.call_id)
        if visit is not None and visit.offer is None:
            visit.take(offer)


def _refusal(entered: Entered) -> NotServed | LeftByKey | None:
    """What the flow is told of a caller who has no place; None for one who has."""
    if entered.refused is not None:
        return NotServed(entered.refused)
    if entered.left is LeftBecause.EXIT_KEY:
        return LeftByKey(entered.key)
    return None if entered.left is None else _SENT_OUT[entered.left]


def _log_rung(visit: Visit, offer: OfferToRing) -> None:
    for one in (offer, *offer.also):
        log.info(
            "agent_rung", call_id=visit.call_id, queue=visit.queue.name, agent=one.agent, offer_id=one.offer_id
        )


def _log_left(visit: Visit, because: LeftBecause) -> None:
    wait_s = round(visit.waited_s, 3)
    log.info("left_queue", call_id=visit.call_id, queue=visit.queue.name, because=because.value, wait_s=wait_s)


async def _cancel(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
