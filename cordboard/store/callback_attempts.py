"""Attempts to call somebody back: begun, and what came of them. Called by the store's transactions.

While an attempt is under way, the place that is kept belongs to its call id, so that its leg finds it like any call
that comes back. Otherwise it belongs to the id of the callback itself. An attempt counts when the customer's phone
was rung; an agent who did not take the call is no failed attempt. The next one is due a while after this has ended.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, and_, bindparam, or_, select, update

from cordboard.acd import callbacks as rules
from cordboard.acd.callback_policy import RING_BACK, CallbackPolicy, DialMode
from cordboard.acd.model import Activity, LeftBecause
from cordboard.store import acd_agents, acd_away, callback_closing
from cordboard.store.acd_presence import find_agent
from cordboard.store.state_conditions import OPEN_CALLBACK
from cordboard.store.tables import callbacks, offers, parties
from cordboard.store.turn import Turn
from cordboard.telephony.call_id import new_call_id

NOT_REACHED = "not reached"  # after an agent has taken the call, until the switch says why
MARGIN_S = 20.0  # from the ringing to the queue: an answering machine is listened to, a flow speaks

_this = callbacks.c.callback_id == bindparam("b_id")
_BEGIN = (
    update(callbacks)
    .where(_this, OPEN_CALLBACK, callbacks.c.leg_id == "")
    .values(
        leg_id=bindparam("b_leg"),
        mode=bindparam("b_mode"),
        dial_until=bindparam("b_until"),
        last_result="",
        attempts=callbacks.c.attempts + bindparam("b_counts"),
    )
)
_COUNT = update(callbacks).where(_this).values(attempts=callbacks.c.attempts + 1)
_END = (
    update(callbacks)
    .where(_this, OPEN_CALLBACK)
    .values(
        leg_id="",
        dial_until=None,
        last_result=bindparam("b_result"),
        due_at=bindparam("b_due"),
        attempts=callbacks.c.attempts - bindparam("b_uncounted"),
    )
    .returning(callbacks)
)
_NOT_REACHED = (
    update(callbacks)
    .where(
        or_(
            callbacks.c.leg_id == bindparam("b_leg"),  # told before the leg was missed, or after it
            and_(
                callbacks.c.last_result == NOT_REACHED,
                callbacks.c.entry_id.in_(select(offers.c.entry_id).where(offers.c.call_id == bindparam("b_call"))),
            ),
        )
    )
    .values(last_result=bindparam("b_result"))
)
_EXTEND = update(callbacks).where(_this).values(dial_until=bindparam("b_until"))
_OF_LEG = select(callbacks).where(callbacks.c.leg_id == bindparam("b_leg"), OPEN_CALLBACK)
_OF_ENTRY = select(callbacks).where(callbacks.c.entry_id == bindparam("b_entry"), OPEN_CALLBACK)
_NUMBER = select(parties.c.number).where(parties.c.party_ref == bindparam("b_party"))
_WAS_TAKEN = (
    select(offers.c.offer_id)
    .where(offers.c.call_id == bindparam("b_call"), offers.c.answered_at.is_not(None))
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A customer to be dialled now. call_id: what the leg enters with, and leg_id is made of."""

    callback_id: str
    call_id: str
    leg_id: str
    queue: str
    number: str = field(repr=False)
    policy: CallbackPolicy


@dataclass(frozen=True, slots=True)
class CalledBack:
    """What a leg that was made is to do. flow: "" for straight into the queue."""

    queue: str
    language: str
    priority: int
    flow: str


def policy_of(turn: Turn, callback: Row[Any]) -> CallbackPolicy | None:
    """How this one is called back; None if people call."""
    return RING_BACK if callback.reason == "cut_off" else turn.queue(callback.queue).callback


def leg_of(call_id: str) -> str:
    """The id of the leg of an attempt."""
    return f"callback-{call_id}"


def begin(turn: Turn, callback: Row[Any], policy: CallbackPolicy) -> Attempt | None:
    """Claim an attempt; None if another process was faster, or nobody knows the number any more."""
    number = turn.row(_NUMBER, b_party=callback.party_ref)
    if number is None:
        callback_closing.close(turn, callback.callback_id, "erased", "")
        return None
    call_id = new_call_id()
    until = turn.now.boot + policy.ring_s + MARGIN_S
    counts = 1 if rules.counts_when_dialled(policy) else 0
    about = {"b_id": callback.callback_id, "b_leg": leg_of(call_id), "b_mode": policy.dial}
    if turn.run(_BEGIN, **about, b_until=until, b_counts=counts) != 1:
        return None
    acd_away.pass_on(turn, callback.entry_id, call_id)
    turn.tell_callback("callback_dialled", callback, attempt=callback.attempts + 1, mode=policy.dial)
    return Attempt(callback.callback_id, call_id, leg_of(call_id), callback.queue, number.number, policy)


def ended(turn: Turn, call_id: str, result: str, *, counts: bool = True) -> None:
    """The leg of an attempt has ended, or there was none. Nothing if the customer waits, or talks with an agent.

    counts: not if their phone was never rung.
    """
    callback = turn.row(_OF_LEG, b_leg=leg_of(call_id))
    entry = None if callback is None else acd_away.find_entry(turn, callback.entry_id)
    if callback is not None and entry is not None and entry.state == "away":
        _fail(turn, callback, entry, result, counts=counts)


