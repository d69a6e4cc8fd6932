"""Facts that must reach the store, in their order, however long it is locked. One for each process.

What happened on the switch cannot be asked for again, so it waits here until it can be written. Every fact is
idempotent: one whose answer was lost is simply written again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

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
        while self._facts:
            fact, written = self._facts[0]
            if await self._write(fact):
                self._facts.popleft()
                written.set_result(None)
            else:
                await asyncio.sleep(RETRY_S)

    async def _write(self, fact: Fact) -> bool:
        """Whether the fact is done with."""
        try:
            changes: Changes = await self._thread.ask(fact, WRITE_S)
        except StoreUnavailable as fault:
            if may_pass(fault):
                return False
            log.error("fact_refused", reason=str(fault), exc_info=fault)
            return True
        except Exception:
            log.exception("fact_refused")
            return True
        self._say(changes)
        return True

    def _say(self, changes: Changes) -> None:
        try:
            self._on_written(changes)
        except Exception:  # a listener's mistake must not keep the facts behind it from being written
            log.exception("fact_not_told")


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
