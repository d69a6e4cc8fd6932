"""What agents do on a simulated day: come and go, pick up, let it ring, talk, note the result."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Generic

from cordboard.acd.model import LeftBecause, OfferEnd, Presence
from cordboard.lab.sim.callers import Callers, chance_of
from cordboard.lab.sim.hall import Hall, OfferT, Visit
from cordboard.lab.sim.scenario import Stretch
from cordboard.lab.sim.written_callers import GetsCutOff
from cordboard.lab.sim.written_day import SimAgents

_DEED_ENDS = {
    "declines": OfferEnd.DECLINED,
    "rejects": OfferEnd.REJECTED,
    "busy": OfferEnd.BUSY,
    "unavailable": OfferEnd.UNAVAILABLE,
}


class AtDesks(Generic[OfferT]):
    """The agents of a day. callers: who is sent away when an agent was their last chance."""

    def __init__(self, hall: Hall[OfferT], callers: Callers[OfferT]) -> None:
        self._hall = hall
        self._callers = callers
        self._offers_made: dict[str, int] = {}

    def expect(self) -> None:
        """Plan when they are what."""
        for name, roster in self._hall.day.rosters.items():
            for stretch in roster:
                self._hall.clock.at(stretch.at_s, partial(self._become, name, stretch))

    def _become(self, agent: str, stretch: Stretch) -> None:
        self._hall.floor.set_presence(self._hall.now, agent, Presence(stretch.presence), stretch.reason)
        self._hall.go_on()

    def ring(self, offer: OfferT) -> None:
        """A phone rings."""
        hall = self._hall
        part = hall.day.groups[offer.agent]
        visit = hall.visits[offer.call_id]
        visit.rung[offer.offer_id] = offer
        deed = self._deed(offer.agent, part)
        if deed in ("answers", "declines"):
            hall.clock.after(part.answers_after_s.draw(hall.deeds), partial(self._pick_up, visit, offer, deed))
        elif deed == "rejects":
            hall.clock.after(part.answers_after_s.draw(hall.deeds), self._failing(visit, offer, deed))
        else:
            rings_s = hall.day.plan.queues[offer.queue].ring_s if deed == "ignores" else 0.0
            hall.clock.after(rings_s, self._failing(visit, offer, deed))

    def _deed(self, agent: str, part: SimAgents) -> str:
        number = self._offers_made.get(agent, 0)
        self._offers_made[agent] = number + 1
        if part.misses and self._hall.deeds.random() < part.misses:
            return "ignores"
        return part.does[min(number, len(part.does) - 1)]

    def _pick_up(self, visit: Visit[OfferT], offer: OfferT, deed: str) -> None:
        if offer.offer_id not in visit.rung:
            return
        hall = self._hall
        hall.floor.answered(hall.now, offer)
        part, accept = hall.day.groups[offer.agent], hall.day.plan.queues[offer.queue].accept
        if deed == "declines":
            hall.clock.after(part.accepts_after_s.draw(hall.deeds), self._failing(visit, offer, deed))
        elif accept.key:
            hall.clock.after(part.accepts_after_s.draw(hall.deeds), partial(self._accept, visit, offer))
        else:
            self._accept(visit, offer)

    def _accept(self, visit: Visit[OfferT], offer: OfferT) -> None:
        """They take the call. Where the agent is rung first, the customer's phone rings now."""
        hall = self._hall
        if offer.offer_id not in visit.rung:
            return
        if visit.awaited is None:
            self._join(visit, offer)
            return
        answers_after_s = chance_of(visit).answers_after_s(hall.deeds, visit.awaited.ring_s)
        if answers_after_s is None:
            hall.clock.after(visit.awaited.ring_s, partial(self._not_reached, visit, offer))
        else:
            hall.clock.after(answers_after_s, partial(self._join, visit, offer))

    def _not_reached(self, visit: Visit[OfferT], offer: OfferT) -> None:
        hall = self._hall
        if offer.offer_id in visit.rung:
            del hall.visits[visit.caller.call_id]
            hall.floor.not_reached(hall.now, offer, "no_answer")
            hall.go_on()

    def _join(self, visit: Visit[OfferT], offer: OfferT) -> None:
        hall = self._hall
        if offer.offer_id not in visit.rung:
            return
        del hall.visits[offer.call_id]
        visit.rung.clear()
        hall.floor.joined(hall.now, offer)
        talks_s = hall.day.groups[offer.agent].talks_s.draw(hall.deeds)
        drops = visit.part.cut_off
        if drops is not None and hall.deeds.random() < drops.talking:
            hall.clock.after(talks_s * hall.deeds.random(), partial(self._drop, offer, drops))
        else:
            hall.clock.after(talks_s, partial(self._hang_up, offer))
        hall.go_on()

    def _drop(self, offer: OfferT, drops: GetsCutOff) -> None:
        """The caller's line breaks down in the middle of a talk."""
        hall = self._hall
        hall.floor.gone(hall.now, offer)
        hall.tell_why(offer.call_id, drops.cause)
        self._note_result(offer)
        hall.go_on()

    def _hang_up(self, offer: OfferT) -> None:
        self._hall.floor.gone(self._hall.now, offer)
        self._note_result(offer)
        self._hall.go_on()

    def _note_result(self, offer: OfferT) -> None:
        part, hall = self._hall.day.groups[offer.agent], self._hall
        if part.disposition is not None:
            disposes_after_s = part.disposes_after_s.draw(hall.deeds)
            hall.clock.after(disposes_after_s, partial(self._dispose, offer, part.disposition))

    def _dispose(self, offer: OfferT, disposition: str) -> None:
        self._hall.floor.dispose(self._hall.now, offer, disposition)
        self._hall.go_on()

    def _failing(self, visit: Visit[OfferT], offer: OfferT, deed: str) -> Callable[[], None]:
        return partial(self._fail, visit, offer, _DEED_ENDS.get(deed, OfferEnd.NO_ANSWER))

    def _fail(self, visit: Visit[OfferT], offer: OfferT, end: OfferEnd) -> None:
        if visit.rung.pop(offer.offer_id, None) is None:
            return
        self._hall.floor.failed(self._hall.now, offer, end)
        if visit.is_overdue and not visit.rung:
            self._callers.leave(visit, LeftBecause.MAX_WAIT)
        self._hall.go_on()
