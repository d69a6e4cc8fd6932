"""The older place of somebody who calls again: to be called back, or cut off before. Called by `acd_entering`.

A place with an identity that a flow has confirmed goes to who has the same again, from whatever number, and to
nobody else. Without one it goes to who calls from the same number, in full and not withheld: a caller without a
number is a party of their own, so nobody else's place is theirs.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, and_, bindparam, or_, select

from cordboard.acd.cut_off import keeps_places
from cordboard.store import acd_away, callback_closing
from cordboard.store.acd_entries import PUT_THERE
from cordboard.store.acd_values import Entering
from cordboard.store.callers import party_of_call
from cordboard.store.state_conditions import AWAY, OPEN_CALLBACK
from cordboard.store.tables import callbacks, queue_entries
from cordboard.store.turn import Turn

_NOBODY = "-"  # no party and no identity is called that

_HAS_THE_IDENTITY = queue_entries.c.identity == bindparam("b_identity")
_HAS_NO_IDENTITY = queue_entries.c.identity == ""
_PROMISED = (
    select(queue_entries, callbacks.c.callback_id)
    .join(callbacks, callbacks.c.entry_id == queue_entries.c.entry_id)
    .where(
        callbacks.c.queue == bindparam("b_queue"),
        OPEN_CALLBACK,
        AWAY,
        or_(_HAS_THE_IDENTITY, and_(_HAS_NO_IDENTITY, callbacks.c.party_ref == bindparam("b_party"))),
    )
    .order_by(queue_entries.c.identity.desc(), queue_entries.c.stands_at)
    .limit(1)
)
_CUT_OFF = (
    select(queue_entries)
    .where(
        AWAY,
        PUT_THERE,
        queue_entries.c.kind.in_(("cut_off", "hung_up")),
        or_(_HAS_THE_IDENTITY, and_(_HAS_NO_IDENTITY, queue_entries.c.party_ref == bindparam("b_party"))),
    )
    .order_by(queue_entries.c.identity.desc(), queue_entries.c.stands_at)
    .limit(1)
)


def take(turn: Turn, entering: Entering) -> Row[Any] | None:
    """Give the call the place that is kept for whoever it is from; that place, None if there is none."""
    queue = turn.queue(entering.queue)
    if queue.callback is None and queue.cut_off is None:
        return None
    party_ref, identity = party_of_call(turn, entering.call_id) or _NOBODY, entering.identity or _NOBODY
    if (party_ref, identity) == (_NOBODY, _NOBODY):
        return None
    place = _promised(turn, queue.name, party_ref, identity) or _cut_off(turn, queue.name, party_ref, identity)
    if place is None or not acd_away.pass_on(turn, place.entry_id, entering.call_id):
        return None
    return acd_away.find_entry(turn, place.entry_id)


def has_owner(turn: Turn, entry: Row[Any]) -> bool:
    """Whether anybody could have this place again, if it were held: by an identity, or a number if that will do."""
    policy = turn.queue(entry.queue).cut_off
    if entry.identity:
        return True
    return policy is not None and policy.identity == "number" and party_of_call(turn, entry.call_id) != ""


def _promised(turn: Turn, queue: str, party_ref: str, identity: str) -> Row[Any] | None:
    """The place of who is to be called back; they need not be any more."""
    place = turn.row(_PROMISED, b_queue=queue, b_party=party_ref, b_identity=identity)
    if place is not None:
        callback_closing.close(turn, place.callback_id, "taken", "called themselves")
    return place


def _cut_off(turn: Turn, queue: str, party_ref: str, identity: str) -> Row[Any] | None:
    policy = turn.queue(queue).cut_off
    if policy is None or not keeps_places(policy):
        return None
    who = party_ref if policy.identity == "number" else _NOBODY
    return turn.row(_CUT_OFF, b_queue=queue, b_party=who, b_identity=identity)
