"""Everybody who waits in a queue on this worker: who is here, since when, and who has left while elsewhere.

The conversation calls it for the verb `Enqueue`: the caller comes in (`entering`) and waits (`staying`), until an
agent's phone is rung or the wait is over. Ringing, whisper and talk depend on no worker: the call is handed over
with the offer and comes back to any worker when it has ended, and then, if nobody talked to the caller, enters
again, in the same place. So a worker that dies loses nobody's place: that is the same path.

What is brought to those who wait: offers by `offer_delivery`, what their queues' rules decide by `reviews`.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from cordboard.acd.model import LeftBecause
from cordboard.service import ringing
from cordboard.service.entering import enter
from cordboard.service.floor import Floor
from cordboard.service.offer_delivery import OfferDelivery
from cordboard.service.reviews import Reviews
from cordboard.service.staying import Stay
from cordboard.service.visits import Visit
from cordboard.store.acd_values import CallerNote, Entered
from cordboard.store.moments import now
from cordboard.telephony.outcomes import AgentRung, HandedOver, LeftByKey, NotServed, Outcome
from cordboard.telephony.ports import Arrival, HoldKeys, Phone
from cordboard.telephony.verbs import Enqueue

log = structlog.get_logger()


class WaitingRoom:
    """Everybody who waits on this worker. keys: where the keys of those on hold are heard; None where none are."""

    def __init__(self, floor: Floor) -> None:
        self.keys: HoldKeys | None = None
        self._floor = floor
        self._visits: dict[str, Visit] = {}
        self._is_draining = False
        # Calls of this worker; of others a list of legs tells that they are over.
        self._stepped_out: set[str] = set()
        self._reviews = Reviews(floor, self._visits)
        self._offers = OfferDelivery(floor, self._visits, self._reviews)
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
        to hear that the wait is over. A queue that was taken out of the files is closed to who waits in it and to
        who comes. Raises SwitchUnavailable.
        """
        queue = self._floor.plan.queues.get(verb.queue)
        if queue is None:  # it was there when the flow was loaded, and is gone since
            log.warning("queue_taken_away", call_id=phone.arrival.call.call_id, queue=verb.queue)
            self._floor.leave(phone.arrival.call.call_id, LeftBecause.CLOSED)
            return NotServed("closed")
        visit = Visit(phone, verb, checkpoint, queue, queue, caller, now(), self._is_draining, seq, came_as)
        self._register(visit)  # before entering: an offer may come the moment the store knows of it
        try:
            return await self._keep(visit)
        finally:
            self._deregister(visit)

    def rung(self, arrival: Arrival, rung: AgentRung) -> None:
        """A call has come back with what came of ringing an agent for it."""
        ringing.note_result(self._floor, arrival, rung)

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

    # -- inside --

    async def _keep(self, visit: Visit) -> Outcome | HandedOver:
        entered = await enter(self._floor, visit)
        if not isinstance(entered, Entered):
            return entered
        visit.settle_in(entered, self._floor.plan.queue(entered.queue))
        if entered.fence == 1:
            log.info("entered_queue", call_id=visit.call_id, queue=visit.queue.name)
        ended = await Stay(visit, self._floor, self._reviews, self._offers.look_soon).live_through()
        if isinstance(ended, LeftByKey) and ended.keeps_place:
            self._stepped_out.add(visit.call_id)
        return ended

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

    def _leave_old_queues(self) -> None:
        """Those who wait in a queue that is gone have to know."""
        for visit in self._visits.values():
            visit.news.set()
