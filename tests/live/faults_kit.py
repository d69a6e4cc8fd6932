"""A service on a PostgreSQL server that is stopped, cut off, and loses its workers, for `test_acd_faults`.

`House` is all of it; a `Shift` the agents who pick up whatever rings, talk and hang up. Callers and seats are those
of `queue_crash_kit`.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from cordboard.errors import LabError
from cordboard.lab.stage import Stage
from cordboard.store.address import PostgresAddress
from cordboard.store.reader import StoreReader
from tests.doubles.cut_line import CutLine
from tests.doubles.databases import shared_server
from tests.doubles.queue_history import History, Stretch, check_history
from tests.live.crash_kit import strike
from tests.live.queue_crash_kit import Books, Line, Seat, line, made_whole, worker_pid
from tests.live.queue_crash_laws import check_books, ledger

SITE = Path(__file__).parent / "faults_site"
NUMBERS = ("waits", "waits", "first", "waits")  # dialled in turn
SOON_S = 40.0  # also where the machine has other work
LONG_S = 60.0

# Who waits, and whose worker has not said within the last second that it has them.
_UNHELD = (
    "select 1 from queue_entries where state = 'waiting'"
    " and lease_until < extract(epoch from clock_timestamp()) + 2"
)
_WAITING = "select 1 from queue_entries where state = 'waiting'"
_CAME = "select 1 from queue_entries e join callers c on c.call_id = e.call_id where c.ani = any(?)"
# Owners are named with their machine.
_HELD_BY = "select entry_id, fence from queue_entries where state = 'waiting' and owner like '%%' || ?"


class ServerBooks(Books):
    """What the service has written, on a server; past the line that is cut."""

    def __init__(self, address: PostgresAddress) -> None:
        self._address = address
        self._connection = self._connect()

    def rows(self, sql: str, *values: object) -> list[Any]:
        """Raises psycopg.OperationalError while the server is away."""
        try:
            return self._connection.execute(sql.replace("?", "%s"), values).fetchall()
        except psycopg.OperationalError:  # of before its restart
            self._connection = self._connect()
            return self._connection.execute(sql.replace("?", "%s"), values).fetchall()

    def close(self) -> None:
        self._connection.close()

    def _connect(self) -> psycopg.Connection[dict[str, Any]]:
        connection = psycopg.connect(self._address.url, autocommit=True, row_factory=dict_row)
        set_json_loads(lambda text: text, connection)  # as the kit finds it in SQLite
        return connection


class Shift:
    """Agents at work. talk_s: how long they talk, from the next call on."""

    def __init__(self, seats: list[Seat], talk_s: float) -> None:
        self.talk_s = talk_s
        self._seats = seats

    async def work(self, seat: Seat) -> None:
        """Pick up whatever rings, until cancelled."""
        while True:
            try:
                call = await seat.phone.incoming(LONG_S)
                await seat.phone.answer()
                await asyncio.sleep(self.talk_s)
                await seat.phone.hang_up()
                await seat.phone.closed(call=call)
            except LabError:  # it stopped ringing just then
                continue

    def talked_with(self) -> list[str]:
        """The numbers of all who had an agent on the phone, in no order; twice, if twice."""
        calls = [call for seat in self._seats for call in seat.phone.calls]
        return [call.number for call in calls if call.established_at is not None]


@dataclass
class House:
    """stage: a service of two workers. line: between it and the server. excused: when callers had no worker."""

    stage: Stage
    line: CutLine
    books: ServerBooks
    reader: StoreReader
    excused: list[Stretch] = field(default_factory=list)

    async def callers(self, stack: contextlib.AsyncExitStack, count: int) -> list[Line]:
        """So many more callers, who have come to the queue; some stand before others who came earlier."""
        numbers = islice(cycle(NUMBERS), count)
        lines = (stack.enter_async_context(line(self.stage, number)) for number in numbers)
        callers = list(await asyncio.gather(*lines))
        numbers_of = [caller.ani for caller in callers]
        await self.books.until(lambda: len(self.books.rows(_CAME, numbers_of)) == count, SOON_S, "all have come")
        return callers

    def waiting(self) -> int:
        """How many wait."""
        return len(self.books.rows(_WAITING))

    @contextlib.asynccontextmanager
    async def shift(self, seats: list[Seat], talk_s: float) -> AsyncIterator[Shift]:
        """The agents come to work."""
        shift = Shift(seats, talk_s)
        await asyncio.gather(*(seat.ready() for seat in seats))
        working = [asyncio.create_task(shift.work(seat)) for seat in seats]
        try:
            yield shift
        finally:
            for task in working:
                task.cancel()
            ends = await asyncio.gather(*working, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends

    @contextlib.asynccontextmanager
    async def trouble(self) -> AsyncIterator[None]:
        """Callers may be without a worker from now until all have one again, after what is done here."""
        began_at = time.time()
        yield
        await self.books.until(lambda: not self.books.rows(_UNHELD), LONG_S, "everybody who waits has a worker")
        self.excused.append((began_at, time.time()))

    def held_by(self, worker: str) -> dict[str, int]:
        """The places of those who wait at a worker, each with its fence."""
        return {row["entry_id"]: row["fence"] for row in self.books.rows(_HELD_BY, worker)}

    async def lose(self, worker: str) -> None:
        """Kill a worker; return when all of its callers have another one, or it again."""
        async with self.trouble():
            held = self.held_by(worker)
            strike(worker_pid(self.stage, worker), signal.SIGKILL)
            await self.books.until(lambda: not self._still(held), SOON_S, "its callers are taken over")

    @contextlib.asynccontextmanager
    async def server_away(self) -> AsyncIterator[None]:
        """The server is stopped, and is another process afterwards."""
        async with self.trouble():
            await asyncio.to_thread(shared_server().stop)
            try:
                yield
            finally:
                await asyncio.to_thread(shared_server().start)

    @contextlib.asynccontextmanager
    async def cut_off(self, worker: str) -> AsyncIterator[None]:
        """One worker's line to the server is cut; it does not hear of it."""
        async with self.trouble():
            with self.line.cut(worker_pid(self.stage, worker)):
                yield

    async def check(self) -> int:
        """Everything is over and whole again: check all of the history so far. How many offers were in order."""
        await made_whole(self.stage)
        await check_books(self.books, self.reader, self.stage.configuration.plan, answers_may_miss=True)
        history = History(ledger(self.books), self.books.rows("select * from offers"))
        return check_history(history, excused=self.excused)

    def _still(self, held: dict[str, int]) -> list[Any]:
        """Which of these places wait as they waited, with the same holder."""
        rows = self.books.rows("select entry_id, fence from queue_entries where state = 'waiting'")
        return [row for row in rows if held.get(row["entry_id"]) == row["fence"]]


@contextlib.asynccontextmanager
async def house() -> AsyncIterator[House]:
    """A stage on a database of its own."""
    address = shared_server().make_database()
    with CutLine(address) as line:
        async with Stage(SITE, workers=2, settings={"CORDBOARD_DATABASE": line.address.url}) as stage:
            reader = StoreReader(address)
            books = ServerBooks(address)
            yield House(stage, line, books, reader)
            books.close()
            reader.close()
    shared_server().drop_database(address)
