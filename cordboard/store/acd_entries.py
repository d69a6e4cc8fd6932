"""Places in queues, in the store: entering, coming back to the same place, leaving. Called by `AcdStore`.

A call that comes back (its worker died, an announcement was cut short, a phone rang in vain) keeps its place:
the row and its `entered_at` stay, only owner, lease and fence change.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, or_, select, text, tuple_, update

from cordboard.acd.cut_off import UNTOLD_S
from cordboard.acd.joining import Refusal
from cordboard.acd.model import LeftBecause, Needs, OfferEnd, OfferState
from cordboard.acd.needs_json import needs_from_json
from cordboard.acd.place_keeping import GIVEN_UP
from cordboard.acd.reviewing import has_waited_too_long
from cordboard.store import acd_away, acd_needs, acd_offers, callback_attempts, kept_places, older_places
from cordboard.store.acd_standing import QueueStanding
from cordboard.store.acd_values import Entering
from cordboard.store.state_conditions import IN_LINE, LIVE_ENTRY
from cordboard.store.tables import callers, queue_entries
from cordboard.store.turn import Turn
from cordboard.telephony.call_id import new_call_id

LEASE_S = 3.0  # renewed each second

_this = queue_entries.c.entry_id == bindparam("b_entry")
_NEW = insert(queue_entries)
_LIVE_OF_CALL = select(queue_entries).where(LIVE_ENTRY, queue_entries.c.call_id == bindparam("b_call"))
_LEFT_THEN = select(queue_entries.c.entry_id).where(
    queue_entries.c.call_id == bindparam("b_call"),
    or_(queue_entries.c.queue == bindparam("b_queue"), queue_entries.c.asked_queue == bindparam("b_queue")),
    queue_entries.c.state == "left",
    queue_entries.c.left_at == bindparam("b_at"),
)
_LAST_LEFT = (
    select(queue_entries)
    .where(
        queue_entries.c.call_id == bindparam("b_call"),
        or_(queue_entries.c.queue == bindparam("b_queue"), queue_entries.c.asked_queue == bindparam("b_queue")),
        queue_entries.c.state == "left",
        or_(queue_entries.c.left_at > bindparam("b_since"), queue_entries.c.visit == bindparam("b_visit")),
    )
    .order_by(queue_entries.c.left_at.desc(), queue_entries.c.entry_id.desc())
    .limit(1)
)
_NO_VISIT = -1  # unlike 0, that of no place
_BY_RULES = (LeftBecause.MAX_WAIT, LeftBecause.EMPTY, LeftBecause.CLOSED, LeftBecause.OVERFLOW)
_PARTY_OF_CALL = select(callers.c.party_ref).where(callers.c.call_id == bindparam("b_call"))
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
_LEAVE = (
    update(queue_entries)
    .where(_this)
    .values(
        state="left",
        left_at=bindparam("b_at"),
        left_because=bindparam("b_because"),
        exit_key=bindparam("b_key"),
    )
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
    tuple_(-_ahead.c.rank, _ahead.c.stands_at, _ahead.c.call_id)
    < tuple_(bindparam("b_minus_rank"), bindparam("b_stands_at"), bindparam("b_call")),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A caller's place. fence: counts who held the call, so that one who lost it is told apart. left: why it is one
    no more, None if it is. kind: `call`, `callback` or `cut_off`, by what the place was kept for.
    queue: where it is, which after an overflow is another one than was asked for; refused: why there is none.
    key: pressed to leave it.
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


def live_entry(turn: Turn, call_id: str) -> Row[Any] | None:
    """The call's row while it has a place, or talks with an agent; None if it does neither."""
    return turn.row(_LIVE_OF_CALL, b_call=call_id)


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
        return _is_put_there(entry, entering)
    return bool(entry.state != "talking" and (entry.asked_queue or entry.queue) == entering.queue)


def _is_put_there(entry: Row[Any], entering: Entering) -> bool:
    return entering.queue in (entry.queue, entry.asked_queue)


def _refuse(turn: Turn, entering: Entering, refusal: Refusal) -> Place:
    """No place. Told once, however often it is tried for the same coming."""
    turn.tell_call("refused", entering.call_id, entering.queue, entering.entered_at, because=refusal)
    return Place("", 0, entering.entered_at, _entered_boot(turn, entering), refused=refusal)


def _retake(turn: Turn, entry: Row[Any], entering: Entering) -> Place:
    """An offer nobody has rung yet stays. A phone that was to ring did not: else the call would not be here."""
    for offer in acd_offers.open_offers_of(turn, entry.entry_id):
        if offer.state != OfferState.OFFERED:
            acd_offers.end_without_talk(turn, offer, OfferEnd.WITHDRAWN, turn.now.wall)
    kind = callback_attempts.kind_of(turn, entry)
    if has_waited_too_long(kind, turn.now.boot - entry.entered_boot, entering.max_wait_s):
        _leave(turn, entry, LeftBecause.MAX_WAIT, turn.now.wall)
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
        entry.entry_id, entry.fence + 1, entry.entered_at, entry.entered_boot, kind=kind, queue=entry.queue
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
        _leave(turn, entry, GIVEN_UP[entry.kind], turn.now.wall)
        return
    is_over = turn.now.boot >= entry.entered_boot + turn.queue(entry.queue).max_wait_s
    _leave(turn, entry, LeftBecause.MAX_WAIT if is_over else LeftBecause.LOST, turn.now.wall)


def _enter_anew(turn: Turn, entering: Entering) -> Place:
    row = _row(turn, entering, _party_ref(turn, entering.call_id))
    _insert(turn, row)
    return Place(row["entry_id"], 1, entering.entered_at, row["entered_boot"], queue=entering.queue)


