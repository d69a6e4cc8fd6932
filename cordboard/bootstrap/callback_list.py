"""Callbacks that callers wait for: read for the terminal, and crossed off. Used by `cordboard queue callbacks`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from cordboard.bootstrap.floor_files import FloorFiles, NotKnown, no_database, reading
from cordboard.crm.phone_numbers import shown
from cordboard.errors import StoreUnavailable
from cordboard.store.acd_store import AcdStore
from cordboard.store.address import is_made
from cordboard.store.callback_store import CallbackStore
from cordboard.store.callbacks import WaitingCallback, waiting_callbacks
from cordboard.store.cures import told
from cordboard.store.database import open_database
from cordboard.store.moments import now

_NOBODY = "Nobody waits to be called back."


def read_callbacks(files: FloorFiles, queue: str = "") -> list[WaitingCallback]:
    """Those of a queue, or all, in the order in which they should be made. Raises NotKnown, StoreUnavailable."""
    name = files.queue(queue).name if queue else ""
    with reading(files) as connection:
        return waiting_callbacks(connection, name)


def cross_off(files: FloorFiles, callback_id: str) -> None:
    """Note that a callback was made, or need not be. Raises NotKnown, StoreUnavailable."""
    if not is_made(files.database):  # made here it would belong to who runs this
        raise StoreUnavailable(no_database(files))
    engine = open_database(files.database)
    try:
        with engine.begin() as connection:
            is_closed = CallbackStore(AcdStore(files.plan)).cross_off(connection, now(), callback_id)
    except SQLAlchemyError as fault:
        raise StoreUnavailable(
            f"the database {files.database} cannot be written: {told(files.database, fault)}"
        ) from fault
    finally:
        engine.dispose()
    if not is_closed:
        raise NotKnown(f"no callback `{callback_id}` waits; `cordboard queue callbacks` lists those that do")


def callback_list(waiting: Sequence[WaitingCallback], zone: str) -> str:
    """A line for each."""
    return "\n".join(_line(one, ZoneInfo(zone)) for one in waiting) or _NOBODY


def callback_json(one: WaitingCallback) -> dict[str, object]:
    """One as JSON; times in seconds since 1970."""
    return {
        "callback_id": one.callback_id,
        "call_id": one.call_id,
        "queue": one.queue,
        "number": one.number,
        "language": one.language,
        "priority": one.priority,
        "requested_at": round(one.requested_at, 3),
        "entered_at": None if one.entered_at is None else round(one.entered_at, 3),
        "reason": one.reason,
        "attempts": one.attempts,
        "last_result": one.last_result,
        "due_at": None if one.due_at is None else round(one.due_at, 3),
        "is_dialled": one.is_dialled,
    }


def _line(one: WaitingCallback, zone: ZoneInfo) -> str:
    asked = f"{datetime.fromtimestamp(one.requested_at, zone):%Y-%m-%d %H:%M}"
    number = shown(one.number) if one.number else "(erased)"
    line = f"{asked}  {one.queue:12} {number:20} {one.language:5} priority {one.priority:<3} {one.callback_id}"
    return f"{line}  {_how_far(one, zone)}".rstrip()


def _how_far(one: WaitingCallback, zone: ZoneInfo) -> str:
    """What was tried, where the queue dials by itself; "" before that."""
    if one.is_dialled:
        return "is being called"
    if not one.attempts:
        return "was cut off" if one.reason == "cut_off" else ""
    times = "once" if one.attempts == 1 else f"{one.attempts} times"
    again = f", again after {datetime.fromtimestamp(one.due_at, zone):%H:%M}" if one.due_at else ""
    return f"tried {times} ({one.last_result}){again}"
