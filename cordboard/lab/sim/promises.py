"""Callers of a simulated floor who are to be called back: promised, dialled, tried again, given up.

The book-keeping of the store's `callbacks`, `callback_attempts`, `callback_claims` and `cut_offs`. Whom to dial is
decided by `acd.callbacks`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cordboard.acd import callbacks, cut_off
from cordboard.acd.callback_policy import RING_BACK
from cordboard.acd.callbacks import AtWork, Claim
from cordboard.acd.eligibility import may_have
from cordboard.acd.matching import entry_order
from cordboard.acd.model import Activity, LeftBecause, Moment, Presence, WaitingCall
from cordboard.acd.place_keeping import when_told
from cordboard.acd.relaxation import asked_now
from cordboard.lab.sim.books import Books
from cordboard.lab.sim.desks import Desks
from cordboard.lab.sim.floor_state import AgentAtDesk, Attempt, Offer, Place, Promise
from cordboard.lab.sim.places import Places

_CAN_BE_COUNTED = (Activity.IDLE, Activity.TALKING, Activity.WRAP_UP)


class Promises:
    """Those that are open, and what becomes of them."""

    def __init__(self, books: Books, places: Places, desks: Desks) -> None:
        self._books = books
        self._places = places
        self._desks = desks
        self._dialled: dict[str, Promise] = {}  # by the call id of the attempt under way
        self._orphans: list[Place] = []  # kept for a promise that is closed

    @property
    def is_any_open(self) -> bool:
        """Whether anybody waits to be dialled, or is being dialled; or a place is left of one who is not."""
        return bool(self._books.promises or self._orphans)

    def of_place(self, place: Place) -> Promise | None:
        """The open promise whose place this is."""
        return next((one for one in self._books.promises.values() if one.place is place), None)

    def mode_of(self, place: Place) -> str | None:
        """How the customer of this place is being called back; None if nobody calls them."""
        promise = self.of_place(place)
        return None if promise is None else promise.policy.dial

    def open_for(self, queue: str, party: str) -> Promise | None:
        """The open promise of a queue to a party."""
        open_ones = self._books.promises.values()
        return next((one for one in open_ones if (one.place.queue, one.party) == (queue, party)), None)

    # -- promised --

    def book(self, now: Moment, place: Place) -> bool:
        """Promise the caller in this place a call. False if somebody with their number has been promised one."""
        self._tidy(now)
        policy = self._books.queue(place.queue).callback
        if policy is None or self.open_for(place.queue, place.party) is not None:
            return False
        call_id, promise_id = place.call_id, self._books.new_id("p")
        self._places.go_away(now, place, None, "callback")
        self._places.pass_on(place, promise_id)
        expires_at = now.wall + policy.expires_s
        self._promise(now, Promise(promise_id, call_id, place, place.party, policy, expires_at))
        return True

    def _ring_back(self, now: Moment, offer: Offer, agent_s: float) -> None:
        """A talk was cut off: have the customer called, in a new place where they stood."""
        old, promise_id = offer.place, self._books.new_id("p")
        known = self.open_for(old.queue, old.party) if old.party else None
        if known is not None and known.place is old:  # this talk was that callback
            self._talked(now, known)
        elif known is not None or not old.party:
            return
        call = old.waiting
        needs = cut_off.needs_of_ring_back(call.needs, offer.agent, now.wall - call.entered_at, agent_s)
        entered_boot = now.boot - (now.wall - call.entered_at)
        call = WaitingCall("", promise_id, call.queue, call.priority, call.entered_at, needs, entered_boot)
        place = self._places.add(now, Place(call, old.language, old.party, state="away", kind="callback"))
        about = (promise_id, offer.call_id, place, old.party, RING_BACK, now.wall + RING_BACK.expires_s)
        self._promise(now, Promise(*about, reason="cut_off", prefers_agent=offer.agent))

    def talk_ended(self, now: Moment, offer: Offer, cause: int) -> None:
        """Why the leg of somebody who talked has ended."""
        policy = self._books.queue(offer.queue).cut_off
        if policy is not None and policy.ring_back and cut_off.is_cut_off(policy, cause):
            self._ring_back(now, offer, policy.agent_s)

    def _promise(self, now: Moment, promise: Promise) -> None:
        self._books.promises[promise.callback_id] = promise
        told = {"language": promise.place.language, "priority": promise.place.waiting.priority}
        reason = {"reason": promise.reason} if promise.reason != "asked" else {}
        self._books.ledger.tell_promise("callback_requested", promise, now.wall, **told, **reason)

    # -- dialled --

    def claim(self, now: Moment) -> list[Attempt]:
        """Whom to dial now; what has ended by other things is ended before."""
        self._tidy(now)
        promised = [one for one in self._books.promises.values() if one.place.state == "away"]
        due = {one.place.entry_id: one for one in promised if _is_due(one, now)}
        if not due:
            return []
        agents = self._at_work({one.place.queue for one in due.values()})
        ring_s = min(one.policy.ring_s for one in due.values())
        available = callbacks.available(self._as_told(agents, now), now.boot, ring_s)
        at_work = self._worth_waiting_for(due.values())
        if not available and not at_work:
            return []  # the usual case of a busy day, found out without a look at the line
        counted = [one for one in promised if one.place.entry_id in due or one.dialled_as]
        queues = {queue for agent in agents for queue in self._books.plan.agents[agent.name].queues}
        chosen = callbacks.to_dial(
            [*(self._claim(one, now, at_work) for one in counted), *self._waiting(queues, now)],
            available,
            lambda agent, one: may_have(self._books.plan.agents[agent], one.queue, one.needs),
            needs_free=self._agent_first(),
        )
        return [self._begin(now, due[entry_id]) for entry_id in chosen]

    def _agent_first(self) -> set[str]:
        queues = self._books.plan.queues.values()
        return {queue.name for queue in queues if queue.callback and queue.callback.dial == "agent_first"}

    def _worth_waiting_for(self, promises: Iterable[Promise]) -> set[str]:
        """Of the agents whom some of these have talked to those who are at work."""
        talked_to = {one.prefers_agent for one in promises if one.reason == "cut_off"}
        return {name for name in talked_to if self._books.agents[name].presence is Presence.AVAILABLE}

    def _claim(self, promise: Promise, now: Moment, at_work: set[str]) -> Claim:
        agent = callbacks.rung_for(promise.reason, promise.prefers_agent, at_work)
        standing: callbacks.Standing = "dialled" if promise.dialled_as else "due"
        return self._as_claim(promise.place, standing, now, agent)

    def _waiting(self, queues: set[str], now: Moment) -> Iterator[Claim]:
        for place in self._books.places.values():
            if place.state == "waiting" and place.queue in queues:
                yield self._as_claim(place, "waits", now)

    def _as_claim(self, place: Place, standing: callbacks.Standing, now: Moment, agent: str = "") -> Claim:
        minus_rank, stands_at, _ = entry_order(place.waiting, self._books.queue(place.queue).ageing_s)
        needs = asked_now(place.waiting, now)
        return Claim(place.entry_id, place.queue, standing, -minus_rank, stands_at, needs, agent)

    def _at_work(self, queues: set[str]) -> list[AgentAtDesk]:
        serving = {agent.name for queue in queues for agent in self._books.plan.agents_of(queue)}
        agents = (self._books.agents[name] for name in serving)
        return [one for one in agents if one.presence is Presence.AVAILABLE and one.activity in _CAN_BE_COUNTED]

    def _as_told(self, agents: list[AgentAtDesk], now: Moment) -> Iterator[AtWork]:
        handled: dict[str, list[float]] = {}
        for one in agents:
            if one.activity is not Activity.TALKING or one.offer is None or one.offer.joined_at is None:
                yield AtWork(one.name, one.activity, one.blocked_until, one.wrap_up_until)
                continue
            queue = one.offer.queue
            if queue not in handled:
                handled[queue] = [_handled_s(talk) for talk in self._books.talks.get(queue, ())]
            talking_s = now.wall - one.offer.joined_at
            yield AtWork(one.name, one.activity, talking_s=talking_s, handled_s=handled[queue])

    def _begin(self, now: Moment, promise: Promise) -> Attempt:
        call_id = promise.dialled_as = self._books.new_id("a")
        told = {"attempt": promise.attempts + 1, "mode": promise.policy.dial}
        promise.attempts += callbacks.counts_when_dialled(promise.policy)
        promise.last_result = ""
        self._dialled[call_id] = promise
        self._places.pass_on(promise.place, call_id)
        self._books.ledger.tell_promise("callback_dialled", promise, now.wall, **told)
        return Attempt(call_id, promise.place.queue, promise.party, promise.policy)

    # -- what came of it --

    def arrived(self, now: Moment, place: Place) -> None:
        """The customer is on the phone. The agent of a talk that was cut off wraps up no longer."""
        promise = self.of_place(place)
        if promise is not None and promise.reason == "cut_off":
            self._desks.end_wrap_up(now, promise.prefers_agent)

    def is_dialled(self, call_id: str) -> bool:
        """Whether this attempt is under way."""
        return call_id in self._dialled

    def attempt_ended(self, now: Moment, call_id: str, result: str) -> None:
        """The leg of an attempt has ended, or there was none."""
        promise = self._dialled.get(call_id)
        if promise is not None and promise.place.state == "away":
            self._fail(now, promise, result)

    def not_reached(self, call_id: str, result: str) -> None:
        """Why the customer did not come to the phone whom an agent has heard ringing."""
        if call_id in self._dialled:
            self._dialled[call_id].last_result = result

    def leg_gone(self, now: Moment, place: Place) -> None:
        """The leg in this place is gone, and with it the attempt."""
        promise = self.of_place(place)
        assert promise is not None
        if promise.policy.dial != "agent_first":
            self._fail(now, promise, "hung up")
        elif place.answered_as != place.call_id:
            self._fail(now, promise, "no agent")
        else:
            promise.attempts += 1
            self._fail(now, promise, promise.last_result or "not reached")

    def told_why(self, now: Moment, place: Place, cause: int) -> None:
        """Why the leg of somebody who was in line has ended. cause: Q.850."""
        policy = self._books.queue(place.queue).cut_off
        promise = self.of_place(place)
        has_owner = policy is not None and policy.identity == "number" and place.party != ""
        fate = when_told(
            place.state, place.kind, cause, policy, is_called_back=promise is not None, has_owner=has_owner
        )
        if fate == "attempt_failed" and promise is not None:
            self._fail(now, promise, "cut off")
        elif fate == "held" and policy is not None:
            self._places.go_away(now, place, now.boot + policy.hold_s, "cut_off")
        elif fate in ("hung_up", "nobodys"):
            because = LeftBecause.ABANDONED if fate == "hung_up" else LeftBecause.CUT_OFF
            self._places.let_go(now, place, because, now.wall)

    def taken(self, now: Moment, promise: Promise) -> None:
        """They have called themselves."""
        self._close(now, promise, "taken", "called themselves")

    def _fail(self, now: Moment, promise: Promise, result: str) -> None:
        self._dialled.pop(promise.dialled_as, None)
        promise.dialled_as, promise.last_result = "", result
        promise.due_at = now.wall + promise.policy.retry_after_s
        self._places.go_away(now, promise.place, None, "callback")
        if promise.place.call_id != promise.callback_id:
            self._places.pass_on(promise.place, promise.callback_id)
        told = {"result": result, "attempts": promise.attempts}
        self._books.ledger.tell_promise("callback_attempt_failed", promise, now.wall, **told)
        if callbacks.is_last(promise.policy, promise.attempts):
            self._orphans.append(promise.place)
            self._close(now, promise, "failed", result)

    def _close(self, now: Moment, promise: Promise, state: str, result: str) -> None:
        del self._books.promises[promise.callback_id]
        self._dialled.pop(promise.dialled_as, None)
        promise.state, promise.dialled_as = state, ""
        told = {"state": state, "result": result, "attempts": promise.attempts}
        self._books.ledger.tell_promise("callback_closed", promise, now.wall, **told)

    def _tidy(self, now: Moment) -> None:
        """End promises without a place, what has expired, and places without a promise."""
        for promise in list(self._books.promises.values()):
            if promise.place.state == "left":
                self._close_left(now, promise)
        for promise in list(self._books.promises.values()):
            if not promise.dialled_as and promise.expires_at <= now.wall:
                self._orphans.append(promise.place)
                self._close(now, promise, "expired", "")
        orphans, self._orphans = self._orphans, []
        for place in orphans:
            self._places.let_go(now, place, LeftBecause.CALLBACK, now.wall)

    def _close_left(self, now: Moment, promise: Promise) -> None:
        if promise.place.left_because == LeftBecause.SERVED:
            self._talked(now, promise)
        else:
            self._close(now, promise, "failed", promise.place.left_because)

    def _talked(self, now: Moment, promise: Promise) -> None:
        """It is kept: the customer has had an agent."""
        promise.attempts += not callbacks.counts_when_dialled(promise.policy)
        self._close(now, promise, "done", LeftBecause.SERVED.value)


def _is_due(promise: Promise, now: Moment) -> bool:
    is_dialled = promise.dialled_as != ""
    return callbacks.is_due(promise.policy, is_dialled=is_dialled, due_at=promise.due_at, wall=now.wall)


def _handled_s(offer: Offer) -> float:
    assert offer.joined_at is not None
    return (offer.wrap_up_ended_at or offer.talk_ended_at or offer.joined_at) - offer.joined_at
