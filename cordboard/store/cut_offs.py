"""Calls that have ended without anybody having hung up: places held, talks taken up again. Called by the store.

The switch tells it with a cause (`note_left`), before or after the worker has noticed that its caller is gone. Who
waited keeps the place for a while, if there is anybody who could have it again (`older_places` says so, and gives
it back). Who talked is rung back: as a callback of its own kind, which is dialled at once, stands where the caller
stood and is kept for the same agent first.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, or_, select

from cordboard.acd import cut_off
from cordboard.acd.callback_policy import RING_BACK
from cordboard.acd.model import LeftBecause, OfferEnd, OfferState
from cordboard.acd.needs_json import needs_from_json
from cordboard.acd.place_keeping import when_told
from cordboard.store import acd_away, acd_entries, acd_leaving, callback_attempts, callbacks, older_places
from cordboard.store.acd_values import Entering
from cordboard.store.callers import party_of_call
from cordboard.store.tables import offers, queue_entries
from cordboard.store.turn import Turn
from cordboard.telephony.call_id import new_call_id

JUST_S = 5.0  # the agent's leg ends a moment before or after the caller's

_TALK = (
    select(offers, queue_entries.c.needs, queue_entries.c.entered_at, queue_entries.c.entered_boot)
    .add_columns(*(queue_entries.c[name] for name in ("priority", "language", "switch", "identity")))
    .join(queue_entries, queue_entries.c.entry_id == offers.c.entry_id)
    .where(
        offers.c.call_id == bindparam("b_call"),
        or_(
            offers.c.state == OfferState.TALKING.value,
            (offers.c.end == OfferEnd.SERVED.value) & (offers.c.talk_ended_at >= bindparam("b_since")),
        ),
    )
    .order_by(offers.c.made_at.desc())
    .limit(1)
)


def note_left(turn: Turn, call_id: str, cause: int, at: float) -> None:
    """A leg has ended with this cause. at: seconds since 1970. Told twice it changes nothing the second time."""
    entry = acd_entries.live_entry(turn, call_id)
    if entry is not None and entry.state != "talking":
        _note_waiting(turn, entry, cause, at)
        return
    talk = turn.row(_TALK, b_call=call_id, b_since=at - JUST_S)
    if talk is not None:
        policy = turn.queue(talk.queue).cut_off
        if policy is not None and policy.ring_back and cut_off.is_cut_off(policy, cause):
            _ring_back(turn, talk, policy.agent_s, at)


def _note_waiting(turn: Turn, entry: Row[Any], cause: int, at: float) -> None:
    policy = turn.queue(entry.queue).cut_off
    if policy is None or not cut_off.keeps_places(policy):
        return
    is_called_back = callback_attempts.mode_of(turn, entry) is not None
    has_owner = older_places.has_owner(turn, entry)
    match when_told(entry.state, entry.kind, cause, policy, is_called_back=is_called_back, has_owner=has_owner):
        case "hung_up":
            acd_leaving.give_up(turn, entry, LeftBecause.ABANDONED, at)
        case "attempt_failed":
            callback_attempts.cut_off(turn, entry)
        case "nobodys":
            acd_leaving.give_up(turn, entry, LeftBecause.CUT_OFF, at)
        case "held":
            acd_away.go_away(turn, entry, turn.now.boot + policy.hold_s, kind="cut_off")


def _ring_back(turn: Turn, talk: Row[Any], agent_s: float, at: float) -> None:
    """Have the customer called, in a new place where they stood. Who withheld their number cannot be."""
    party_ref = party_of_call(turn, talk.call_id)
    known = callbacks.open_for(turn.connection, talk.queue, party_ref) if party_ref else None
    if known is not None and known.entry_id == talk.entry_id:  # this talk was that callback
        callback_attempts.talked(turn, known.callback_id, known.mode)
    elif known is not None or not party_ref:
        return
    entering = _where_they_stood(turn, talk, agent_s)
    made = callbacks.Promise(
        callback_id=entering.call_id,
        call_id=talk.call_id,
        queue=talk.queue,
        party_ref=party_ref,
        language=talk.language,
        priority=talk.priority,
        requested_at=at,
        entered_at=talk.entered_at,
        entry_id=acd_away.keep(turn, entering, party_ref, kind="callback"),
        expires_at=at + RING_BACK.expires_s,
        reason="cut_off",
        prefers_agent=talk.agent,
    )
    callbacks.promise(turn, made)


def _where_they_stood(turn: Turn, talk: Row[Any], agent_s: float) -> Entering:
    """The customer's new place, under the id of the callback: as old as theirs was, for the same agent first."""
    waited_s = turn.now.wall - talk.entered_at
    return Entering(
        call_id=new_call_id(),
        leg_id="",
        switch=talk.switch,
        queue=talk.queue,
        language=talk.language,
        priority=talk.priority,
        entered_at=talk.entered_at,
        owner="",
        needs=cut_off.needs_of_ring_back(needs_from_json(talk.needs), talk.agent, waited_s, agent_s),
        identity=talk.identity,
    )
