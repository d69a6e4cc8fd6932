"""One thread that owns a worker's database connection, so that a slow disk never holds up a call.

A transaction takes the write lock when it begins: work may read, decide and write, and nobody comes between.
Work may be carried out a second time, if what shared its transaction has failed. Work is handed over in order
and carried out in batches, one transaction a batch: at 200 calls/s that is a few hundred transactions fewer a
second. The backlog is bounded; when it is full, work is refused.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from cordboard.errors import StoreUnavailable
from cordboard.store.database import BUSY_TIMEOUT_MS, open_database

__all__ = ["StoreThread", "open_database"]

log = structlog.get_logger()

BACKLOG_MAX = 10_000  # more than ten seconds' worth at any load seen; then the disk is gone
BATCH_MAX = 200

Work = Callable[[Connection], Any]
Fate = Literal["written", "try_again", "lost"]
Told = Callable[[Fate], None]  # called in the thread: what became of the work


@dataclass(frozen=True, slots=True)
class _Item:
    """Work, and who is told of it. All methods run in the thread."""

    work: Work
    answer: Future[Any] | None = None
    told: Told | None = None

    def begin(self) -> bool:
        """Whether it is still wanted: what nobody waits for any more (its deadline has passed) is not done."""
        if self.answer is None or self.answer.set_running_or_notify_cancel():
            return True
        if self.told is not None:
            self.told("try_again")
        return False

    def end(self, result: Any) -> None:
        """It is on the disk."""
        if self.told is not None:
            self.told("written")
        if self.answer is not None:
            self.answer.set_result(result)

    def fail(self, fault: Exception) -> None:
        """It is not."""
        if self.told is not None:
            self.told("try_again" if isinstance(fault, OperationalError) else "lost")
        if self.answer is not None:
            self.answer.set_exception(fault)


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
            told("try_again")

    async def ask(self, work: Work, deadline_s: float, told: Told | None = None) -> Any:
        """Do `work` after everything posted before it and return what it returns. Raises StoreUnavailable."""
        answer: Future[Any] = Future()
        try:
            self._backlog.put_nowait(_Item(work, answer, told))
            async with asyncio.timeout(deadline_s):  # Python 3.11's wait_for may swallow a cancellation
                return await asyncio.wrap_future(answer)
        except queue.Full as full:
            raise StoreUnavailable("the database does not keep up") from full
        except TimeoutError as late:
            raise StoreUnavailable(f"the database did not answer within {deadline_s} s") from late
        except (SQLAlchemyError, ValueError) as fault:
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
        wanted: list[_Item] | None = None
        try:
            with self._engine.begin() as connection:
                wanted = _begun(batch)  # not before the lock is ours, which may take longer than anybody waits
                results = [item.work(connection) for item in wanted]
        except Exception as fault:  # whatever one piece of work does, the thread lives on
            self._note_health(fault)
            self._separate(_begun(batch) if wanted is None else wanted, fault)
            return
        self._note_health(None)
        for item, result in zip(wanted, results, strict=True):
            item.end(result)

    def _separate(self, batch: list[_Item], fault: Exception) -> None:
        """A locked database fails everyone; any other fault is one item's own, and the rest is tried alone."""
        if len(batch) == 1 or isinstance(fault, OperationalError):
            for item in batch:
                item.fail(fault)
            return
        for item in batch:
            self._carry_out_alone(item)

    def _carry_out_alone(self, item: _Item) -> None:
        try:
            with self._engine.begin() as connection:
                result = item.work(connection)
        except Exception as fault:
            item.fail(fault)
        else:
            item.end(result)

    def _note_health(self, fault: Exception | None) -> None:
        if self.is_healthy != (fault is None):
            log.error("store_failed", reason=str(fault)) if fault else log.info("store_recovered")
        self.is_healthy = fault is None


def _begun(batch: list[_Item]) -> list[_Item]:
    """Those that somebody still waits for, who waits for their end from now on."""
    return [item for item in batch if item.begin()]
