"""What flows note about calls (tags, scores of surveys), on its way into the ledger.

One for each worker. Notes are collected for a moment and written together; nobody waits for it. While the database
is away they wait here, in order, and are tried again; what is too much then is lost, and the log says so. A note
that is told again, after a crash for instance, is in the ledger once.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import Connection, select

from cordboard.store import ledger
from cordboard.store.tables import callers
from cordboard.store.writer import Fate, StoreThread

COLLECT_S = 0.1
RETRY_S = 0.5
WAITING_MAX = 20_000  # an hour without a database at five calls a second

Row = dict[str, Any]

log = structlog.get_logger()


def tag_row(call_id: str, name: str, value: str, at: float) -> Row:
    """A tag of a call. The same one again is the same row."""
    value_id = hashlib.sha256(value.encode()).hexdigest()[:16]  # values may be longer than an event's id
    data = {"name": name, "value": value}
    return ledger.call_row(f"{call_id}:tag:{name}:{value_id}", "call_tagged", at, data, call_id=call_id)


def survey_row(call_id: str, name: str, score: int, at: float) -> Row:
    """A call's answer to a survey: the first one."""
    data = {"name": name, "score": score}
    return ledger.call_row(f"{call_id}:survey:{name}", "survey_answered", at, data, call_id=call_id)


class CallNotes:
    """The notes of one worker."""

    def __init__(self, thread: StoreThread) -> None:
        self._thread = thread
        self._waiting: list[Row] = []
        self._is_writing = False
        self._timer: asyncio.TimerHandle | None = None

    def add(self, row: Row) -> None:
        """Have a row written soon. It is lost, and the log says so, when there are too many."""
        if len(self._waiting) >= WAITING_MAX:
            log.error("call_note_lost", reason="the database has been away for too long", kind=row["kind"])
            return
        self._waiting.append(row)
        self._flush_in(COLLECT_S)

    def flush(self) -> None:
        """Hand everything to the thread now, so that it is written before the store is closed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            self._hand_over()

    def _hand_over(self) -> None:
        self._is_writing = True
        rows, self._waiting = self._waiting, []
        loop = asyncio.get_running_loop()

        def told(fate: Fate) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._told, fate, rows)

        self._thread.post(lambda connection: _write(connection, rows), told)

    def _told(self, fate: Fate, rows: list[Row]) -> None:
        """What became of rows that were handed over."""
        self._is_writing = False
        if fate == "try_again":
            self._waiting = rows + self._waiting
        elif fate == "lost":
            log.error("call_note_lost", reason="the database refused it", count=len(rows))
        if self._waiting:
            self._flush_in(RETRY_S if fate == "try_again" else COLLECT_S)

    def _flush_in(self, seconds: float) -> None:
        if self._timer is None and not self._is_writing:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.flush)


def _write(connection: Connection, rows: list[Row]) -> None:
    parties = _parties_of(connection, {row["call_id"] for row in rows})
    ledger.append(connection, [{**row, "party_ref": parties.get(row["call_id"], "")} for row in rows])


def _parties_of(connection: Connection, call_ids: set[str]) -> Mapping[str, str]:
    """The parties of those calls that somebody has waited with; others have none."""
    known = select(callers.c.call_id, callers.c.party_ref)
    found: dict[str, str] = {}
    for call_id in call_ids:
        row = connection.execute(known.where(callers.c.call_id == call_id)).one_or_none()
        if row is not None:
            found[call_id] = row.party_ref
    return found
