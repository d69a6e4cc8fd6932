"""Offers of a simulated floor: made, rung, answered, joined, ended. The book-keeping of `store.acd_offers`."""

from __future__ import annotations

from dataclasses import replace

from cordboard.acd.model import RONA, LeftBecause, Match, Moment, OfferEnd, OfferState
from cordboard.acd.relaxation import after_refusal, waited_s
from cordboard.acd.transitions import OfferFact
from cordboard.lab.sim.books import Books
from cordboard.lab.sim.desks import Desks
from cordboard.lab.sim.floor_state import Offer, Place


class Offering:
    """What becomes of offers. A caller has one, or several of which the first to be joined has the call."""

    def __init__(self, books: Books, desks: Desks) -> None:
        self._books = books
        self._desks = desks

    def match(self, now: Moment) -> None:
        """Make the offers that have become possible."""
        queues, self._books.touched = sorted(self._books.touched), set()
        for found in self._books.matcher.matches(self._books.lines, queues, now):
            self._offer(found, now)

    def _offer(self, found: Match, now: Moment) -> None:
        books = self._books
        place = books.places[found.call.call_id]
        books.lines.remove(found.call)
        place.state = "offered"
        books.matcher.talks[place.queue] += 1
        books.matcher.ringing[place.queue] += 1
        for name in found.agents:
            offer = Offer(books.new_id("o"), place, place.call_id, name, now.wall)
            place.offers.append(offer)
            books.unrung.append(offer)
            self._desks.take_offer(now, offer)
            books.ledger.tell_offer("offer_made", offer, now.wall, reason=found.reason)

    def take(self, now: Moment) -> list[Offer]:
        """The phones to ring now; they are marked ringing."""
        offers = [offer for offer in self._books.unrung if offer.state is OfferState.OFFERED]
        self._books.unrung = []
        for offer in offers:
            offer.learn(OfferFact.RUNG)
            offer.ringing_at = now.wall
            self._desks.ring(offer)
            self._books.ledger.tell_offer("offer_ringing", offer, now.wall)
        return offers

    def answered(self, now: Moment, offer: Offer) -> None:
        """The agent has picked up."""
        if offer.learn(OfferFact.ANSWERED):
            offer.answered_at = now.wall
            offer.place.answered_as = offer.call_id
            self._books.ledger.tell_offer("agent_answered", offer, now.wall)

    def joined(self, now: Moment, offer: Offer) -> None:
        """They talk: the caller has left the queue, served; whoever was rung besides is free again."""
        if not offer.learn(OfferFact.JOINED):
            return
        place, ledger = offer.place, self._books.ledger
        offer.joined_at = now.wall
        self._desks.talk(offer)
        place.state, place.left_because = "talking", LeftBecause.SERVED.value
        if self._rings_back(place):
            self._books.talked[place.call_id] = offer
        self._books.matcher.ringing[place.queue] -= 1
        wait_s = now.wall - place.waiting.entered_at
        ledger.tell_offer("joined", offer, now.wall, wait_s=wait_s)
        ledger.tell_place("left_queue", place, now.wall, because="served", wait_s=wait_s)
        self._books.touched.add(place.queue)
        for other in [other for other in place.offers if other is not offer]:
            self.end_without_talk(now, other, OfferEnd.TAKEN)

    def gone(self, now: Moment, offer: Offer) -> None:
        """The agent's leg has ended, and with it the talk: wrap-up begins."""
        if not offer.learn(OfferFact.LEG_GONE):
            return
        self._close(offer)
        offer.talk_ended_at = now.wall
        talk_s = now.wall - (offer.joined_at or now.wall)
        self._books.ledger.tell_offer("talk_ended", offer, now.wall, talk_s=talk_s)
        ring_s = offer.ring_s(offer.joined_at or now.wall)
        self._books.ledger.tell_ended(offer, OfferEnd.SERVED, now.wall, ring_s)
        self._books.note_talk(offer)
        self._desks.begin_wrap_up(now, offer, talk_s)
        self._books.touched.add(offer.queue)

    def end_all(self, now: Moment, place: Place, end: OfferEnd) -> None:
        """Nobody is to be rung for the caller any more."""
        for offer in list(place.offers):
            self.end_without_talk(now, offer, end)

    def end_without_talk(self, now: Moment, offer: Offer, end: OfferEnd) -> None:
        """The agent is free, or rests. The caller waits again, in the old place, unless somebody else is rung for
        them still.
        """
        if not offer.learn(OfferFact.FAILED):
            return
        place, books = offer.place, self._books
        books.ledger.tell_ended(offer, end, now.wall, offer.ring_s(now.wall))
        place.offers.remove(offer)
        if end in RONA:
            self._note_refusal(now, offer)
        if not place.offers and place.state == "offered":
            place.state = "waiting"
            books.matcher.talks[place.queue] -= 1
            books.matcher.ringing[place.queue] -= 1
            books.lines.add(place.waiting)
        self._desks.release_failed(now, offer, end)
        books.touched.add(offer.queue)

    def _note_refusal(self, now: Moment, offer: Offer) -> None:
        place, for_s = offer.place, self._books.queue(offer.queue).not_again_s
        if for_s > 0:
            until_s = waited_s(place.waiting, now) + for_s
            place.waiting = replace(place.waiting, needs=after_refusal(place.waiting.needs, offer.agent, until_s))
            self._books.wake(now.boot + for_s)

    def _rings_back(self, place: Place) -> bool:
        policy = self._books.queue(place.queue).cut_off
        return policy is not None and policy.ring_back

    def _close(self, offer: Offer) -> None:
        """The talk is over, and the place with it."""
        place = offer.place
        place.state = "left"
        place.offers.remove(offer)
        self._books.matcher.talks[place.queue] -= 1
        del self._books.places[place.call_id]
