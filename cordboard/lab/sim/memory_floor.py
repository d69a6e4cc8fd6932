"""A floor in memory: what the store's transactions do, without the store, for days of thousands of calls.

Everything that is decided is decided by the same functions: who gets whom (`acd.matching`), what an offer and an
agent become (`acd.transitions`), what a call that is not taken means (`acd.rona`), how long a wrap-up lasts
(`acd.wrap_up`), when less is asked (`acd.relaxation`). What is written here a second time is only the book-keeping
around them, and a test plays the same day through the real store: both ledgers must be the same.

There is one worker, which rings at once and never dies.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import replace

from cordboard.acd.model import (
    RONA,
    Activity,
    FloorPlan,
    LeftBecause,
    Match,
    Moment,
    OfferEnd,
    OfferState,
    Presence,
    WaitingCall,
)
from cordboard.acd.presence import RONA_REASON
from cordboard.acd.relaxation import after_refusal, next_change_s, waited_s, with_defaults
from cordboard.acd.rona import RonaCounts, after_failed_offer
from cordboard.acd.transitions import ActivityFact, OfferFact
from cordboard.acd.wrap_up import ends_early, length_s
from cordboard.lab.sim.floor_state import AgentAtDesk, Caller, Ledger, Offer, Place
from cordboard.lab.sim.lines import Lines
from cordboard.lab.sim.matcher import Matcher
from cordboard.lab.sim.overflowing import overflow_step


class MemoryFloor:
    """The floor of one simulated day. seed: of the strategies that leave something to chance."""

    def __init__(self, plan: FloorPlan, seed: int = 0) -> None:
        self.plan = plan
        self.agents = {name: AgentAtDesk(name) for name in plan.agents}
        self.places: dict[str, Place] = {}  # by call: those in line, or talking
        self.lines = Lines(plan)
        self.ledger = Ledger()
        self._matcher = Matcher(plan, self.agents, seed)
        self._unrung: list[Offer] = []
        self._due: list[tuple[float, str]] = []  # a moment of the boot clock, and the agent it is about, if one
        self._count = 0

    # -- callers --

    def enter(self, now: Moment, caller: Caller) -> str | None:
        """Somebody comes to a queue. Where the rules of the queue put them at once, as `review`."""
        call = WaitingCall("", caller.call_id, caller.queue, caller.priority, now.wall, caller.needs, now.boot)
        self._take_in(call, caller.language, now)
        return self.review(now, caller.call_id)

    def move_on(self, now: Moment, call_id: str, queue: str) -> None:
        """A waiting caller goes to another queue, and stands there where time and priority put them."""
        place = self.places[call_id]
        self._let_go(now, place, LeftBecause.OVERFLOW)
        self._take_in(replace(place.waiting, queue=queue), place.language, now)

    def _take_in(self, call: WaitingCall, language: str, now: Moment) -> None:
        self._count += 1
        needs = with_defaults(call.needs, self.plan.queues[call.queue].needs)
        call = replace(call, entry_id=f"e{self._count:07d}", needs=needs)
        place = self.places[call.call_id] = Place(call, language)
        told = {"priority": call.priority, "language": language}
        self.ledger.tell_place("entered_queue", place, call.entered_at, **told)
        self.lines.add(call)
        self._plan_change(call, now)
        self._match((call.queue,), now)

    def leave(self, now: Moment, call_id: str, because: LeftBecause) -> None:
        """Somebody waits no more; an open offer ends with that. A talk is not ended by it."""
        place = self.places.get(call_id)
        if place is None or place.state == "talking":
            return
        end = OfferEnd.CALLER_LEFT if because is LeftBecause.ABANDONED else OfferEnd.WITHDRAWN
        freed = [offer.agent for offer in place.offers]
        for offer in list(place.offers):
            self._end_without_talk(now, offer, end)
        self._let_go(now, place, because)
        self._match(self._queues_of(freed), now)

    def _let_go(self, now: Moment, place: Place, because: LeftBecause) -> None:
        self.lines.remove(place.waiting)
        del self.places[place.waiting.call_id]
        place.state = "left"
        wait_s = now.wall - place.waiting.entered_at
        self.ledger.tell_place("left_queue", place, now.wall, because=because.value, wait_s=wait_s)

    def review(self, now: Moment, call_id: str) -> str | None:
        """Apply the queue's `overflow` to a waiting caller: the queue they are in from now on, "" if they had to
        leave; None if nothing has changed.
        """
        place = self.places[call_id]
        step = overflow_step(self.plan, self.places, self.agents, place, now) if place.state == "waiting" else None
        if step is None:
            return None
        if step.to:
            self.move_on(now, call_id, step.to)
        else:
            self.leave(now, call_id, LeftBecause.OVERFLOW)
        return step.to

    # -- phones --

    def take_offers(self, now: Moment) -> list[Offer]:
        """The phones to ring now; they are marked ringing."""
        offers, self._unrung = [offer for offer in self._unrung if offer.state is OfferState.OFFERED], []
        for offer in offers:
            self._ring(now, offer)
        return offers

    def answered(self, now: Moment, offer: Offer) -> None:
        """The agent has picked up."""
        if offer.learn(OfferFact.ANSWERED):
            offer.answered_at = now.wall
            self.ledger.tell_offer("agent_answered", offer, now.wall)

    def joined(self, now: Moment, offer: Offer) -> None:
        """They talk: the caller has left the queue, served; whoever was rung besides is free again."""
        if not offer.learn(OfferFact.JOINED):
            return
        place, agent = offer.place, self.agents[offer.agent]
        offer.joined_at = now.wall
        agent.learn(ActivityFact.JOINED)
        agent.counts = RonaCounts()
        place.state = "talking"
        self._matcher.ringing[place.queue] -= 1
        wait_s = now.wall - place.waiting.entered_at
        self.ledger.tell_offer("joined", offer, now.wall, wait_s=wait_s)
        self.ledger.tell_place("left_queue", place, now.wall, because="served", wait_s=wait_s)
        others = [other for other in place.offers if other is not offer]
        for other in others:
            self._end_without_talk(now, other, OfferEnd.TAKEN)
        self._match((place.queue, *self._queues_of(other.agent for other in others)), now)

    def failed(self, now: Moment, offer: Offer, end: OfferEnd) -> None:
        """The ringing came to nothing; the caller waits again, in the old place."""
        self._end_without_talk(now, offer, end)
        self._match((offer.queue, *self._queues_of((offer.agent,))), now)

    def gone(self, now: Moment, offer: Offer) -> None:
        """The agent's leg has ended, and with it the talk: wrap-up begins."""
        if not offer.learn(OfferFact.LEG_GONE):
            return
        self._close(offer)
        offer.talk_ended_at = now.wall
        talk_s = now.wall - (offer.joined_at or now.wall)
        self.ledger.tell_offer("talk_ended", offer, now.wall, talk_s=talk_s)
        self.ledger.tell_ended(offer, OfferEnd.SERVED, now.wall, offer.ring_s(offer.joined_at or now.wall))
        self._begin_wrap_up(now, offer, talk_s)
        self._match((offer.queue, *self._queues_of((offer.agent,))), now)

    # -- agents --

    def set_presence(self, now: Moment, name: str, presence: Presence, reason: str = "") -> None:
        """What the agent chooses. What they are at goes on."""
        agent = self.agents[name]
        if (agent.presence, agent.reason) == (presence, reason):
            return
        self._choose(now, agent, presence, reason)
        self._match(self._queues_of((name,)), now)

    def dispose(self, now: Moment, offer: Offer, disposition: str) -> None:
        """What came of a call; it ends the wrap-up, where the queue lets it."""
        agent = self.agents[offer.agent]
        wraps_up = agent.activity is Activity.WRAP_UP and agent.offer is offer
        if disposition and offer.disposition != disposition:
            offer.disposition = disposition
            self.ledger.tell_offer("disposition_set", offer, now.wall, disposition=disposition)
        if wraps_up and ends_early(self.plan.queues[offer.queue], disposition):
            self._end_wrap_up(agent, now.wall, now)
            self._match(self._queues_of((agent.name,)), now)

    # -- time --

    @property
    def next_due(self) -> float | None:
        """When `sweep` is due next, by the boot clock; None if nothing is."""
        return self._due[0][0] if self._due else None

    def sweep(self, now: Moment) -> None:
        """Do what is due: wrap-ups and rests end, less is asked for."""
        is_due = False
        while self._due and self._due[0][0] <= now.boot:
            is_due = True
            _, name = heapq.heappop(self._due)
            if name:
                self._look_at(self.agents[name], now)
        if is_due:
            self._match(self.lines.queues(), now)

    def _look_at(self, agent: AgentAtDesk, now: Moment) -> None:
        until = agent.wrap_up_until
        if agent.activity is Activity.WRAP_UP and until is not None and until <= now.boot:
            self._end_wrap_up(agent, now.wall - (now.boot - until), now)
        if agent.paused_until is not None and agent.paused_until <= now.boot:
            self._choose(now, agent, Presence.AVAILABLE, "")
        self._matcher.note(agent, now)

    def _plan_change(self, call: WaitingCall, now: Moment) -> None:
        """Look again at each second at which the caller asks for something else."""
        waited = waited_s(call, now)
        after_s = next_change_s(call.needs, waited)
        while after_s is not None:
            heapq.heappush(self._due, (now.boot + after_s - waited, ""))
            after_s = next_change_s(call.needs, after_s)

    # -- inside --

    def _match(self, queues: Iterable[str], now: Moment) -> None:
        for found in self._matcher.matches(self.lines, sorted(set(queues)), now):
            self._offer(found, now)

    def _offer(self, found: Match, now: Moment) -> None:
        place = self.places[found.call.call_id]
        self.lines.remove(found.call)
        place.state = "offered"
        self._matcher.talks[place.queue] += 1
        self._matcher.ringing[place.queue] += 1
        for name in found.agents:
            agent = self.agents[name]
            self._count += 1
            offer = agent.offer = Offer(f"o{self._count:07d}", place, name, now.wall)
            agent.learn(ActivityFact.OFFERED)
            agent.last_offered_at = now.wall
            self._matcher.note(agent, now)
            place.offers.append(offer)
            self._unrung.append(offer)
            self.ledger.tell_offer("offer_made", offer, now.wall, reason=found.reason)

    def _ring(self, now: Moment, offer: Offer) -> None:
        offer.learn(OfferFact.RUNG)
        offer.ringing_at = now.wall
        self.agents[offer.agent].learn(ActivityFact.RUNG)
        self.ledger.tell_offer("offer_ringing", offer, now.wall)

    def _end_without_talk(self, now: Moment, offer: Offer, end: OfferEnd) -> None:
        if not offer.learn(OfferFact.FAILED):
            return
        self.ledger.tell_ended(offer, end, now.wall, offer.ring_s(now.wall))
        place = offer.place
        place.offers.remove(offer)
        if end in RONA:
            self._note_refusal(now, offer)
        if not place.offers and place.state == "offered":
            place.state = "waiting"
            self._matcher.talks[place.queue] -= 1
            self._matcher.ringing[place.queue] -= 1
            self.lines.add(place.waiting)
        self._release_failed(now, offer, end)

    def _note_refusal(self, now: Moment, offer: Offer) -> None:
        place, for_s = offer.place, self.plan.queues[offer.queue].not_again_s
        if for_s > 0:
            until_s = waited_s(place.waiting, now) + for_s
            needs = after_refusal(place.waiting.needs, offer.agent, until_s)
            place.waiting = replace(place.waiting, needs=needs)
            heapq.heappush(self._due, (now.boot + for_s, ""))

    def _release_failed(self, now: Moment, offer: Offer, end: OfferEnd) -> None:
        agent = self.agents[offer.agent]
        follows = after_failed_offer(self.plan.queues[offer.queue].rona, end, agent.counts)
        agent.counts = follows.counts
        idle_since_at = now.wall if follows.goes_last else agent.idle_since_at
        self._release(agent, ActivityFact.OFFER_FAILED, idle_since_at, now, follows.rest_s)
        if follows.pauses and agent.presence is Presence.AVAILABLE:
            self.ledger.tell_offer("agent_paused_by_rona", offer, now.wall, in_a_row=follows.pauses)
            self._choose(now, agent, Presence.PAUSED, RONA_REASON)
            if follows.return_after_s > 0:
                agent.paused_until = now.boot + follows.return_after_s
                heapq.heappush(self._due, (agent.paused_until, agent.name))

    def _begin_wrap_up(self, now: Moment, offer: Offer, talk_s: float) -> None:
        agent = self.agents[offer.agent]
        agent.learn(ActivityFact.TALK_ENDED)
        agent.calls_today += 1
        agent.talk_s_today += talk_s
        agent.last_call_ended_at = now.wall
        wrap_up_s = length_s(self.plan.queues[offer.queue], offer.disposition)
        if wrap_up_s is None:
            agent.wrap_up_until = None
        elif wrap_up_s <= 0:
            self._end_wrap_up(agent, now.wall, now)
        else:
            agent.wrap_up_until = now.boot + wrap_up_s
            heapq.heappush(self._due, (agent.wrap_up_until, agent.name))

    def _end_wrap_up(self, agent: AgentAtDesk, at: float, now: Moment) -> None:
        offer = agent.offer
        assert offer is not None and offer.talk_ended_at is not None
        wrap_up_s = max(0.0, at - offer.talk_ended_at)
        told = {"wrap_up_s": wrap_up_s, "disposition": offer.disposition}
        self.ledger.tell_offer("wrap_up_ended", offer, at, **told)
        self._release(agent, ActivityFact.WRAP_UP_OVER, at, now)

    def _release(
        self, agent: AgentAtDesk, fact: ActivityFact, idle_since_at: float, now: Moment, rest_s: float = 0.0
    ) -> None:
        agent.learn(fact)
        agent.offer, agent.wrap_up_until, agent.idle_since_at = None, None, idle_since_at
        agent.blocked_until = now.boot + rest_s if rest_s > 0 else 0.0
        if rest_s > 0:
            heapq.heappush(self._due, (agent.blocked_until, agent.name))
        self._matcher.note(agent, now)

    def _choose(self, now: Moment, agent: AgentAtDesk, presence: Presence, reason: str) -> None:
        before = {"was": agent.presence.value, "was_reason": agent.reason}
        agent.presence, agent.reason, agent.paused_until = presence, reason, None
        if presence is Presence.AVAILABLE:
            agent.idle_since_at, agent.blocked_until, agent.counts = now.wall, 0.0, RonaCounts()
        told = {"presence": presence.value, "reason": reason, "queues": list(self.plan.agents[agent.name].queues)}
        self.ledger.tell_agent("presence_changed", agent.name, now.wall, **told, **before)
        self._matcher.note(agent, now)

    def _close(self, offer: Offer) -> None:
        """The talk is over, and the place with it."""
        offer.place.state = "left"
        offer.place.offers.remove(offer)
        self._matcher.talks[offer.queue] -= 1
        del self.places[offer.place.waiting.call_id]

    def _queues_of(self, names: Iterable[str]) -> set[str]:
        return {queue for name in names for queue in self.plan.agents[name].queues}
