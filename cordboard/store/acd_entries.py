"""Places in queues: the row of one, how it is written and found, its lease, and where it stands in line.

Used by who brings callers in (`acd_entering`), takes them out (`acd_leaving`) and keeps places for those who are
away (`acd_away`). Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, or_, select, text, tuple_, update

from cordboard.acd.model import Needs
from cordboard.acd.needs_json import needs_from_json
from cordboard.store import acd_needs
from cordboard.store.acd_values import Entering, HeldPlace
from cordboard.store.state_conditions import IN_LINE, LIVE_ENTRY
from cordboard.store.tables import queue_entries
from cordboard.store.turn import Turn
from cordboard.telephony.call_id import new_call_id

LEASE_S = 3.0  # renewed each second

_NEW = insert(queue_entries)
_LIVE_OF_CALL = select(queue_entries).where(LIVE_ENTRY, queue_entries.c.call_id == bindparam("b_call"))
PUT_THERE = or_(queue_entries.c.queue == bindparam("b_queue"), queue_entries.c.asked_queue == bindparam("b_queue"))
"""A place in this queue, or one that was asked for there and has gone on by overflow. See `is_put_there`."""
_RENEW = (
    update(queue_entries)
    .where(IN_LINE, queue_entries.c.owner == bindparam("b_owner"))
    .values(lease_until=bindparam("b_until"))
)
_RENEW_SOME = _RENEW.where(queue_entries.c.call_id.in_(bindparam("b_calls", expanding=True)))

_TELL_PLACE = (
    update(queue_entries)
    .where(IN_LINE, queue_entries.c.call_id == bindparam("b_call"), queue_entries.c.queue == bindparam("b_queue"))
    .values(told_place=bindparam("b_place"))
)

_ahead = queue_entries.alias("ahead")
_AHEAD = select(func.count()).where(
    text("ahead.state <> 'left' AND ahead.state <> 'talking'"),
    _ahead.c.queue == bindparam("b_queue"),
    tuple_(-_ahead.c.rank, _ahead.c.stands_at, _ahead.c.call_id)
    < tuple_(bindparam("b_minus_rank"), bindparam("b_stands_at"), bindparam("b_call")),
)


def live_entry(turn: Turn, call_id: str) -> Row[Any] | None:
    """The call's row while it has a place, or talks with an agent; None if it does neither."""
    return turn.row(_LIVE_OF_CALL, b_call=call_id)


def note_told_place(turn: Turn, call_id: str, queue: str, place: int) -> None:
    """The caller is told their place in line, for whoever holds the call next. Nothing if they have left it."""
    turn.run(_TELL_PLACE, b_call=call_id, b_queue=queue, b_place=place)


def held_entry(turn: Turn, call_id: str, held: HeldPlace | None) -> Row[Any] | None:
    """As `live_entry`, but no other place than this one, and none that somebody else holds since. held: None for
    any.
    """
    entry = live_entry(turn, call_id)
    if entry is None or held is None:
        return entry
    is_it = held.entry_id == entry.entry_id and held.fence in (None, entry.fence)
    return entry if is_it else None


def is_put_there(entry: Row[Any], entering: Entering) -> bool:
    """Whether the place is where the call is put now, or was asked for there: `PUT_THERE` of a row."""
    return entering.queue in (entry.queue, entry.asked_queue)


def needs_of(entry: Row[Any]) -> Needs:
    """What the flow has asked for on coming, without what the queue asks of everybody, whatever was relaxed
    since; and who has refused the call.
    """
    needs = needs_from_json(entry.needs)
    return needs if entry.own_needs is None else replace(needs_from_json(entry.own_needs), refused=needs.refused)


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A place by the names that the ledger tells of it."""

    entry_id: str
    call_id: str
    queue: str
    party_ref: str


def new_row(turn: Turn, entering: Entering, party_ref: str) -> dict[str, Any]:
    """What a new place is written with: of one who waits, held by who has brought the caller."""
    entry_id, entered_boot = new_call_id(), boot_of(turn, entering)
    return {
        "entry_id": entry_id,
        "call_id": entering.call_id,
        "queue": entering.queue,
        "leg_id": entering.leg_id,
        "switch": entering.switch,
        "priority": entering.priority,
        "language": entering.language,
        "entered_at": entering.entered_at,
        "entered_boot": entered_boot,
        "state": "waiting",
        "owner": entering.owner,
        "lease_until": turn.now.boot + LEASE_S,
        "fence": 1,
        "left_at": None,
        "left_because": None,
        "party_ref": party_ref,
        "identity": entering.identity,
        "visit": entering.visit,
        **acd_needs.columns(turn, entering, entry_id, entered_boot, party_ref),
    }


def boot_of(turn: Turn, entering: Entering) -> float:
    """When the caller came, on the boot clock."""
    if entering.entered_boot is not None:
        return entering.entered_boot
    return turn.now.boot - (turn.now.wall - entering.entered_at)


def add(turn: Turn, row: dict[str, Any]) -> NamedPlace:
    """Write a new place, and tell of it."""
    turn.run(_NEW, **row)
    place = NamedPlace(row["entry_id"], row["call_id"], row["queue"], row["party_ref"])
    told = {"priority": row["priority"], "language": row["language"], "leg": row["leg_id"], **acd_needs.told(row)}
    if row.get("kind", "call") != "call":
        told |= {"entry_kind": row["kind"]}
    turn.tell_entry("entered_queue", place, row["entered_at"], **told, position=place_in_line(turn, **row))
    return place


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
    return place_in_line(turn, **entry._mapping)


def place_in_line(turn: Turn, *, queue: str, rank: int, stands_at: float, call_id: str, **_others: object) -> int:
    """From 1; of one who has left, the place they would have."""
    ahead = turn.connection.execute(
        _AHEAD,
        {"b_queue": queue, "b_minus_rank": -rank, "b_stands_at": stands_at, "b_call": call_id},
    ).scalar_one()
    return int(ahead) + 1
