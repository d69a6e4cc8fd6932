"""Callers who are to be called back: noted once for each number and queue, and listed.

Called by the service when a caller asks for it, and by the command line for the people who call back. Nothing dials
here: that is `callback_claims` and `callback_attempts`, for queues that dial. There the caller keeps the place they
have, or gets one as of now. The number is in `parties` only, where it can be erased; with it goes the promise.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, select, update

from cordboard.acd.model import LeftBecause
from cordboard.store import acd_away, acd_entries, acd_leaving
from cordboard.store.acd_values import Entering
from cordboard.store.callers import party_of
from cordboard.store.state_conditions import OPEN_CALLBACK
from cordboard.store.tables import callbacks, parties, queue_entries
from cordboard.store.turn import Turn
from cordboard.telephony.call_id import new_call_id
from cordboard.telephony.outcomes import CallbackBooked, CallbackRefused

WAITING_MAX = 1_000  # of one queue; more than its people will ever call

_OPEN_OF_PARTY: Select[Any] = select(
    callbacks.c.callback_id, callbacks.c.call_id, callbacks.c.entry_id, callbacks.c.mode
).where(callbacks.c.queue == bindparam("b_queue"), callbacks.c.party_ref == bindparam("b_ref"), OPEN_CALLBACK)
_OPEN_OF_QUEUE = select(func.count()).where(callbacks.c.queue == bindparam("b_queue"), OPEN_CALLBACK)
_ENTERED = select(func.max(queue_entries.c.entered_at)).where(
    queue_entries.c.call_id == bindparam("b_call"), queue_entries.c.queue == bindparam("b_queue")
)
_SHOW_PARTY = (
    update(queue_entries)
    .where(queue_entries.c.entry_id == bindparam("b_entry"))
    .values(party_ref=bindparam("b_party"))
)
_INSERT = insert(callbacks)
_WAITING = (
    select(callbacks, parties.c.number)
    .join_from(callbacks, parties, callbacks.c.party_ref == parties.c.party_ref, isouter=True)
    .where(OPEN_CALLBACK)
    .order_by(callbacks.c.queue, callbacks.c.priority.desc(), callbacks.c.requested_at)
)


@dataclass(frozen=True, slots=True)
class CallbackAsked:
    """What a caller wants. number: E.164; at: seconds since 1970."""

    call_id: str
    queue: str
    number: str = field(repr=False)
    language: str
    priority: int
    at: float


@dataclass(frozen=True, slots=True)
class WaitingCallback:
    """One that is still to be made. number: "" if it was erased; times in seconds since 1970.

    entered_at: when the caller came to the queue, None if they did not wait there. Where the queue dials: attempts
    so far, what came of the last, not before when the next is made, and whether one is under way. reason: `asked`,
    or `cut_off`.
    """

    callback_id: str
    call_id: str
    queue: str
    number: str = field(repr=False)
    language: str
    priority: int
    requested_at: float
    entered_at: float | None
    attempts: int = 0
    last_result: str = ""
    due_at: float | None = None
    is_dialled: bool = False
    reason: str = "asked"


@dataclass(frozen=True, slots=True)
class Promise:
    """A row of the table, as it begins. entered_at: None for who has not waited; entry_id: "" where people call."""

    callback_id: str
    call_id: str
    queue: str
    party_ref: str
    language: str
    priority: int
    requested_at: float
    entered_at: float | None
    entry_id: str = ""
    expires_at: float | None = None
    reason: str = "asked"
    prefers_agent: str = ""


def book_callback(turn: Turn, asked: CallbackAsked) -> CallbackBooked | CallbackRefused:
    """Note that somebody is to be called back. Told again by the same call, it is booked as it was."""
    party_ref = party_of(turn.connection, asked.number)
    known = open_for(turn.connection, asked.queue, party_ref)
    if known is not None:
        is_ours = known.call_id == asked.call_id
        return CallbackBooked(known.callback_id) if is_ours else CallbackRefused("already")
    if turn.connection.execute(_OPEN_OF_QUEUE, {"b_queue": asked.queue}).scalar_one() >= WAITING_MAX:
        return CallbackRefused("full")
    return CallbackBooked(_book(turn, asked, party_ref))


def open_for(connection: Connection, queue: str, party_ref: str) -> Row[Any] | None:
    """The open promise of a queue to a party, at most one."""
    about = {"b_queue": queue, "b_ref": party_ref}
    return next(iter(connection.execute(_OPEN_OF_PARTY, about)), None)


def promise(turn: Turn, made: Promise) -> None:
    """Write a promise down, and tell the ledger."""
    turn.run(_INSERT, **asdict(made), state="waiting")
    told: dict[str, Any] = {"language": made.language, "priority": made.priority}
    if made.reason != "asked":
        told["reason"] = made.reason
    turn.tell_callback("callback_requested", made, once=True, **told)


def waiting_callbacks(connection: Connection, queue: str = "") -> list[WaitingCallback]:
    """Those that are still to be made, in the order in which they should be. queue: all without it."""
    statement = _WAITING.where(callbacks.c.queue == queue) if queue else _WAITING
    return [
        WaitingCallback(
            callback_id=row.callback_id,
            call_id=row.call_id,
            queue=row.queue,
            number=row.number or "",
            language=row.language,
            priority=row.priority,
            requested_at=row.requested_at,
            entered_at=row.entered_at,
            attempts=row.attempts,
            last_result=row.last_result,
            due_at=row.due_at,
            is_dialled=row.leg_id != "",
            reason=row.reason,
        )
        for row in connection.execute(statement)
    ]


def _book(turn: Turn, asked: CallbackAsked, party_ref: str) -> str:
    callback_id = new_call_id()
    policy = turn.queue(asked.queue).callback
    entered_at = turn.connection.execute(_ENTERED, {"b_call": asked.call_id, "b_queue": asked.queue}).scalar_one()
    if policy is None:
        _leave_to_people(turn, asked)
        entry_id, priority = "", asked.priority
    else:
        entry_id, priority = _keep_place(turn, asked, party_ref, callback_id)
    made = Promise(
        callback_id=callback_id,
        call_id=asked.call_id,
        queue=asked.queue,
        party_ref=party_ref,
        language=asked.language,
        priority=priority,
        requested_at=asked.at,
        entered_at=entered_at,
        entry_id=entry_id,
        expires_at=None if policy is None else asked.at + policy.expires_s,
    )
    promise(turn, made)
    return callback_id


def _leave_to_people(turn: Turn, asked: CallbackAsked) -> None:
    """Who will be called by people waits no more."""
    entry = acd_entries.live_entry(turn, asked.call_id)
    if entry is not None and entry.queue == asked.queue and entry.state == "away":
        acd_leaving.give_up(turn, entry, LeftBecause.CALLBACK, asked.at)


def _keep_place(turn: Turn, asked: CallbackAsked, party_ref: str, callback_id: str) -> tuple[str, int]:
    """The caller's place, now the promise's, with its priority; a new one for who has none."""
    entry = acd_entries.live_entry(turn, asked.call_id)
    has_place = entry is not None and entry.queue == asked.queue and entry.state != "talking"
    if entry is None or not has_place or not acd_away.go_away(turn, entry, None, kind="callback"):
        return _new_place(turn, asked, party_ref, callback_id), asked.priority
    acd_away.pass_on(turn, entry.entry_id, callback_id)
    turn.run(_SHOW_PARTY, b_entry=entry.entry_id, b_party=party_ref)
    return entry.entry_id, entry.priority


def _new_place(turn: Turn, asked: CallbackAsked, party_ref: str, callback_id: str) -> str:
    entering = Entering(
        call_id=callback_id,
        leg_id="",
        switch="",
        queue=asked.queue,
        language=asked.language,
        priority=asked.priority,
        entered_at=asked.at,
        owner="",
    )
    return acd_away.keep(turn, entering, party_ref, kind="callback")
