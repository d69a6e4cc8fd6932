"""Places in the queues of a simulated floor: taken, kept while their caller is away, given back, left.

The book-keeping of the store's `acd_entering`, `acd_leaving`, `acd_away`, `older_places` and `acd_review`. Whose
place outlives their leaving is decided by `acd.place_keeping`, who is let in and sent on by what `standing` asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cordboard.acd.cut_off import UNTOLD_S, keeps_places
from cordboard.acd.matching import entry_order
from cordboard.acd.model import LeftBecause, Moment, OfferEnd, WaitingCall
from cordboard.acd.place_keeping import GIVEN_UP
from cordboard.acd.relaxation import next_change_s, waited_s, with_defaults
from cordboard.acd.reviewing import has_waited_too_long
from cordboard.lab.sim import standing
from cordboard.lab.sim.books import Books
from cordboard.lab.sim.floor_state import Caller, Place
from cordboard.lab.sim.offering import Offering

_GONE = (LeftBecause.ABANDONED, LeftBecause.LOST)


class Places:
    """What becomes of places."""

    def __init__(self, books: Books, offering: Offering) -> None:
        self._books = books
        self._offering = offering

    # -- entering --

    def take_in(self, now: Moment, caller: Caller) -> Place | None:
        """A new place, unless the queue does not let them in."""
        refusal = standing.why_refused(self._books, caller.queue, caller.needs, now)
        self._books.touched.add(caller.queue)
        if refusal is not None:
            told = {"because": refusal}
            self._books.ledger.tell_call("refused", caller.call_id, caller.queue, now.wall, **told)
            return None
        call = WaitingCall("", caller.call_id, caller.queue, caller.priority, now.wall, caller.needs, now.boot)
        return self.add(now, Place(call, caller.language, caller.number))

    def add(self, now: Moment, place: Place) -> Place:
        """A place where time and priority put it. place: without an id."""
        books = self._books
        place.own_needs = place.waiting.needs
        needs = with_defaults(place.waiting.needs, books.queue(place.queue).needs)
        place.waiting = replace(place.waiting, entry_id=books.new_id("e"), needs=needs)
        books.places[place.call_id] = place
        told = {"priority": place.waiting.priority, "language": place.language}
        told |= {"entry_kind": place.kind} if place.kind != "call" else {}
        books.ledger.tell_place("entered_queue", place, place.waiting.entered_at, **told)
        if place.state == "away":
            books.away[place.entry_id] = place
        else:
            books.lines.add(place.waiting)
        self._plan_change(place.waiting, now)
        books.touched.add(place.queue)
        return place

    def move_on(self, now: Moment, place: Place, queue: str, older: Place | None) -> None:
        """A caller who has just left goes on to another queue, and stands there where time and priority put them;
        or in the older place which they have there, and which is theirs already.
        """
        asked = place.asked_queue or place.queue
        if older is not None:
            self.come_back(now, older, None)
            older.asked_queue = asked
            return
        call = replace(place.waiting, queue=queue, needs=place.needs_elsewhere)
        self.add(now, Place(call, place.language, place.party, kind=place.kind, asked_queue=asked))

    def come_back(self, now: Moment, place: Place, max_wait_s: float | None) -> bool:
        """The caller waits in the place again. False if their longest wait has passed meanwhile, and they left."""
        if has_waited_too_long(place.kind, waited_s(place.waiting, now), max_wait_s):
            self.let_go(now, place, LeftBecause.MAX_WAIT, now.wall)
            return False
        place.state, place.held_until = "waiting", None
        del self._books.away[place.entry_id]
        self._books.lines.add(place.waiting)
        self._books.ledger.tell_place_again("came_back", place, now.wall)
        self._books.touched.add(place.queue)
        return True

    def older_place(self, queue: str, party: str) -> Place | None:
        """The place that is held for who was cut off and calls again."""
        policy = self._books.queue(queue).cut_off
        if policy is None or not keeps_places(policy) or policy.identity != "number" or not party:
            return None
        held = (place for place in self._books.away.values() if place.kind in ("cut_off", "hung_up"))
        theirs = (place for place in held if place.party == party and queue in (place.queue, place.asked_queue))
        return min(theirs, key=self._stands_at, default=None)

    def _stands_at(self, place: Place) -> float:
        return entry_order(place.waiting, self._books.queue(place.queue).ageing_s)[1]

    # -- going --

    def go_away(self, now: Moment, place: Place, held_until: float | None, kind: str = "call") -> None:
        """Keep the place without its caller; an offer to them is taken back."""
        self._offering.end_all(now, place, OfferEnd.WITHDRAWN)
        before = place.state, place.kind
        if place.state == "waiting":
            self._books.lines.remove(place.waiting)
        place.state, place.kind, place.held_until = "away", kind, held_until
        self._books.away[place.entry_id] = place
        if held_until is not None:
            self._books.wake(held_until)
        if before != ("away", kind):
            self._books.ledger.tell_place_again("stepped_out", place, now.wall, entry_kind=kind, key="")

    def pass_on(self, place: Place, call_id: str) -> None:
        """Give an away place to another call."""
        del self._books.places[place.call_id]
        place.pass_on(call_id)
        self._books.places[call_id] = place

    def hold_untold(self, now: Moment, place: Place) -> None:
        """Keep it until it is known why the caller is gone."""
        self.go_away(now, place, now.boot + UNTOLD_S, "hung_up")

    def let_go(self, now: Moment, place: Place, because: LeftBecause, at: float) -> None:
        """End a place; an open offer ends with that. at: seconds since 1970."""
        books = self._books
        self._offering.end_all(now, place, OfferEnd.CALLER_LEFT if because in _GONE else OfferEnd.WITHDRAWN)
        if place.state == "waiting":
            books.lines.remove(place.waiting)
        books.away.pop(place.entry_id, None)
        del books.places[place.call_id]
        place.state, place.left_because = "left", because.value
        wait_s = max(0.0, at - place.waiting.entered_at)
        books.ledger.tell_place("left_queue", place, at, because=because.value, wait_s=wait_s)

    def give_up_held(self, now: Moment) -> None:
        """End the places that were kept for long enough, as of when that was over."""
        for place in list(self._due(now)):
            late_s = now.boot - (place.held_until or 0.0) + (UNTOLD_S if place.kind == "hung_up" else 0.0)
            self.let_go(now, place, GIVEN_UP[place.kind], now.wall - late_s)

    def _due(self, now: Moment) -> Iterator[Place]:
        for place in self._books.away.values():
            if place.held_until is not None and place.held_until <= now.boot:
                yield place

    # -- the queue's rules --

    def review(self, now: Moment, place: Place) -> str | None:
        """Have a waiting caller leave, if the rules of their queue say so: the queue they are to go on to, "" for
        none; None if they stay.
        """
        if place.state != "waiting":
            return None
        because = standing.why_out(self._books, place, now)
        if because is not None:
            self.let_go(now, place, because, now.wall)
            return ""
        step = standing.overflow_step(self._books, place, now)
        if step is None:
            return None
        self.let_go(now, place, LeftBecause.OVERFLOW, now.wall)
        return step.to

    def _plan_change(self, call: WaitingCall, now: Moment) -> None:
        """Look again at each second at which the caller asks for something else."""
        waited = waited_s(call, now)
        after_s = next_change_s(call.needs, waited)
        while after_s is not None:
            self._books.wake(now.boot + after_s - waited)
            after_s = next_change_s(call.needs, after_s)
