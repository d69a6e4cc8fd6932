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
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from cordboard.errors import StoreUnavailable
from cordboard.store.database import BUSY_TIMEOUT_MS, open_database
from cordboard.store.faults import in_words, passes

__all__ = ["StoreThread", "open_database"]

log = structlog.get_logger()

BACKLOG_MAX = 10_000  # more than ten seconds' worth at any load seen; then the disk is gone
BATCH_MAX = 200
BATCH_S = 0.05  # then it is written, and others may write: somebody waits for the first of it
UNDER_WAY_S = BUSY_TIMEOUT_MS / 1000  # the longest a statement, or the commit, waits for others

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
            self.told("try_again" if passes(fault) else "lost")
        if self.answer is not None:
            self.answer.set_exception(fault)


class StoreThread:
    """Runs work on the database, in order, off the event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._backlog: queue.Queue[_Item | None] = queue.Queue(BACKLOG_MAX)
        self._left: deque[_Item] = deque()  # taken out of the backlog, and not begun; the thread's own
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
        """Do `work` after everything posted before it and return what it returns. Raises StoreUnavailable.

        deadline_s: for its beginning. Work that has begun by then is waited for, for `UNDER_WAY_S` more: what is
        written must not be taken for lost.
        """
        answer: Future[Any] = Future()
        try:
            self._backlog.put_nowait(_Item(work, answer, told))
            return await _answered(answer, deadline_s)
        except queue.Full as full:
            raise StoreUnavailable("the database does not keep up") from full
        except (SQLAlchemyError, ValueError) as fault:
            raise StoreUnavailable(in_words(fault)) from fault

    def _serve(self) -> None:
        goes_on = True
        while goes_on or self._left:
            goes_on = goes_on and self._collect()
            if self._left:
                self._carry_out()

    def _collect(self) -> bool:
        """Wait for work, and take what there is. False: this was the last of it."""
        while len(self._left) < BATCH_MAX:
            try:
                item = self._backlog.get_nowait() if self._left else self._backlog.get()
            except queue.Empty:
                break
            if item is None:
                return False
            self._left.append(item)
        return True

    def _carry_out(self) -> None:
        """One transaction. What its time does not suffice for is left for the next. Nothing begins before the lock
        is ours, which may take longer than anybody waits.
        """
        done: list[tuple[_Item, Any]] = []
        begun: list[_Item] = []
        try:
            with self._engine.begin() as connection:
                until = time.monotonic() + BATCH_S
                while self._left and (not begun or time.monotonic() < until):
                    item = self._left.popleft()
                    if item.begin():
                        begun.append(item)
                        done.append((item, item.work(connection)))
        except Exception as fault:  # whatever one piece of work does, the thread lives on
            self._note_health(fault)
            self._separate(begun or self._begin_left(), fault)
        else:
            self._note_health(None)
            for item, result in done:
                item.end(result)

    def _begin_left(self) -> list[_Item]:
        """Those that somebody still waits for, who waits for their end from now on."""
        begun = [item for item in self._left if item.begin()]
        self._left.clear()
        return begun

    def _separate(self, batch: list[_Item], fault: Exception) -> None:
        """A database that is locked or away fails all; any other fault is one item's own: each is tried alone."""
        if len(batch) == 1 or passes(fault):
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
            log.error("store_failed", reason=in_words(fault)) if fault else log.info("store_recovered")
        self.is_healthy = fault is None


async def _answered(answer: Future[Any], deadline_s: float) -> Any:
    """What the thread answers. Raises StoreUnavailable, and whatever the work raised."""
    waiting = asyncio.wrap_future(answer)
    try:  # asyncio.wait: Python 3.11's wait_for may swallow a cancellation
        is_done, _ = await asyncio.wait({waiting}, timeout=deadline_s)
        if not is_done and not answer.cancel():  # it has begun
            is_done, _ = await asyncio.wait({waiting}, timeout=UNDER_WAY_S)
        if not is_done:
            raise StoreUnavailable(f"the database did not answer within {deadline_s} s")
        return waiting.result()
    finally:
        if not waiting.cancel() and not waiting.cancelled():
            waiting.exception()  # nobody else will look at it, if we are cancelled
