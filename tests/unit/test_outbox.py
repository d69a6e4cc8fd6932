"""Facts reach the store in their order, through a database that is locked for a while."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from cordboard.service import outbox as outbox_module
from cordboard.service.outbox import Outbox
from cordboard.store.acd_values import Changes
from cordboard.store.writer import StoreThread, open_database


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "cordboard.db"


@pytest.fixture
def thread(database: Path) -> Iterator[StoreThread]:
    thread = StoreThread(open_database(database))
    thread.start()
    yield thread
    thread.close()


# As all facts are, these are idempotent: one whose answer came too late is written once more.
def writes(number: int) -> Callable[[Connection], Changes]:
    def fact(connection: Connection) -> Changes:
        connection.execute(text("create table if not exists facts (number integer primary key, nth integer)"))
        connection.execute(
            text("insert or ignore into facts values (:number, (select count(*) from facts))"), {"number": number}
        )
        return Changes(changed=True)

    return fact


def written(database: Path) -> list[int]:
    connection = sqlite3.connect(database)
    try:
        return [row[0] for row in connection.execute("select number from facts order by nth")]
    finally:
        connection.close()


async def test_facts_are_written_in_order_and_told(thread: StoreThread, database: Path) -> None:
    told: list[Changes] = []
    outbox = Outbox(thread, told.append)
    for number in range(20):
        outbox.put(writes(number))
    await asyncio.wait_for(outbox.emptied(), 5)
    assert written(database) == list(range(20))
    assert len(told) == 20


async def test_a_locked_database_delays_facts_and_loses_none(
    thread: StoreThread, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "WRITE_S", 0.3)
    monkeypatch.setattr(outbox_module, "RETRY_S", 0.05)
    outbox = Outbox(thread, lambda _: None)
    outbox.put(writes(1))
    await asyncio.wait_for(outbox.emptied(), 5)
    lock = sqlite3.connect(database, isolation_level=None)
    lock.execute("begin immediate")
    try:
        outbox.put(writes(2))
        outbox.put(writes(3))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(outbox.emptied(), 1)
    finally:
        lock.execute("rollback")
        lock.close()
    await asyncio.wait_for(outbox.emptied(), 10)
    assert written(database) == [1, 2, 3]


async def test_a_fact_the_store_refuses_does_not_hold_up_the_next(thread: StoreThread, database: Path) -> None:
    def wrong(connection: Connection) -> Changes:
        connection.execute(text("insert into nowhere values (1)"))
        return Changes()

    def broken(_: Connection) -> Changes:
        raise KeyError("a slip of ours")

    outbox = Outbox(thread, lambda _: None)
    for fact in (broken, wrong, writes(5)):
        outbox.put(fact)
    await asyncio.wait_for(outbox.emptied(), 5)
    assert written(database) == [5]
