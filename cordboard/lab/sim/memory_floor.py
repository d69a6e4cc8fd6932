"""A floor in memory: what the store's transactions do, without the store, for days of thousands of calls.

Everything that is decided is decided by the same functions of `cordboard.acd`: who gets whom, what an offer and an
agent become, who is let in and sent on, whose place is kept, whom to call back. What is written a second time, here
and beside it, is only the book-keeping around them, and a test plays the same day through the real store: both
ledgers must be the same. Each method is a transaction: it ends with the offers that it has made possible.

There is one worker, which rings at once and never dies.
"""

from __future__ import annotations

from cordboard.acd.model import FloorPlan, LeftBecause, Moment, OfferEnd, Presence
from cordboard.acd.place_keeping import when_gone
from cordboard.lab.sim.books import Books
from cordboard.lab.sim.day_ledger import Ledger
from cordboard.lab.sim.desks import Desks
from cordboard.lab.sim.floor_state import Attempt, Caller, Offer, Place
from cordboard.lab.sim.offering import Offering
from cordboard.lab.sim.places import Places
from cordboard.lab.sim.promises import Promises


class MemoryFloor:
    """The floor of one simulated day. seed: of the strategies that leave something to chance."""

    def __init__(self, plan: FloorPlan, seed: int = 0) -> None:
        self.books = Books.of(plan, seed)
        self._desks = Desks(self.books)
        self._offering = Offering(self.books, self._desks)
        self._places = Places(self.books, self._offering)
        self._promises = Promises(self.books, self._places, self._desks)

    @property
    def ledger(self) -> Ledger:
        """What has happened."""
        return self.books.ledger

    # -- callers --

    def enter(self, now: Moment, caller: Caller, max_wait_s: float | None = None) -> str | None:
        """Somebody comes to a queue, or back to their place. Where they are, as `review`: "" also for who has no
        place, None for the queue they asked for. max_wait_s: their longest wait.
        """
        own = self.books.places.get(caller.call_id)
        place = own or self._older_place(now, caller.queue, caller.number, caller.call_id)
        if place is not None:
            return self._come_back(now, place, caller, max_wait_s)
        if self._places.take_in(now, caller) is None:
            return ""
        return self.review(now, caller.call_id)

    def _older_place(self, now: Moment, queue: str, party: str, call_id: str) -> Place | None:
        """Of who is to be called back and calls, or was cut off and calls again; it is that call's from now on."""
        promise = self._promises.open_for(queue, party) if party else None
        if promise is not None and promise.place.state == "away":
            self._promises.taken(now, promise)
            place: Place | None = promise.place
        else:
            place = self._places.older_place(queue, party)
        if place is not None:
            self._places.pass_on(place, call_id)
        return place

    def _come_back(self, now: Moment, place: Place, caller: Caller, max_wait_s: float | None) -> str | None:
        if place.queue == caller.queue:
            place.asked_queue = ""
        if place.kind == "call" and self._promises.of_place(place) is not None:
            place.kind = "callback"  # who was called back, and has stepped out since
        if not self._places.come_back(now, place, max_wait_s):
            return ""
        if place.kind == "callback":
            self._promises.arrived(now, place)
        moved = self.review(now, caller.call_id)
        return moved if moved is not None or place.queue == caller.queue else place.queue

    def step_out(self, now: Moment, call_id: str, held_s: float) -> None:
        """The caller is elsewhere for a while."""
        place = self.books.places.get(call_id)
        if place is not None and place.state != "talking":
            self._places.go_away(now, place, now.boot + held_s)
        self._finish(now)

    def leave(self, now: Moment, call_id: str, because: LeftBecause) -> None:
        """Somebody waits no more; an open offer ends with that. A talk is not ended by it."""
        place = self.books.places.get(call_id)
        if place is not None and place.state != "talking":
            self._leave(now, place, because)
        self._finish(now)

    def _leave(self, now: Moment, place: Place, because: LeftBecause) -> None:
        attempt = self._promises.mode_of(place) if place.kind == "callback" else None
        match when_gone(place.state, place.kind, because, self.books.queue(place.queue).cut_off, attempt):
            case "left":
                self._places.let_go(now, place, because, now.wall)
            case "attempt_failed":
                self._promises.leg_gone(now, place)
            case "untold":
                self._places.hold_untold(now, place)

    def ended(self, now: Moment, call_id: str, cause: int) -> None:
        """Why a call has ended, told once it has. cause: Q.850."""
        place, talk = self.books.places.get(call_id), self.books.talked.pop(call_id, None)
        if place is not None and place.state != "talking":
            self._promises.told_why(now, place, cause)
        elif talk is not None:
            self._promises.talk_ended(now, talk, cause)
        self._finish(now)

    def review(self, now: Moment, call_id: str) -> str | None:
        """Apply the rules of their queue to a waiting caller: the queue they are in from now on, "" if they had to
        leave; None if nothing has changed.
        """
        self._finish(now)
        place = self.books.places.get(call_id)
        moved = None if place is None else self._places.review(now, place)
        if place is not None and moved:
            older = self._older_place(now, moved, place.party, call_id)
            self._places.move_on(now, place, moved, older)
        self._finish(now)
        return moved

    # -- calling back --

    def book(self, now: Moment, call_id: str) -> bool:
        """Promise a caller who has stepped out a call. False if there is one already."""
        is_booked = self._promises.book(now, self.books.places[call_id])
        self._finish(now)
        return is_booked

    @property
    def owes_calls(self) -> bool:
        """Whether `claim` may have something to do, now or later."""
        return self._promises.is_any_open

    def claim(self, now: Moment) -> list[Attempt]:
        """Whom to dial now."""
        attempts = self._promises.claim(now)
        self._finish(now)
        return attempts

    def is_wanted(self, now: Moment, call_id: str) -> bool:
        """Whether anybody waits for this customer, who has picked up."""
        return self._promises.is_dialled(call_id)

    def attempt_ended(self, now: Moment, call_id: str, result: str) -> None:
        """A customer did not come to the phone."""
        self._promises.attempt_ended(now, call_id, result)
        self._finish(now)

    def not_reached(self, now: Moment, offer: Offer, result: str) -> None:
        """An agent has heard a customer's phone ring in vain."""
        self._promises.not_reached(offer.call_id, result)
        self._offering.end_without_talk(now, offer, OfferEnd.CALLER_LEFT)
        self.leave(now, offer.call_id, LeftBecause.ABANDONED)

    # -- phones --

    def take_offers(self, now: Moment) -> list[Offer]:
        """The phones to ring now; they are marked ringing."""
        return self._offering.take(now)

    def answered(self, now: Moment, offer: Offer) -> None:
        """The agent has picked up."""
        self._offering.answered(now, offer)

    def joined(self, now: Moment, offer: Offer) -> None:
        """They talk: the caller has left the queue, served; whoever was rung besides is free again."""
        self._offering.joined(now, offer)
        self._finish(now)

    def failed(self, now: Moment, offer: Offer, end: OfferEnd) -> None:
        """The ringing came to nothing; the caller waits again, in the old place."""
        self._offering.end_without_talk(now, offer, end)
        self._finish(now)

    def gone(self, now: Moment, offer: Offer) -> None:
        """The agent's leg has ended, and with it the talk: wrap-up begins."""
        self._offering.gone(now, offer)
        self._finish(now)

    # -- agents --

    def set_presence(self, now: Moment, name: str, presence: Presence, reason: str = "") -> None:
        """What the agent chooses. What they are at goes on."""
        self._desks.set_presence(now, name, presence, reason)
        self._finish(now)

    def dispose(self, now: Moment, offer: Offer, disposition: str) -> None:
        """What came of a call; it ends the wrap-up, where the queue lets it."""
        self._desks.dispose(now, offer, disposition)
        self._finish(now)

    # -- time --

    @property
    def next_due(self) -> float | None:
        """When `sweep` is due next, by the boot clock; None if nothing is."""
        return self.books.next_due

    def sweep(self, now: Moment) -> None:
        """Do what is due: places are given up, wrap-ups and rests end, less is asked for."""
        woken = self.books.woken(now)
        if not woken:
            return
        self._places.give_up_held(now)
        for name in filter(None, woken):
            self._desks.look_at(now, name)
        self.books.touched.update(self.books.lines.queues())
        self._finish(now)

    def _finish(self, now: Moment) -> None:
        self._offering.match(now)