def move_on(turn: Turn, entry: Row[Any], to: str) -> Place:
    """Take a waiting caller out of one queue and into another, where their time of coming and priority count."""
    _leave(turn, entry, LeftBecause.OVERFLOW, turn.now.wall)
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
    row = _row(turn, entering, entry.party_ref)
    _insert(turn, row | {"kind": entry.kind, "asked_queue": asked, "told_s": entry.told_s})
    return Place(row["entry_id"], 1, entry.entered_at, entry.entered_boot, kind=entry.kind, queue=to)


def needs_of(entry: Row[Any]) -> Needs:
    """What the flow has asked for on coming, without what the queue asks of everybody, whatever was relaxed
    since; and who has refused the call.
    """
    needs = needs_from_json(entry.needs)
    return needs if entry.own_needs is None else replace(needs_from_json(entry.own_needs), refused=needs.refused)


def _insert(turn: Turn, row: dict[str, Any]) -> _Named:
    turn.run(_NEW, **row)
    place = _Named(row["entry_id"], row["call_id"], row["queue"], row["party_ref"])
    told = {"priority": row["priority"], "language": row["language"], "leg": row["leg_id"], **acd_needs.told(row)}
    if row.get("kind", "call") != "call":
        told |= {"entry_kind": row["kind"]}
    turn.tell_entry("entered_queue", place, row["entered_at"], **told, position=_place_in_line(turn, **row))
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
    entry_id, entered_boot = new_call_id(), _entered_boot(turn, entering)
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


def _entered_boot(turn: Turn, entering: Entering) -> float:
    if entering.entered_boot is not None:
        return entering.entered_boot
    return turn.now.boot - (turn.now.wall - entering.entered_at)


def leave(
    turn: Turn,
    call_id: str,
    because: LeftBecause,
    at: float,
    *,
    entry_id: str = "",
    fence: int | None = None,
    key: str = "",
) -> None:
    """The caller is gone from the queue. Nothing if they have left it already; a talk is not ended by it.

    entry_id, fence: only if it is this place, and still held by whoever held it then; any if not given. key:
    pressed to leave.
    """
    entry = live_entry(turn, call_id)
    if entry is None or entry_id not in ("", entry.entry_id) or fence not in (None, entry.fence):
        return
    if because is LeftBecause.EXIT_KEY and entry.state == "away" and entry.kind != "call":
        return  # the place of who has stepped out, and is to be called back since
    if not kept_places.keeps(turn, entry, because):
        _leave(turn, entry, because, at, key)


def give_up(turn: Turn, entry: Row[Any], because: LeftBecause, at: float) -> None:
    """End a place, whoever may come back to it."""
    _leave(turn, entry, because, at)


def keep(turn: Turn, entering: Entering, party_ref: str, *, kind: str) -> str:
    """A new place for somebody who is not on the phone; its id."""
    row = _row(turn, entering, party_ref)
    _insert(turn, row | {"state": "away", "kind": kind, "owner": "", "lease_until": 0.0})
    return str(row["entry_id"])


def step_out(
    turn: Turn,
    call_id: str,
    held_until: float | None,
    *,
    kind: str = "call",
    key: str = "",
    entry_id: str = "",
    fence: int | None = None,
) -> bool:
    """Keep the caller's place while nobody waits in it; `enter` takes it again. See `acd_away.go_away`.

    entry_id, fence: as for `leave`. False if they have no such place, or talk.
    """
    entry = live_entry(turn, call_id)
    if entry is None or entry_id not in ("", entry.entry_id) or fence not in (None, entry.fence):
        return False
    return acd_away.go_away(turn, entry, held_until, kind=kind, key=key)


def give_up_held(turn: Turn) -> None:
    """End the places that were kept for long enough, as of when that was over."""
    for entry in acd_away.due(turn):
        if entry.held_until == 0.0 and kept_places.keeps_restarted(turn, entry):  # of an earlier boot
            continue
        late_s = turn.now.boot - entry.held_until if entry.held_until else 0.0
        late_s += UNTOLD_S if entry.kind == "hung_up" else 0.0
        _leave(turn, entry, GIVEN_UP[entry.kind], turn.now.wall - late_s)


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
    _tell_left(turn, place, because, left_at, entering.entered_at, _place_in_line(turn, **row))


def _is_of_this_stay(entry: Row[Any], entering: Entering) -> bool:
    is_in_line = entry.state != "talking" and _is_put_there(entry, entering)
    return bool(is_in_line and entry.entered_at <= entering.entered_at)


def _leave(turn: Turn, entry: Row[Any], because: LeftBecause, at: float, key: str = "") -> None:
    if entry.state == "talking":
        acd_offers.close_entry(turn, entry.entry_id)
        turn.changed = True
        return
    acd_offers.end_open_offers(turn, entry.entry_id, _end_of_offer(because), at)
    turn.run(_LEAVE, b_entry=entry.entry_id, b_at=at, b_because=because.value, b_key=key)
    told = {"key": key} if key else {}
    _tell_left(turn, entry, because, at, entry.entered_at, _place_in_line(turn, **entry._mapping), **told)


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
    return _place_in_line(turn, **entry._mapping)


def _place_in_line(turn: Turn, *, queue: str, rank: int, stands_at: float, call_id: str, **_others: object) -> int:
    """From 1; of one who has left, the place they would have."""
    ahead = turn.connection.execute(
        _AHEAD,
        {"b_queue": queue, "b_minus_rank": -rank, "b_stands_at": stands_at, "b_call": call_id},
    ).scalar_one()
    return int(ahead) + 1
