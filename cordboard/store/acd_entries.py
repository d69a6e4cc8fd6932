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
_LEFT = select(queue_entries).where(
    queue_entries.c.call_id == bindparam("b_call"),
    queue_entries.c.queue == bindparam("b_queue"),
    queue_entries.c.state == "left",
)
_LEFT_THEN = _LEFT.where(queue_entries.c.left_at == bindparam("b_at"))
_WAITED_TOO_LONG = (
    _LEFT.where(
        queue_entries.c.left_because == LeftBecause.MAX_WAIT.value, queue_entries.c.left_at > bindparam("b_since")
    )
    .order_by(queue_entries.c.left_at.desc())
    .limit(1)
)
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
    """A caller's place. fence: counts who held the call, so that one who lost it is told apart. left: why it is one
    no more, None if it is.
    """

    entry_id: str
    fence: int
    entered_at: float
    entered_boot: float
    left: LeftBecause | None = None


def live_entry(turn: Turn, call_id: str) -> Row[Any] | None:
    """The call's row while it waits, or talks with an agent; None if it does neither."""
    return turn.row(_LIVE_OF_CALL, b_call=call_id)


def enter(turn: Turn, entering: Entering) -> Place:
    """A new place, or the one the call has, or had until its wait was over."""
    turn.may_match = True
    entry = live_entry(turn, entering.call_id)
    if entry is not None and entry.queue == entering.queue and entry.state != "talking":
        return _retake(turn, entry, entering)
    if entry is None and (over := _waited_too_long(turn, entering)) is not None:
        return _place(over, LeftBecause.MAX_WAIT)
    if entry is not None:
        _leave_behind(turn, entry)
    return _enter_anew(turn, entering)


def _retake(turn: Turn, entry: Row[Any], entering: Entering) -> Place:
    """An offer nobody has rung yet stays. A phone that was to ring did not: else the call would not be here."""
    offer = acd_offers.open_offer_of(turn, entry.entry_id)
    if offer is not None and offer.state != OfferState.OFFERED:
        acd_offers.end_without_talk(turn, offer, OfferEnd.WITHDRAWN, turn.now.wall)
    if entering.max_wait_s is not None and turn.now.boot - entry.entered_boot >= entering.max_wait_s:
        _leave(turn, entry, LeftBecause.MAX_WAIT, turn.now.wall)
        return _place(entry, LeftBecause.MAX_WAIT)
    turn.run(
        _RETAKE,
        b_entry=entry.entry_id,
        b_owner=entering.owner,
        b_leg=entering.leg_id,
        b_until=turn.now.boot + LEASE_S,
    )
    turn.changed = True
    return Place(entry.entry_id, entry.fence + 1, entry.entered_at, entry.entered_boot)


def _waited_too_long(turn: Turn, entering: Entering) -> Row[Any] | None:
    """Their place, if it was ended since they came: the worker that was to be told asks again."""
    if entering.max_wait_s is None:
        return None
    return turn.row(_WAITED_TOO_LONG, b_call=entering.call_id, b_queue=entering.queue, b_since=entering.entered_at)


def _place(entry: Row[Any], left: LeftBecause) -> Place:
    return Place(entry.entry_id, entry.fence, entry.entered_at, entry.entered_boot, left)


def _leave_behind(turn: Turn, entry: Row[Any]) -> None:
    """The call is at another queue now, and nobody has said how it left this one."""
    is_over = turn.now.boot >= entry.entered_boot + turn.queue(entry.queue).max_wait_s
    _leave(turn, entry, LeftBecause.MAX_WAIT if is_over else LeftBecause.LOST, turn.now.wall)


def _enter_anew(turn: Turn, entering: Entering) -> Place:
    row = _row(turn, entering, _party_ref(turn, entering.call_id))
    _insert(turn, row)
    return Place(row["entry_id"], 1, entering.entered_at, row["entered_boot"])


def _insert(turn: Turn, row: dict[str, Any]) -> _Named:
    turn.run(_NEW, **row)
    place = _Named(row["entry_id"], row["call_id"], row["queue"], row["party_ref"])
    told = {"priority": row["priority"], "language": row["language"]}
    turn.tell_entry("entered_queue", place, row["entered_at"], **told)
    return place


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
        "entered_boot": _entered_boot(turn, entering),
        "state": "waiting",
        "owner": entering.owner,
        "lease_until": turn.now.boot + LEASE_S,
        "fence": 1,
        "left_at": None,
        "left_because": None,
        "party_ref": party_ref,
    }


def _entered_boot(turn: Turn, entering: Entering) -> float:
    if entering.entered_boot is not None:
        return entering.entered_boot
    return turn.now.boot - (turn.now.wall - entering.entered_at)


def leave(
    turn: Turn, call_id: str, because: LeftBecause, at: float, *, entry_id: str = "", fence: int | None = None
) -> None:
    """The caller is gone from the queue. Nothing if they have left it already; a talk is not ended by it.

    entry_id, fence: only if it is this place, and still held by whoever held it then; any if not given.
    """
    entry = live_entry(turn, call_id)
    if entry is not None and entry_id in ("", entry.entry_id) and fence in (None, entry.fence):
        _leave(turn, entry, because, at)


def come_and_go(turn: Turn, entering: Entering, because: LeftBecause, left_at: float) -> None:
    """A stay that is over, told after its end. Nothing if it was told before. The place which the call had already
    is left; one that it has got since, or has in another queue, is none of this.
    """
    if turn.rows(_LEFT_THEN, b_call=entering.call_id, b_queue=entering.queue, b_at=left_at):
        return
    entry = live_entry(turn, entering.call_id)
    if entry is not None and _is_of_this_stay(entry, entering):
        _leave(turn, entry, because, left_at)
        return
    row = _row(turn, entering, _party_ref(turn, entering.call_id))
    gone = {"state": "left", "left_at": left_at, "left_because": because.value}
    place = _insert(turn, row | gone)
    _tell_left(turn, place, because, left_at, entering.entered_at)


def _is_of_this_stay(entry: Row[Any], entering: Entering) -> bool:
    is_in_line = entry.state != "talking" and entry.queue == entering.queue
    return bool(is_in_line and entry.entered_at <= entering.entered_at)


def _leave(turn: Turn, entry: Row[Any], because: LeftBecause, at: float) -> None:
    if entry.state == "talking":
        acd_offers.close_entry(turn, entry.entry_id)
        turn.changed = True
        return
    offer = acd_offers.open_offer_of(turn, entry.entry_id)
    if offer is not None:
        acd_offers.end_without_talk(turn, offer, _end_of_offer(because), max(at, offer.made_at))
    turn.run(_LEAVE, b_entry=entry.entry_id, b_at=at, b_because=because.value)
    _tell_left(turn, entry, because, at, entry.entered_at)


def _tell_left(turn: Turn, entry: object, because: LeftBecause, at: float, entered_at: float) -> None:
    turn.tell_entry("left_queue", entry, at, because=because.value, wait_s=max(0.0, at - entered_at))


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
