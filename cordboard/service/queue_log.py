"""Keeps the `queue_log` up to date with the ledger: one process of the machine writes, the others stand by.

Every worker has one. Reading goes through the store's reader, writing through a thread of its own: neither a slow
disk nor a full one holds up a call. What could not be written is written later; the ledger has it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeVar

import structlog
from sqlalchemy import Connection

from cordboard.errors import StoreUnavailable
from cordboard.redaction import NumberStyle
from cordboard.service.queue_log_file import QueueLogFile
from cordboard.store.queue_log_rows import LogLines, read_log_lines

LOOK_S = 1.0  # for what other processes have written, and for the lock of one that has died
COLLECT_S = 0.2  # what happens together is written together

T = TypeVar("T")
log = structlog.get_logger()


class Ask(Protocol):
    """`StoreReader.ask`."""

    def __call__(self, work: Callable[[Connection], T]) -> Awaitable[T]: ...


class QueueLogWriter:
    """One process's share in the file. numbers: how much of callers' numbers is written."""

    def __init__(self, ask: Ask, file: QueueLogFile, numbers: NumberStyle) -> None:
        self._ask = ask
        self._file = file
        self._numbers = numbers
        self._news = asyncio.Event()
        self._fault = ""
        self._disk = ThreadPoolExecutor(
            1, thread_name_prefix="queue-log"
        )  # one: nothing is written twice at a time
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write, or to stand by."""
        self._task = asyncio.create_task(self._run())

    def look(self) -> None:
        """There is something new in the ledger."""
        self._news.set()

    async def aclose(self) -> None:
        """Write what there is, and let another process write."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            await self._write_all()
        self._disk.shutdown()
        self._file.close()

    async def _run(self) -> None:
        while True:
            await self._write_all()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._news.wait()
                    await asyncio.sleep(COLLECT_S)
            self._news.clear()

    async def _write_all(self) -> None:
        """Whatever goes wrong, the next look goes on from the same row."""
        try:
            if not await self._on_disk(self._file.take):
                return
            while (found := await self._read()) is not None:
                await self._on_disk(partial(self._file.add, found.lines, found.seq))
        except OSError as fault:
            self._tell(f"{fault.filename or self._file.path}: {fault.strerror}")
        except StoreUnavailable:
            pass  # the store says so itself
        except Exception as fault:  # the lock is ours: if this ended, nobody would write any more
            self._tell(type(fault).__name__, fault)
        else:
            self._fault = ""

    async def _read(self) -> LogLines | None:
        mark = await self._on_disk(lambda: self._file.mark)
        return await self._ask(lambda connection: read_log_lines(connection, mark.seq, self._numbers))

    async def _on_disk(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)

    def _tell(self, fault: str, unknown: Exception | None = None) -> None:
        """Once for each fault, not once a second. unknown: one that nobody thought of, to be found out."""
        if fault != self._fault:
            log.error("queue_log_not_written", reason=fault, exc_info=unknown)
        self._fault = fault
