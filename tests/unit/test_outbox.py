"""Facts reach the store in their order, through a database that is locked for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, event, func, select, text

from cordboard.service import outbox as outbox_module
from cordboard.service.outbox import Outbox
from cordboard.store.acd_values import Changes
from cordboard.store.address import Address
from cordboard.store.database import open_for_reading
from cordboard.store.tables import leases
from cordboard.store.upserts import insert
from cordboard.store.writer import StoreThread, open_database
from tests.doubles.databases import locked


@pytest.fixture
def thread(database: Address) -> Iterator[StoreThread]:
    thread = StoreThread(open_database(database))
    thread.start()
    yield thread
    thread.close()


# As all facts are, these are idempotent: one whose answer came too late is written once more.
def writes(number: int) -> Callable[[Connection], Changes]:
    def fact(connection: Connection) -> Changes:
        nth = connection.execute(select(func.count()).select_from(leases)).scalar_one()
        row = {"name": str(number), "holder": "w", "until": 0.0, "fence": nth}
        connection.execute(insert(leases).on_conflict_do_nothing(), row)
        return Changes(changed=True)

    return fact


def written(database: Address) -> list[int]:
    engine = open_for_reading(database)
    try:
        with engine.connect() as connection:
            return [
                int(name) for name in connection.execute(select(leases.c.name).order_by(leases.c.fence)).scalars()
            ]
    finally:
        engine.dispose()


async def test_facts_are_written_in_order_and_told(thread: StoreThread, database: Address) -> None:
    told: list[Changes] = []
    outbox = Outbox(thread, told.append)
    for number in range(20):
        outbox.put(writes(number))
    await asyncio.wait_for(outbox.emptied(), 20)
    assert written(database) == list(range(20))
    assert len(told) == 20


async def test_a_locked_database_delays_facts_and_loses_none(
    thread: StoreThread, database: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "WRITE_S", 0.3)
    monkeypatch.setattr(outbox_module, "RETRY_S", 0.05)
    outbox = Outbox(thread, lambda _: None)
    outbox.put(writes(1))
    await asyncio.wait_for(outbox.emptied(), 20)
    with locked(database):
        outbox.put(writes(2))
        outbox.put(writes(3))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(outbox.emptied(), 1)
    await asyncio.wait_for(outbox.emptied(), 10)
    assert written(database) == [1, 2, 3]


async def test_a_fact_the_store_refuses_does_not_hold_up_the_next(thread: StoreThread, database: Address) -> None:
    def wrong(connection: Connection) -> Changes:
        connection.execute(text("insert into nowhere values (1)"))
        return Changes()

    def broken(_: Connection) -> Changes:
        raise KeyError("a slip of ours")

    outbox = Outbox(thread, lambda _: None)
    for fact in (broken, wrong, writes(5)):
        outbox.put(fact)
    await asyncio.wait_for(outbox.emptied(), 20)
    assert written(database) == [5]


async def test_what_waits_is_written_together(
    thread: StoreThread, database: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "TOGETHER_S", 60.0)
    transactions: list[Connection] = []
    event.listen(thread._engine, "commit", transactions.append)
    outbox = Outbox(thread, lambda _: None)
    for number in range(40):
        outbox.put(writes(number))
    await asyncio.wait_for(outbox.emptied(), 20)
    assert (written(database), len(transactions)) == (list(range(40)), 1)


async def test_a_wrong_fact_takes_none_of_those_beside_it_along(thread: StoreThread, database: Address) -> None:
    def broken(_: Connection) -> Changes:
        raise KeyError("a slip of ours")

    outbox = Outbox(thread, lambda _: None)
    for fact in (writes(1), writes(2), broken, writes(3), broken, writes(4)):
        outbox.put(fact)
    await asyncio.wait_for(outbox.emptied(), 20)
    assert written(database) == [1, 2, 3, 4]