def lost(turn: Turn, entry: Row[Any], *, at_once: bool) -> None:
    """We have lost who waited in this place, or was to: no fault of theirs, and no attempt. at_once: they are due
    again now; otherwise after a while, as what has lost them may do so again.
    """
    callback = turn.row(_OF_ENTRY, b_entry=entry.entry_id)
    if callback is not None:
        _fail(turn, callback, entry, "lost", counts=False, at_once=at_once)


def declined(turn: Turn, call_id: str) -> None:
    """The customer has picked up, and their flow has ended without the queue: they do not want it any more."""
    callback = turn.row(_OF_LEG, b_leg=leg_of(call_id))
    entry = None if callback is None else acd_away.find_entry(turn, callback.entry_id)
    if callback is not None and entry is not None and entry.state == "away":
        callback_closing.close(turn, callback.callback_id, "declined", "picked up")


def mode_of(turn: Turn, entry: Row[Any]) -> str | None:
    """How the customer of this place is being called back; None if nobody calls them."""
    callback = turn.row(_OF_ENTRY, b_entry=entry.entry_id)
    return None if callback is None else str(callback.mode)


def kind_of(turn: Turn, entry: Row[Any]) -> str:
    """What the place of who is back was kept for: to be called back, also if they have stepped out of it since."""
    has_stepped_out = (entry.state, entry.kind) == ("away", "call")
    return "callback" if has_stepped_out and mode_of(turn, entry) is not None else str(entry.kind)


def leg_gone(turn: Turn, entry: Row[Any]) -> None:
    """The leg in this place is gone, and with it the attempt."""
    callback = turn.row(_OF_ENTRY, b_entry=entry.entry_id)
    if callback is None:
        return
    if callback.mode != "agent_first":
        _fail(turn, callback, entry, "hung up")
        return
    was_taken = turn.row(_WAS_TAKEN, b_call=entry.call_id) is not None
    if was_taken:
        count(turn, callback.callback_id)
    _fail(turn, callback, entry, (callback.last_result or NOT_REACHED) if was_taken else "no agent")


def note_not_reached(turn: Turn, call_id: str, result: str) -> None:
    """Why the customer did not come to the phone; told while the attempt is under way, or once it is over."""
    turn.run(_NOT_REACHED, b_leg=leg_of(call_id), b_call=call_id, b_result=result)


def count(turn: Turn, callback_id: str) -> None:
    """The customer's phone was rung."""
    turn.run(_COUNT, b_id=callback_id)


def arrived(turn: Turn, entry: Row[Any]) -> None:
    """The customer is on the phone. If a talk was cut off, its agent has not come to the end of it, and wraps up no
    longer.
    """
    callback = turn.row(_OF_ENTRY, b_entry=entry.entry_id)
    if callback is None or callback.reason != "cut_off":
        return
    agent = find_agent(turn, callback.prefers_agent)
    if agent is not None and agent.activity == Activity.WRAP_UP:
        acd_agents.end_wrap_up(turn, agent, turn.now.wall)


def cut_off(turn: Turn, entry: Row[Any]) -> None:
    """Whoever had been called back and waited in this place was cut off: they are called again."""
    callback = turn.row(_OF_ENTRY, b_entry=entry.entry_id)
    if callback is not None:
        _fail(turn, callback, entry, "cut off")


def talked(turn: Turn, callback_id: str, mode: str) -> None:
    """The promise is kept: the customer has had an agent. mode: who was rung first."""
    if mode == "agent_first":
        count(turn, callback_id)
    callback_closing.close(turn, callback_id, "done", LeftBecause.SERVED.value)


def extend(turn: Turn, callback_id: str) -> None:
    """The leg of an attempt lives: its customer listens to something."""
    turn.run(_EXTEND, b_id=callback_id, b_until=turn.now.boot + MARGIN_S)


def called_back(turn: Turn, call_id: str) -> CalledBack | None:
    """What the leg of this call is to do; None if nobody waits for it (any more)."""
    callback = turn.row(_OF_LEG, b_leg=leg_of(call_id))
    policy = None if callback is None else policy_of(turn, callback)
    if callback is None or policy is None:
        return None
    mode: DialMode = policy.dial
    flow = policy.flow if mode == "customer_first" else ""
    return CalledBack(callback.queue, callback.language, callback.priority, flow)


def _fail(
    turn: Turn, callback: Row[Any], entry: Row[Any], result: str, *, counts: bool = True, at_once: bool = False
) -> None:
    policy = policy_of(turn, callback) or CallbackPolicy()
    due_at = turn.now.wall + (0.0 if at_once else policy.retry_after_s)
    uncounted = 0 if counts else _counted(callback)
    after = turn.row(_END, b_id=callback.callback_id, b_result=result[:32], b_due=due_at, b_uncounted=uncounted)
    if after is None:
        return
    acd_away.go_away(turn, entry, None, kind="callback")
    acd_away.pass_on(turn, entry.entry_id, callback.callback_id)
    turn.tell_callback("callback_attempt_failed", after, result=result, attempts=after.attempts)
    if counts and rules.is_last(policy, after.attempts):
        callback_closing.close(turn, callback.callback_id, "failed", result)


def _counted(callback: Row[Any]) -> int:
    """As what the attempt under way has been counted already."""
    return 1 if callback.leg_id and callback.mode == "customer_first" else 0
