"""One thread that owns a worker's database connection, so that a slow disk never holds up a call.

Work is handed over in order and carried out in batches, one transaction a batch: at 200 calls/s that is a
few hundred transactions fewer a second. The backlog is bounded; when it is full, work is refused.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from cordboard.errors import StoreUnavailable
from cordboard.store.tables import metadata

BACKLOG_MAX = 10_000  # more than ten seconds' worth at any load seen; then the disk is gone
BATCH_MAX = 200
BUSY_TIMEOUT_MS = 2_000

Work = Callable[[Connection], Any]
Told = Callable[[bool], None]  # called in the thread: whether the work is on the disk


@dataclass(frozen=True, slots=True)
class _Item:
    work: Work
    answer: Future[Any] | None = None
    told: Told | None = None


def open_database(path: Path) -> Engine:
    """The SQLite database of one machine, in write-ahead mode, with its tables made. Raises StoreUnavailable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    event.listen(engine, "connect", _tune)
    try:
        metadata.create_all(engine)
    except SQLAlchemyError as fault:
        raise StoreUnavailable(f"the database {path} cannot be opened: {fault}") from fault
    return engine


def _tune(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    # A power cut may lose the last moments of calls which it has ended anyway; a killed process loses nothing.
    connection.execute("PRAGMA synchronous=NORMAL")


class StoreThread:
    """Runs work on the database, in order, off the event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._backlog: queue.Queue[_Item | None] = queue.Queue(BACKLOG_MAX)
        self._thread = threading.Thread(target=self._serve, name="store", daemon=True)
        self.is_healthy = True

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def close(self) -> None:
        """Finish the backlog and end the thread."""
        self._backlog.put(None)
        self._thread.join(BUSY_TIMEOUT_MS / 1000 + 1)
        self._engine.dispose()

    def post(self, work: Work, told: Told) -> None:
        """Have `work` done soon. If the backlog is full it is not done, and `told` so at once."""
        try:
            self._backlog.put_nowait(_Item(work, told=told))
        except queue.Full:
            self.is_healthy = False
            told(False)

    async def ask(self, work: Work, deadline_s: float, told: Told | None = None) -> Any:
        """Do `work` after everything posted before it and return what it returns. Raises StoreUnavailable."""
        answer: Future[Any] = Future()
        try:
            self._backlog.put_nowait(_Item(work, answer, told))
            return await asyncio.wait_for(asyncio.wrap_future(answer), deadline_s)
        except queue.Full as full:
            raise StoreUnavailable("the database does not keep up") from full
        except TimeoutError as late:
            raise StoreUnavailable(f"the database did not answer within {deadline_s} s") from late
        except SQLAlchemyError as fault:
            raise StoreUnavailable(str(fault)) from fault

    def _serve(self) -> None:
        while batch := self._next_batch():
            self._carry_out([item for item in batch if item is not None])
            if None in batch:
                return

    def _next_batch(self) -> list[_Item | None]:
        batch = [self._backlog.get()]
        while len(batch) < BATCH_MAX and batch[-1] is not None:
            try:
                batch.append(self._backlog.get_nowait())
            except queue.Empty:
                break
        return batch

    def _carry_out(self, batch: list[_Item]) -> None:
        try:
            with self._engine.begin() as connection:
                results = [item.work(connection) for item in batch]
        except SQLAlchemyError as fault:
            self.is_healthy = False
            for item in batch:
                _tell(item, fault, None)
            return
        self.is_healthy = True
        for item, result in zip(batch, results, strict=True):
            _tell(item, None, result)


def _tell(item: _Item, fault: SQLAlchemyError | None, result: Any) -> None:
    """Let whoever handed the work over know what came of it."""
    if item.told is not None:
        item.told(fault is None)
    # An answer nobody waits for any more (its deadline has passed) was cancelled.
    if item.answer is None or not item.answer.set_running_or_notify_cancel():
        return
    if fault is None:
        item.answer.set_result(result)
    else:
        item.answer.set_exception(fault)
