"""PostgreSQL is away for some seconds under callers who wait: nobody loses a place, nothing is told twice.

Two processes with scripted phones, over a real server that is stopped and started again, or frozen.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cordboard.store import postgres as store
from cordboard.store.address import PostgresAddress
from cordboard.telephony import outcomes as o
from cordboard.telephony import verbs as v
from tests.doubles.acd_kit import CHECKPOINT, Machine, Process, arrival, machine, note
from tests.doubles.cut_line import CutLine
from tests.doubles.databases import shared_server
from tests.doubles.scripted_phone import ScriptedPhone

SOON_S = 30.0
AWAY_S = 2.5  # longer than any of the service's own deadlines for one piece of work
SALES = v.Enqueue("sales", "en")
PLACES = "select call_id, entry_id, entered_at from queue_entries order by entered_at"
HELD = "select 1 from queue_entries where state = 'waiting' and lease_until > extract(epoch from now()) + 2"
TOLD_TWICE = (
    "select kind, entry_id, offer_id from ledger where kind in ('entered_queue', 'left_queue', 'offer_made') "
    "group by kind, entry_id, offer_id having count(*) > 1"
)


@pytest.fixture
async def house(tmp_path: Path, postgres: PostgresAddress) -> AsyncIterator[Machine]:
    async with machine(tmp_path, database=postgres) as made:
        first = made.start("here:worker-0")
        made.start("there:worker-0")
        await made.observe(first)
        yield made


@asynccontextmanager
async def stopped() -> AsyncIterator[None]:
    """The server is ended, and is another one afterwards."""
    await asyncio.to_thread(shared_server().stop)
    try:
        yield
    finally:
        await asyncio.to_thread(shared_server().start)


@asynccontextmanager
async def frozen() -> AsyncIterator[None]:
    """The server is there and says nothing."""
    with shared_server().frozen():
        yield


def begin(process: Process, phone: ScriptedPhone) -> asyncio.Task[object]:
    return asyncio.create_task(process.room.wait(phone, SALES, CHECKPOINT, lambda: note(phone.arrival.call)))


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON_S):
        while not is_so():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("away", [stopped, frozen])
async def test_callers_keep_their_places_while_the_server_is_away(house: Machine, away: Any) -> None:
    here, there = house.processes
    phones = [ScriptedPhone(arrival()) for _ in range(6)]
    waiting = [begin((here, there)[number % 2], phone) for number, phone in enumerate(phones)]
    await until(lambda: len(house.rows(PLACES)) == 6)
    before = house.rows(PLACES)
    late, gone = ScriptedPhone(arrival()), phones[0]
    async with away():
        came_at = time.time()
        waiting.append(begin(there, late))
        gone.hang_up()
        await waiting[0]
        left_at = time.time()
        await asyncio.sleep(AWAY_S)
        assert not any(task.done() for task in waiting[1:]), "they wait, and hear music"
        assert late.performed == [v.Hold("default")]
    await until(lambda: len(house.rows(PLACES)) == 7)
    assert house.rows(PLACES)[:6] == before
    *_, (call_id, _, entered_at) = house.rows(PLACES)
    assert call_id == late.arrival.call.call_id
    assert entered_at == pytest.approx(came_at, abs=1.0), "the true time, not that of its writing"
    await until(lambda: len(house.rows("select 1 from queue_entries where state = 'left'")) == 1)
    ((left, because),) = house.rows("select left_at, left_because from queue_entries where state = 'left'")
    assert (left, because) == (pytest.approx(left_at, abs=1.0), "abandoned")
    await all_are_served(house, [*phones[1:], late], waiting[1:])
    assert house.rows(TOLD_TWICE) == []


async def all_are_served(house: Machine, phones: list[ScriptedPhone], waiting: list[asyncio.Task[object]]) -> None:
    """The agents come: the two who have waited longest are rung first, whatever happened meanwhile."""
    await until(lambda: len(house.rows(HELD)) == len(phones))  # their workers have found the server again
    await house.ready(house.processes[0], "alice", "bob")
    await until(lambda: sum(task.done() for task in waiting) == 2)
    rung = [phone for phone, task in zip(phones, waiting, strict=True) if task.done()]
    assert rung == phones[:2]
    assert [await task for task in waiting[:2]] == [o.HandedOver()] * 2
    for phone, task in zip(phones[2:], waiting[2:], strict=True):
        phone.hang_up()
        await task
    left = "select 1 from ledger where kind = 'left_queue' and data ->> 'because' = 'abandoned'"
    await until(lambda: len(house.rows(left)) == 5)


async def test_callers_of_a_worker_that_is_cut_off_wait_on_and_nobody_else_is_held_up(
    tmp_path: Path, postgres: PostgresAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SILENT_S", 0.5)
    with CutLine(postgres) as line:
        async with machine(tmp_path, database=postgres) as house:
            here = house.start("here:worker-0")
            house.database = line.address
            there = house.start("there:worker-0")
            house.database = postgres
            await house.observe(here)
            first, second = ScriptedPhone(arrival()), ScriptedPhone(arrival())
            cut_off = begin(there, first)
            await until(lambda: len(house.rows(HELD)) == 1)
            with line.cut():
                await until(lambda: not house.rows(HELD))  # its lease is over
                served = begin(here, second)
                await house.ready(here, "alice")
                assert await asyncio.wait_for(served, SOON_S) == o.HandedOver(), (
                    "who can be rung is not kept waiting"
                )
                assert not cut_off.done()
            await until(lambda: len(house.rows(HELD)) == 1)
            await house.ready(here, "bob")
            assert await asyncio.wait_for(cut_off, SOON_S) == o.HandedOver()
            assert house.rows(TOLD_TWICE) == []
            assert len(house.rows("select 1 from offers where state <> 'ended'")) == 2
