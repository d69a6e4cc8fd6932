"""Callers who are to be called back: noted once for each number and queue, listed, and crossed off.

Called by the service when a caller asks for it, and by the command line for the people who call back. Nothing dials
here. The number is in `parties` only, where it can be erased; with it goes the promise.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, func, select, update
from sqlalchemy.dialects.sqlite import insert

from cordboard.store import ledger
from cordboard.store.callers import party_of
from cordboard.store.tables import callbacks, parties, queue_entries
from cordboard.telephony.call_id import new_call_id
from cordboard.telephony.outcomes import CallbackBooked, CallbackRefused

WAITING_MAX = 1_000  # of one queue; more than its people will ever call

_IS_OPEN = callbacks.c.state == "waiting"
_OPEN_OF_PARTY = select(callbacks.c.callback_id, callbacks.c.call_id).where(
    callbacks.c.queue == bindparam("b_queue"), callbacks.c.party_ref == bindparam("b_ref"), _IS_OPEN
)
_OPEN_OF_QUEUE = select(func.count()).where(callbacks.c.queue == bindparam("b_queue"), _IS_OPEN)
_ENTERED = select(func.max(queue_entries.c.entered_at)).where(
    queue_entries.c.call_id == bindparam("b_call"), queue_entries.c.queue == bindparam("b_queue")
)
_INSERT = insert(callbacks)
_WAITING = (
    select(callbacks, parties.c.number)
    .join_from(callbacks, parties, callbacks.c.party_ref == parties.c.party_ref, isouter=True)
    .where(_IS_OPEN)
    .order_by(callbacks.c.queue, callbacks.c.priority.desc(), callbacks.c.requested_at)
)
_CLOSE = (
    update(callbacks)
    .where(callbacks.c.callback_id == bindparam("b_id"), _IS_OPEN)
    .values(state="done", closed_at=bindparam("b_at"))
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

    entered_at: when the caller came to the queue, None if they did not wait there.
    """

    callback_id: str
    call_id: str
    queue: str
    number: str = field(repr=False)
    language: str
    priority: int
    requested_at: float
    entered_at: float | None


def book_callback(connection: Connection, asked: CallbackAsked) -> CallbackBooked | CallbackRefused:
    """Note that somebody is to be called back. Told again by the same call, it is booked as it was."""
    party_ref = party_of(connection, asked.number)
    about = {"b_queue": asked.queue, "b_ref": party_ref}
    known = connection.execute(_OPEN_OF_PARTY, about).one_or_none()
    if known is not None:
        is_ours = known.call_id == asked.call_id
        return CallbackBooked(known.callback_id) if is_ours else CallbackRefused("already")
    if connection.execute(_OPEN_OF_QUEUE, {"b_queue": asked.queue}).scalar_one() >= WAITING_MAX:
        return CallbackRefused("full")
    return CallbackBooked(_insert(connection, asked, party_ref))


def waiting_callbacks(connection: Connection, queue: str = "") -> list[WaitingCallback]:
    """Those that are still to be made, in the order in which they should be. queue: all without it."""
    statement = _WAITING.where(callbacks.c.queue == queue) if queue else _WAITING
    return [
        WaitingCallback(
            row.callback_id,
            row.call_id,
            row.queue,
            row.number or "",
            row.language,
            row.priority,
            row.requested_at,
            row.entered_at,
        )
        for row in connection.execute(statement)
    ]


def close_callback(connection: Connection, callback_id: str, at: float) -> bool:
    """Cross one off: somebody has called, or need not. False if there is no such one, or not any more."""
    return connection.execute(_CLOSE, {"b_id": callback_id, "b_at": at}).rowcount > 0


def _insert(connection: Connection, asked: CallbackAsked, party_ref: str) -> str:
    callback_id = new_call_id()
    entered_at = connection.execute(_ENTERED, {"b_call": asked.call_id, "b_queue": asked.queue}).scalar_one()
    about = {"call_id": asked.call_id, "queue": asked.queue, "party_ref": party_ref}
    told = {"language": asked.language, "priority": asked.priority}
    connection.execute(
        _INSERT,
        {
            **about,
            **told,
            "callback_id": callback_id,
            "requested_at": asked.at,
            "entered_at": entered_at,
            "state": "waiting",
        },
    )
    event_id = f"{callback_id}:callback_requested"
    ledger.append(connection, [ledger.call_row(event_id, "callback_requested", asked.at, told, **about)])
    return callback_id
