"""Agents of a simulated floor: presence, rest, wrap-up. The book-keeping of the store's `acd_agents` and
`acd_presence`; what follows from what is decided by `acd.rona`, `acd.wrap_up` and `acd.transitions`.
"""

from __future__ import annotations

from cordboard.acd.model import Activity, Moment, OfferEnd, Presence
from cordboard.acd.presence import RONA_REASON
from cordboard.acd.rona import RonaCounts, after_failed_offer
from cordboard.acd.transitions import ActivityFact
from cordboard.acd.wrap_up import ends_early, length_s
from cordboard.lab.sim.books import Books
from cordboard.lab.sim.floor_state import AgentAtDesk, Offer


class Desks:
    """What agents do."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def set_presence(self, now: Moment, name: str, presence: Presence, reason: str) -> None:
        """What the agent chooses. What they are at goes on."""
        agent = self._books.agents[name]
        if (agent.presence, agent.reason) != (presence, reason):
            self._choose(now, agent, presence, reason)
            self._books.touch_queues_of((name,))

    def take_offer(self, now: Moment, offer: Offer) -> None:
        """A call is theirs."""
        agent = self._books.agents[offer.agent]
        agent.offer = offer
        agent.learn(ActivityFact.OFFERED)
        agent.last_offered_at = now.wall
        self._books.matcher.note(agent)

    def ring(self, offer: Offer) -> None:
        """Their phone rings."""
        self._books.agents[offer.agent].learn(ActivityFact.RUNG)

    def talk(self, offer: Offer) -> None:
        """They talk: whatever offers failed before are forgiven."""
        agent = self._books.agents[offer.agent]
        agent.learn(ActivityFact.JOINED)
        agent.counts = RonaCounts()

    def release_failed(self, now: Moment, offer: Offer, end: OfferEnd) -> None:
        """They are free, rest, or are paused, as the queue has it."""
        books, agent = self._books, self._books.agents[offer.agent]
        follows = after_failed_offer(books.queue(offer.queue).rona, end, agent.counts)
        agent.counts = follows.counts
        idle_since_at = now.wall if follows.goes_last else agent.idle_since_at
        self._release(agent, ActivityFact.OFFER_FAILED, idle_since_at, now, follows.rest_s)
        if follows.pauses and agent.presence is Presence.AVAILABLE:
            books.ledger.tell_offer("agent_paused_by_rona", offer, now.wall, in_a_row=follows.pauses)
            self._choose(now, agent, Presence.PAUSED, RONA_REASON)
            if follows.return_after_s > 0:
                agent.paused_until = now.boot + follows.return_after_s
                books.wake(agent.paused_until, agent.name)

    def begin_wrap_up(self, now: Moment, offer: Offer, talk_s: float) -> None:
        """The talk is over."""
        agent = self._books.agents[offer.agent]
        agent.learn(ActivityFact.TALK_ENDED)
        agent.calls_today += 1
        agent.talk_s_today += talk_s
        agent.last_call_ended_at = now.wall
        wrap_up_s = length_s(self._books.queue(offer.queue), offer.disposition)
        if wrap_up_s is None:
            agent.wrap_up_until = None
        elif wrap_up_s <= 0:
            self._end_wrap_up(agent, now.wall, now)
        else:
            agent.wrap_up_until = now.boot + wrap_up_s
            self._books.wake(agent.wrap_up_until, agent.name)

    def dispose(self, now: Moment, offer: Offer, disposition: str) -> None:
        """What came of a call; it ends the wrap-up, where the queue lets it."""
        agent = self._books.agents[offer.agent]
        wraps_up = agent.activity is Activity.WRAP_UP and agent.offer is offer
        if disposition and offer.disposition != disposition:
            offer.disposition = disposition
            self._books.ledger.tell_offer("disposition_set", offer, now.wall, disposition=disposition)
        if wraps_up and ends_early(self._books.queue(offer.queue), disposition):
            self._end_wrap_up(agent, now.wall, now)

    def end_wrap_up(self, now: Moment, name: str) -> None:
        """They wrap up no longer, if they did."""
        agent = self._books.agents[name]
        if agent.activity is Activity.WRAP_UP:
            self._end_wrap_up(agent, now.wall, now)

    def look_at(self, now: Moment, name: str) -> None:
        """What is due of an agent: the end of a wrap-up, a pause or a rest."""
        agent = self._books.agents[name]
        until = agent.wrap_up_until
        if agent.activity is Activity.WRAP_UP and until is not None and until <= now.boot:
            self._end_wrap_up(agent, now.wall - (now.boot - until), now)
        if agent.paused_until is not None and agent.paused_until <= now.boot:
            self._choose(now, agent, Presence.AVAILABLE, "")
        self._books.matcher.note(agent)

    # -- inside --

    def _end_wrap_up(self, agent: AgentAtDesk, at: float, now: Moment) -> None:
        offer = agent.offer
        assert offer is not None and offer.talk_ended_at is not None
        offer.wrap_up_ended_at = at
        told = {"wrap_up_s": max(0.0, at - offer.talk_ended_at), "disposition": offer.disposition}
        self._books.ledger.tell_offer("wrap_up_ended", offer, at, **told)
        self._release(agent, ActivityFact.WRAP_UP_OVER, at, now)

    def _release(
        self, agent: AgentAtDesk, fact: ActivityFact, idle_since_at: float, now: Moment, rest_s: float = 0.0
    ) -> None:
        agent.learn(fact)
        agent.offer, agent.wrap_up_until, agent.idle_since_at = None, None, idle_since_at
        agent.blocked_until = now.boot + rest_s if rest_s > 0 else 0.0
        if rest_s > 0:
            self._books.wake(agent.blocked_until, agent.name)
        self._books.matcher.note(agent)
        self._books.touch_queues_of((agent.name,))

    def _choose(self, now: Moment, agent: AgentAtDesk, presence: Presence, reason: str) -> None:
        before = {"was": agent.presence.value, "was_reason": agent.reason}
        agent.presence, agent.reason, agent.paused_until = presence, reason, None
        if presence is Presence.AVAILABLE:
            agent.idle_since_at, agent.blocked_until, agent.counts = now.wall, 0.0, RonaCounts()
        queues = list(self._books.plan.agents[agent.name].queues)
        told = {"presence": presence.value, "reason": reason, "queues": queues}
        self._books.ledger.tell_agent("presence_changed", agent.name, now.wall, **told, **before)
        self._books.matcher.note(agent)
