"""Coming into queues, in the store: a new place, the one a call has already, or an older one. Called by `AcdStore`,
and by `acd_review` for who is sent on to another queue.

A call that comes back (its worker died, an announcement was cut short, a phone rang in vain) keeps its place:
the row and its `entered_at` stay, only owner, lease and fence change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, or_, select, update

from cordboard.acd.joining import Refusal
from cordboard.acd.model import LeftBecause, OfferEnd, OfferState
from cordboard.acd.place_keeping import GIVEN_UP
from cordboard.acd.reviewing import has_waited_too_long
from cordboard.store import acd_away, acd_needs, acd_offers, callback_attempts, older_places
from cordboard.store.acd_entries import (
    LEASE_S,
    PUT_THERE,
    add,
    boot_of,
    is_put_there,
    live_entry,
    needs_of,
    new_row,
)
from cordboard.store.acd_leaving import give_up
from cordboard.store.acd_standing import QueueStanding
from cordboard.store.acd_values import Entering
from cordboard.store.callers import ref_of_call
from cordboard.store.tables import queue_entries
from cordboard.store.turn import Turn

_LAST_LEFT = (
    select(queue_entries)
    .where(
        queue_entries.c.call_id == bindparam("b_call"),
        PUT_THERE,
        queue_entries.c.state == "left",
        or_(queue_entries.c.left_at > bindparam("b_since"), queue_entries.c.visit == bindparam("b_visit")),
    )
    .order_by(queue_entries.c.left_at.desc(), queue_entries.c.entry_id.desc())
    .limit(1)
)
_NO_VISIT = -1  # unlike 0, that of no place
_BY_RULES = (LeftBecause.MAX_WAIT, LeftBecause.EMPTY, LeftBecause.CLOSED, LeftBecause.OVERFLOW)
_this = queue_entries.c.entry_id == bindparam("b_entry")
_RETAKE = (
    update(queue_entries)
    .where(_this)
    .values(
        owner=bindparam("b_owner"),
        leg_id=bindparam("b_leg"),
        switch=bindparam("b_switch"),
        lease_until=bindparam("b_until"),
        fence=queue_entries.c.fence + 1,
        asked_queue=bindparam("b_asked"),
        visit=bindparam("b_visit"),
    )
)
_ASKED = update(queue_entries).where(_this).values(asked_queue=bindparam("b_asked"))
_CONFIRM = update(queue_entries).where(_this).values(identity=bindparam("b_identity"))


@dataclass(frozen=True, slots=True)
class Place:
    """A caller's place. fence: counts who held the call, so that one who lost it is told apart. left: why it is one
    no more, None if it is. kind: `call`, `callback` or `cut_off`, by what the place was kept for.
    queue: where it is, which after an overflow is another one than was asked for; refused: why there is none.
    key: pressed to leave it; told_place: the place in line that the caller was told last, 0 for none.
    """

    entry_id: str
    fence: int
    entered_at: float
    entered_boot: float
    left: LeftBecause | None = None
    kind: str = "call"
    queue: str = ""
    refused: Refusal | None = None
    key: str = ""
    told_place: int = 0


def enter(turn: Turn, entering: Entering) -> Place:
    """A new place, or the one the call has, or had until its wait was over."""
    entry = live_entry(turn, entering.call_id)
    turn.touched.update({entering.queue} if entry is None else {entering.queue, entry.queue})
    if entry is not None and _is_its_place(entry, entering):
        return _retake(turn, entry, entering)
    if entry is not None:
        _leave_behind(turn, entry)
    elif (over := _left_meanwhile(turn, entering)) is not None:
        return _place(over, LeftBecause(over.left_because))
    if (older := older_places.take(turn, entering)) is not None:
        turn.touched.add(older.queue)
        return _retake(turn, older, entering)
    refusal = QueueStanding(turn, entering.queue).why_refused(entering.needs)
    return _enter_anew(turn, entering) if refusal is None else _refuse(turn, entering, refusal)


def _is_its_place(entry: Row[Any], entering: Entering) -> bool:
    """Whether the call waits where it is put now, or has gone on from there by overflow; or keeps a place there."""
    if entry.state == "away":
        return is_put_there(entry, entering)
    return bool(entry.state != "talking" and (entry.asked_queue or entry.queue) == entering.queue)


def _refuse(turn: Turn, entering: Entering, refusal: Refusal) -> Place:
    """No place. Told once, however often it is tried for the same coming."""
    turn.tell_call("refused", entering.call_id, entering.queue, entering.entered_at, because=refusal)
    return Place("", 0, entering.entered_at, boot_of(turn, entering), refused=refusal)


def _retake(turn: Turn, entry: Row[Any], entering: Entering) -> Place:
    """An offer nobody has rung yet stays. A phone that was to ring did not: else the call would not be here."""
    for offer in acd_offers.open_offers_of(turn, entry.entry_id):
        if offer.state != OfferState.OFFERED:
            acd_offers.end_without_talk(turn, offer, OfferEnd.WITHDRAWN, turn.now.wall)
    kind = callback_attempts.kind_of(turn, entry)
    if has_waited_too_long(kind, turn.now.boot - entry.entered_boot, entering.max_wait_s):
        give_up(turn, entry, LeftBecause.MAX_WAIT, turn.now.wall)
        return _place(entry, LeftBecause.MAX_WAIT)
    turn.run(
        _RETAKE,
        b_entry=entry.entry_id,
        b_owner=entering.owner,
        b_leg=entering.leg_id,
        b_switch=entering.switch,
        b_until=turn.now.boot + LEASE_S,
        b_asked="" if entering.queue == entry.queue else entry.asked_queue,
        b_visit=entering.visit,
    )
    if entering.switch != entry.switch:  # called back on another one
        acd_needs.note_switch(turn, entry.entry_id, entering.switch)
    acd_away.come_back(turn, entry, kind)
    if entering.identity not in ("", entry.identity):  # confirmed since, in a menu
        turn.run(_CONFIRM, b_entry=entry.entry_id, b_identity=entering.identity)
    if kind == "callback":
        callback_attempts.arrived(turn, entry)
    turn.changed = True
    return Place(
        entry.entry_id,
        entry.fence + 1,
        entry.entered_at,
        entry.entered_boot,
        kind=kind,
        queue=entry.queue,
        told_place=entry.told_place,
    )


def _left_meanwhile(turn: Turn, entering: Entering) -> Row[Any] | None:
    """Their place, if a rule or a key of theirs has ended it: the worker that was to be told asks again, or the one
    to which the call has come in the same step of its flow.
    """
    about = {"b_call": entering.call_id, "b_queue": entering.queue}
    last = turn.row(_LAST_LEFT, **about, b_since=entering.entered_at, b_visit=entering.came_as or _NO_VISIT)
    return last if last is not None and (last.left_because in _BY_RULES or last.exit_key) else None


def _place(entry: Row[Any], left: LeftBecause) -> Place:
    return Place(entry.entry_id, entry.fence, entry.entered_at, entry.entered_boot, left, key=entry.exit_key)


def _leave_behind(turn: Turn, entry: Row[Any]) -> None:
    """The call is at another queue now, and nobody has said how it left this one."""
    if entry.state == "away":
        give_up(turn, entry, GIVEN_UP[entry.kind], turn.now.wall)
        return
    is_over = turn.now.boot >= entry.entered_boot + turn.queue(entry.queue).max_wait_s
    give_up(turn, entry, LeftBecause.MAX_WAIT if is_over else LeftBecause.LOST, turn.now.wall)


def _enter_anew(turn: Turn, entering: Entering) -> Place:
    row = new_row(turn, entering, ref_of_call(turn, entering.call_id))
    add(turn, row)
    return Place(row["entry_id"], 1, entering.entered_at, row["entered_boot"], queue=entering.queue)


def move_on(turn: Turn, entry: Row[Any], to: str, rule: str) -> Place:
    """Take a waiting caller out of one queue and into another, where their time of coming and priority count.

    rule: what of the first one's overflow has done it, in words.
    """
    give_up(turn, entry, LeftBecause.OVERFLOW, turn.now.wall, rule=rule, to=to)
    entering = Entering(
        call_id=entry.call_id,
        leg_id=entry.leg_id,
        switch=entry.switch,
        queue=to,
        language=entry.language,
        priority=entry.priority,
        entered_at=entry.entered_at,
        owner=entry.owner,
        entered_boot=entry.entered_boot,
        needs=needs_of(entry),
        identity=entry.identity,
        visit=entry.visit,
    )
    turn.touched.add(to)
    asked = entry.asked_queue or entry.queue
    if (older := older_places.take(turn, entering)) is not None:
        place = _retake(turn, older, entering)
        turn.run(_ASKED, b_entry=older.entry_id, b_asked=asked)
        return place
    row = new_row(turn, entering, entry.party_ref)
    add(turn, row | {"kind": entry.kind, "asked_queue": asked, "told_s": entry.told_s})
    return Place(row["entry_id"], 1, entry.entered_at, entry.entered_boot, kind=entry.kind, queue=to)
