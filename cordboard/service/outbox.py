"""Facts that must reach the store, in their order, however long it is locked. One for each process.

What happened on the switch cannot be asked for again, so it waits here until it can be written. Every fact is
idempotent: one whose answer was lost is simply written again. Those that wait are written together: behind a slow
database they would else only become more, and callers enter behind them.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from cordboard.errors import StoreUnavailable
from cordboard.store.acd_values import Changes
from cordboard.store.faults import in_words, passes
from cordboard.store.writer import StoreThread

FACTS_MAX = 50_000  # an hour without a database at ten facts a second
WRITE_S = 5.0
RETRY_S = 0.5
TOGETHER_MAX = 50  # facts to a transaction
TOGETHER_S = 0.05  # then it is written, and others may write

Fact = Callable[[Connection], Changes]

log = structlog.get_logger()


class Outbox:
    """Writes facts one after the other. on_written: told what each has changed."""

    def __init__(self, thread: StoreThread, on_written: Callable[[Changes], None]) -> None:
        self._thread = thread
        self._on_written = on_written
        self._facts: deque[tuple[Fact, asyncio.Future[None]]] = deque()
        self._writing: asyncio.Task[None] | None = None

    def put(self, fact: Fact) -> None:
        """Have a fact written. A new one is lost, and the log says so, when there are too many."""
        if len(self._facts) >= FACTS_MAX:
            log.error("fact_lost", reason="the database has been away for too long")
            return
        self._facts.append((fact, asyncio.get_running_loop().create_future()))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())

    async def emptied(self) -> None:
        """Wait until everything put so far is written. Put a deadline around it."""
        if self._facts:
            _, written = self._facts[-1]
            await asyncio.shield(written)

    async def aclose(self, grace_s: float) -> None:
        """Write what is left, for as long as that; the rest is found out by whoever reconciles with the switch."""
        if self._writing is not None and not self._writing.done():
            await asyncio.wait({self._writing}, timeout=grace_s)
            self._writing.cancel()
            log_left(len(self._facts))

    async def _write_all(self) -> None:
        alone = 0  # so many are tried one by one, as one of them is wrong
        while self._facts:
            facts = [fact for fact, _ in islice(self._facts, 1 if alone else TOGETHER_MAX)]
            count = await self._write(facts)
            if count is None:
                await asyncio.sleep(RETRY_S)
            elif not count:
                alone = len(facts)
            else:
                alone = max(0, alone - count)
                self._drop(count)

    async def _write(self, facts: Sequence[Fact]) -> int | None:
        """How many of them are done with, from the first on. 0: one of them is wrong; None: there is to be another
        try.
        """
        try:
            found: list[Changes] = await self._thread.ask(partial(_carry_out, facts), WRITE_S)
        except Exception as fault:
            if isinstance(fault, StoreUnavailable) and may_pass(fault):
                return None
            if len(facts) > 1:
                return 0
            log.error("fact_refused", reason=str(fault), exc_info=fault)
            return 1
        for changes in found:
            self._say(changes)
        return len(found)

    def _drop(self, count: int) -> None:
        for _ in range(count):
            _, written = self._facts.popleft()
            written.set_result(None)

    def _say(self, changes: Changes) -> None:
        try:
            self._on_written(changes)
        except Exception:  # a listener's mistake must not keep the facts behind it from being written
            log.exception("fact_not_told")


def _carry_out(facts: Sequence[Fact], connection: Connection) -> list[Changes]:
    """What each has changed, of those that the time suffices for: of one at least."""
    found: list[Changes] = []
    until = time.monotonic() + TOGETHER_S
    for fact in facts:
        if found and time.monotonic() >= until:
            break
        found.append(fact(connection))
    return found


def may_pass(fault: StoreUnavailable) -> bool:
    """Whether it makes sense to try again: the database is locked, full or away, rather than the work wrong."""
    cause = fault.__cause__
    if cause is not None and passes(cause):
        return "no such" not in in_words(cause)  # SQLite's word for a table or column that is missing
    return not isinstance(cause, SQLAlchemyError | ValueError)


def log_left(count: int) -> None:
    """Say that facts were left unwritten."""
    if count:
        log.error("facts_left", count=count)
