"""Places in queues, in the store: entering, coming back to the same place, leaving. Called by `AcdStore`.

A call that comes back (its worker died, an announcement was cut short, a phone rang in vain) keeps its place:
the row and its `entered_at` stay, only owner, lease and fence change.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select, text, tuple_, update

from cordboard.acd.model import LeftBecause, OfferEnd, OfferState
from cordboard.store import acd_offers
from cordboard.store.acd_values import Entering
from cordboard.store.state_conditions import IN_LINE, LIVE_ENTRY
from cordboard.store.tables import callers, queue_entries
from cordboard.store.turn import Turn
from cordboard.telephony.call_id import new_call_id

LEASE_S = 3.0  # renewed each second

_this = queue_entries.c.entry_id == bindparam("b_entry")
_NEW = insert(queue_entries)
_LIVE_OF_CALL = select(queue_entries).where(LIVE_ENTRY, queue_entries.c.call_id == bindparam("b_call"))
_PARTY_OF_CALL = select(callers.c.party_ref).where(callers.c.call_id == bindparam("b_call"))
_RETAKE = (
    update(queue_entries)
    .where(_this)
    .values(
        owner=bindparam("b_owner"),
        leg_id=bindparam("b_leg"),
        lease_until=bindparam("b_until"),
        fence=queue_entries.c.fence + 1,
    )
)
_LEAVE = (
    update(queue_entries)
    .where(_this)
    .values(state="left", left_at=bindparam("b_at"), left_because=bindparam("b_because"))
)
_RENEW = (
    update(queue_entries)
    .where(IN_LINE, queue_entries.c.owner == bindparam("b_owner"))
    .values(lease_until=bindparam("b_until"))
)
_RENEW_SOME = _RENEW.where(queue_entries.c.call_id.in_(bindparam("b_calls", expanding=True)))

_ahead = queue_entries.alias("ahead")
_AHEAD = select(func.count()).where(
    text("ahead.state <> 'left' AND ahead.state <> 'talking'"),
    _ahead.c.queue == bindparam("b_queue"),
    tuple_(-_ahead.c.priority, _ahead.c.entered_at, _ahead.c.call_id)
    < tuple_(bindparam("b_minus_priority"), bindparam("b_entered_at"), bindparam("b_call")),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A caller's place. fence: counts who held the call, so that one who lost it is told apart."""

    entry_id: str
    fence: int
    entered_at: float


def live_entry(turn: Turn, call_id: str) -> Row[Any] | None:
    """The call's row while it waits, or talks with an agent; None if it does neither."""
    return turn.row(_LIVE_OF_CALL, b_call=call_id)


def enter(turn: Turn, entering: Entering) -> Place:
    """A new place, or the one the call has."""
    turn.may_match = True
    entry = live_entry(turn, entering.call_id)
    if entry is not None and entry.queue == entering.queue and entry.state != "talking":
        return _retake(turn, entry, entering)
    if entry is not None:
        _leave_behind(turn, entry)
    return _enter_anew(turn, entering)


def _retake(turn: Turn, entry: Row[Any], entering: Entering) -> Place:
    """An offer nobody has rung yet stays. A phone that was to ring did not: else the call would not be here."""
    offer = acd_offers.open_offer_of(turn, entry.entry_id)
    if offer is not None and offer.state != OfferState.OFFERED:
        acd_offers.end_without_talk(turn, offer, OfferEnd.WITHDRAWN, turn.now.wall)
    turn.run(
        _RETAKE,
        b_entry=entry.entry_id,
        b_owner=entering.owner,
        b_leg=entering.leg_id,
        b_until=turn.now.boot + LEASE_S,
    )
    turn.changed = True
    return Place(entry.entry_id, entry.fence + 1, entry.entered_at)


def _leave_behind(turn: Turn, entry: Row[Any]) -> None:
    """The call is at another queue now, and nobody has said how it left this one."""
    is_over = turn.now.wall >= entry.entered_at + turn.queue(entry.queue).max_wait_s
    _leave(turn, entry, LeftBecause.MAX_WAIT if is_over else LeftBecause.LOST, turn.now.wall)


def _enter_anew(turn: Turn, entering: Entering) -> Place:
    row = _row(turn, entering, _party_ref(turn, entering.call_id))
    turn.run(_NEW, **row)
    place = _Named(row["entry_id"], row["call_id"], row["queue"], row["party_ref"])
    turn.tell_entry(
        "entered_queue", place, entering.entered_at, priority=entering.priority, language=entering.language
    )
    return Place(place.entry_id, 1, entering.entered_at)


@dataclass(frozen=True, slots=True)
class _Named:
    entry_id: str
    call_id: str
    queue: str
    party_ref: str


def _party_ref(turn: Turn, call_id: str) -> str:
    """Who calls, if it was noted already."""
    row = turn.row(_PARTY_OF_CALL, b_call=call_id)
    return "" if row is None else str(row.party_ref)


def _row(turn: Turn, entering: Entering, party_ref: str) -> dict[str, Any]:
    return {
        "entry_id": new_call_id(),
        "call_id": entering.call_id,
        "queue": entering.queue,
        "leg_id": entering.leg_id,
        "switch": entering.switch,
        "priority": entering.priority,
        "language": entering.language,
        "entered_at": entering.entered_at,
        "state": "waiting",
        "owner": entering.owner,
        "lease_until": turn.now.boot + LEASE_S,
        "fence": 1,
        "left_at": None,
        "left_because": None,
        "party_ref": party_ref,
    }


def leave(turn: Turn, call_id: str, because: LeftBecause, at: float) -> None:
    """The caller is gone from the queue. Nothing if they have left it already; a talk is not ended by it."""
    entry = live_entry(turn, call_id)
    if entry is not None:
        _leave(turn, entry, because, at)


def _leave(turn: Turn, entry: Row[Any], because: LeftBecause, at: float) -> None:
    if entry.state == "talking":
        acd_offers.close_entry(turn, entry.entry_id)
        turn.changed = True
        return
    offer = acd_offers.open_offer_of(turn, entry.entry_id)
    if offer is not None:
        acd_offers.end_without_talk(turn, offer, _end_of_offer(because), max(at, offer.made_at))
    turn.run(_LEAVE, b_entry=entry.entry_id, b_at=at, b_because=because.value)
    turn.tell_entry("left_queue", entry, at, because=because.value, wait_s=max(0.0, at - entry.entered_at))


def _end_of_offer(because: LeftBecause) -> OfferEnd:
    is_gone = because in (LeftBecause.ABANDONED, LeftBecause.LOST)
    return OfferEnd.CALLER_LEFT if is_gone else OfferEnd.WITHDRAWN


def renew_leases(turn: Turn, owner: str, call_ids: Collection[str] | None) -> None:
    """The owner is alive, and holds these calls; all of its calls if None."""
    until = turn.now.boot + LEASE_S
    if call_ids is None:
        turn.run(_RENEW, b_owner=owner, b_until=until)
    elif call_ids:
        turn.run(_RENEW_SOME, b_owner=owner, b_until=until, b_calls=list(call_ids))


def position(turn: Turn, call_id: str) -> int | None:
    """The caller's place in line, from 1; None for one who does not wait."""
    entry = live_entry(turn, call_id)
    if entry is None or entry.state == "talking":
        return None
    ahead = turn.connection.execute(
        _AHEAD,
        {
            "b_queue": entry.queue,
            "b_minus_priority": -entry.priority,
            "b_entered_at": entry.entered_at,
            "b_call": call_id,
        },
    ).scalar_one()
    return int(ahead) + 1
