"""A thread that only reads, on a connection of its own: what people look at never waits for what calls write.

Every piece of work sees one moment of the database. Used by the desk and by every floor.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from cordboard.acd.model import FloorPlan, Moment
from cordboard.errors import StoreUnavailable
from cordboard.store.acd_values import FloorSnapshot
from cordboard.store.address import Address
from cordboard.store.database import open_for_reading
from cordboard.store.faults import in_words
from cordboard.store.floor_view import floor_snapshot
from cordboard.store.today import UTC, Today

READ_S = 2.0
UNDER_WAY_MAX = 200  # more readers than that at a time means that reading has stopped

T = TypeVar("T")


class StoreReader:
    """Reads the database at `path`, which must be there by the first `ask`. zone: of the day that is shown."""

    def __init__(self, path: Address, zone: ZoneInfo = UTC) -> None:
        self._path = path
        self._engine: Engine | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-reader")
        self._under_way = threading.Semaphore(UNDER_WAY_MAX)
        self._today = Today(zone)

    async def ask(self, work: Callable[[Connection], T], deadline_s: float = READ_S) -> T:
        """What `work` returns, on one moment of the database. Raises StoreUnavailable."""
        if not self._under_way.acquire(blocking=False):
            raise StoreUnavailable("the database is not read fast enough")
        answer = self._thread.submit(self._read, work)
        answer.add_done_callback(lambda _: self._under_way.release())
        try:
            async with asyncio.timeout(deadline_s):  # Python 3.11's wait_for may swallow a cancellation
                return await asyncio.wrap_future(answer)
        except TimeoutError as late:
            raise StoreUnavailable(f"the database was not read within {deadline_s} s") from late
        except SQLAlchemyError as fault:
            raise StoreUnavailable(in_words(fault)) from fault

    def snapshot(self, connection: Connection, now: Moment, plan: FloorPlan) -> FloorSnapshot:
        """Everything the desk shows; as work for `ask`. Reads only the new part of the day's ledger."""
        return floor_snapshot(connection, now, plan, self._today)

    def close(self) -> None:
        """End the thread, after what it is at."""
        self._thread.shutdown(cancel_futures=True)
        if self._engine is not None:
            self._engine.dispose()

    def _read(self, work: Callable[[Connection], T]) -> T:
        if self._engine is None:
            self._engine = open_for_reading(self._path)
        with self._engine.begin() as connection:
            return work(connection)
