"""Taking callers out of queues, in the store: gone by themselves, sent out, or not back in time. Called by
`AcdStore`, and by whoever else ends a place.

Everybody who is gone leaves by `leave`, which asks `kept_places` whether the place stays all the same; who is sure
that it does not calls `give_up`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, select, update

from cordboard.acd.model import LeftBecause, OfferEnd
from cordboard.acd.place_keeping import GIVEN_UP
from cordboard.store import acd_away, acd_offers, kept_places
from cordboard.store.acd_entries import PUT_THERE, add, held_entry, is_put_there, live_entry, new_row, place_in_line
from cordboard.store.acd_values import Entering, HeldPlace
from cordboard.store.callers import ref_of_call
from cordboard.store.tables import queue_entries
from cordboard.store.turn import Turn

_LEFT_THEN = select(queue_entries.c.entry_id).where(
    queue_entries.c.call_id == bindparam("b_call"),
    PUT_THERE,
    queue_entries.c.state == "left",
    queue_entries.c.left_at == bindparam("b_at"),
)
_LEAVE = (
    update(queue_entries)
    .where(queue_entries.c.entry_id == bindparam("b_entry"))
    .values(
        state="left",
        left_at=bindparam("b_at"),
        left_because=bindparam("b_because"),
        exit_key=bindparam("b_key"),
    )
)


def leave(
    turn: Turn,
    call_id: str,
    because: LeftBecause,
    at: float,
    *,
    held: HeldPlace | None = None,
    key: str = "",
    rule: str = "",
) -> None:
    """The caller is gone from the queue. Nothing if they have left it already; a talk is not ended by it.

    held: only if it is this place, and still held as then; any if None. key: pressed to leave; rule: of the
    queue's overflow which sends them out, in words.
    """
    entry = held_entry(turn, call_id, held)
    if entry is None:
        return
    if because is LeftBecause.EXIT_KEY and entry.state == "away" and entry.kind != "call":
        return  # the place of who has stepped out, and is to be called back since
    if not kept_places.keeps(turn, entry, because, at):
        give_up(turn, entry, because, at, key, **({"rule": rule} if rule else {}))


def give_up(turn: Turn, entry: Row[Any], because: LeftBecause, at: float, key: str = "", **told: str) -> None:
    """End a place, whoever may come back to it. In a talk only the caller's part of it is over.

    key: pressed to leave; told: what the ledger is told besides.
    """
    if entry.state == "talking":
        acd_offers.close_entry(turn, entry.entry_id)
        turn.changed = True
        return
    acd_offers.end_open_offers(turn, entry.entry_id, _end_of_offer(because), at)
    turn.run(_LEAVE, b_entry=entry.entry_id, b_at=at, b_because=because.value, b_key=key)
    told |= {"key": key} if key else {}
    _tell_left(turn, entry, because, at, entry.entered_at, place_in_line(turn, **entry._mapping), **told)


def give_up_held(turn: Turn) -> None:
    """End the places that were kept for long enough, as of when that was over; of who has just gone, as of then."""
    for entry in acd_away.due(turn):
        if entry.held_until == 0.0 and kept_places.keeps_restarted(turn, entry):  # of an earlier boot
            continue
        late_s = turn.now.boot - entry.held_until if entry.held_until else 0.0
        give_up(turn, entry, GIVEN_UP[entry.kind], entry.left_at or turn.now.wall - late_s)


def come_and_go(turn: Turn, entering: Entering, because: LeftBecause, left_at: float) -> None:
    """A stay that is over, told after its end. Nothing if it was told before. The place which the call had already
    is left; one that it has got since, or has in another queue, is none of this.
    """
    if turn.rows(_LEFT_THEN, b_call=entering.call_id, b_queue=entering.queue, b_at=left_at):
        return
    entry = live_entry(turn, entering.call_id)
    if entry is not None and _is_of_this_stay(entry, entering):
        give_up(turn, entry, because, left_at)
        return
    row = new_row(turn, entering, ref_of_call(turn, entering.call_id))
    gone = {"state": "left", "left_at": left_at, "left_because": because.value}
    place = add(turn, row | gone)
    _tell_left(turn, place, because, left_at, entering.entered_at, place_in_line(turn, **row))


def _is_of_this_stay(entry: Row[Any], entering: Entering) -> bool:
    is_in_line = entry.state != "talking" and is_put_there(entry, entering)
    return bool(is_in_line and entry.entered_at <= entering.entered_at)


def _tell_left(
    turn: Turn,
    entry: object,
    because: LeftBecause,
    at: float,
    entered_at: float,
    position: int,
    **more: str,
) -> None:
    wait_s = max(0.0, at - entered_at)
    turn.tell_entry("left_queue", entry, at, because=because.value, wait_s=wait_s, position=position, **more)


def _end_of_offer(because: LeftBecause) -> OfferEnd:
    is_gone = because in (LeftBecause.ABANDONED, LeftBecause.LOST)
    return OfferEnd.CALLER_LEFT if is_gone else OfferEnd.WITHDRAWN
