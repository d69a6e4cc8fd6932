"""Traces in the database: written in batches, in order, bounded; forgotten in time, and when somebody asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, Executable, func, insert, select

from cordboard.acd.model import FloorPlan
from cordboard.flows.run import FlowRun
from cordboard.service.tracing import CallTraces, forget_old_traces
from cordboard.store import database as opening
from cordboard.store import traces
from cordboard.store.acd_store import AcdStore
from cordboard.store.acd_values import CallerNote
from cordboard.store.address import Address
from cordboard.store.database import open_database, open_for_reading
from cordboard.store.moments import now
from cordboard.store.tables import call_steps, callers, flow_runs, traced_calls
from cordboard.store.traces import TraceWriter, last_calls, revisions_in_use, steps_of, traced_beginning_with
from cordboard.store.writer import StoreThread
from cordboard.telephony.call import Call
from cordboard.telephony.call_id import id_at, new_call_id
from cordboard.telephony.outcomes import Done, HungUp
from tests.doubles.databases import locked
from tests.doubles.flow_kit import CALL, NOON, flow_of

FLOW = flow_of("hello: {play: hello, next: bye}")


class Store:
    """A database with its thread."""

    def __init__(self, path: Address) -> None:
        self.path = path
        self.engine: Engine = open_database(path)
        self.thread = StoreThread(self.engine)
        self.writer = TraceWriter(self.thread)
        self.traces = CallTraces(self.writer)

    def call(self, call: Call, *, ended: str = "finished", flow: str = "") -> None:
        """A whole call, noted; its end too, unless `ended` is ""."""
        begun = replace(FLOW, name=flow) if flow else FLOW
        step = FlowRun.begin(begun, call).start(NOON)
        self.traces.note(call, "start", None, "", step, NOON)
        for outcome in (Done(), Done(), HungUp()):
            step = step.run.advance(outcome, NOON)
            self.traces.note(call, "advance", outcome, "", step, NOON)
        if ended:
            self.traces.ended(call.call_id, ended)

    async def written(self) -> None:
        """Until all of it is on the disk."""
        self.writer.flush()
        await self.thread.ask(lambda _: None, 5)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        engine = open_for_reading(self.path)
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def count(self) -> tuple[int, int]:
        """Calls and steps."""
        with self.reading() as connection:
            calls, steps = (
                connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (traced_calls, call_steps)
            )
            return calls, steps


@pytest.fixture
async def store(database: Address) -> AsyncIterator[Store]:
    store = Store(database)
    store.thread.start()
    yield store
    store.thread.close()


def a_call(number: int = 0, *, days_ago: float = 0, ani: str = "+442079460123") -> Call:
    began = time.time() - days_ago * 86_400
    call_id = id_at(began)[:-4] + f"{number:04d}"
    return replace(CALL, call_id=call_id, started_at=datetime.fromtimestamp(began, UTC), ani=ani)


async def test_what_was_noted_is_read_in_order_by_the_beginning_of_its_id(store: Store) -> None:
    call = a_call()
    store.call(call)
    store.call(a_call(1, days_ago=1), ended="")
    await store.written()
    with store.reading() as connection:
        assert last_calls(connection, 5)[0].call == call
        (found,) = traced_beginning_with(connection, call.call_id[:24], 5)
        steps = steps_of(connection, call.call_id)
    assert (found.call, found.flow, found.revision, found.result) == (call, "test", FLOW.revision, "finished")
    assert found.ended_at is not None
    assert [step.kind for step in steps] == ["start", "advance", "advance", "advance"]
    assert [step.at for step in steps] == [NOON] * 4
    assert [step.data["node"] for step in steps] == ["test/hello", "test/hello", "test/bye", "test/bye"]


async def test_a_call_that_goes_on_elsewhere_has_not_ended(store: Store) -> None:
    call = a_call()
    store.call(call, ended="drained")
    await store.written()
    with store.reading() as connection:
        (found,) = last_calls(connection, 1)
        assert (found.result, found.ended_at) == ("", None)
        assert ("test", FLOW.revision) in revisions_in_use(connection)


async def test_a_call_whose_first_steps_were_lost_with_its_worker_is_in_the_list(store: Store) -> None:
    call = a_call()
    run = FlowRun.begin(FLOW, call)
    store.traces.note(call, "resume", None, "", run.resume(NOON), NOON, before=run)
    await store.written()
    with store.reading() as connection:
        assert [one.call.call_id for one in last_calls(connection, 1)] == [call.call_id]


async def test_too_many_steps_are_dropped_counted_and_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "PENDING_MAX", 6)
    store.call(a_call())
    store.call(a_call(1))
    assert store.writer.dropped == 2
    await store.written()
    assert store.count() == (2, 6)


async def test_steps_that_a_locked_database_refused_are_written_later(
    database: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "BUSY_TIMEOUT_MS", 20)
    store = Store(database)
    store.thread.start()
    with locked(database):
        store.call(a_call())
        store.writer.flush()
        async with asyncio.timeout(10):
            while not store.writer._batch.steps:  # put back
                await asyncio.sleep(0.01)
    await store.written()
    assert store.count() == (1, 4)
    assert store.writer.dropped == 0
    store.thread.close()


async def test_revisions_in_use_are_those_of_live_calls_and_of_rows_for_a_successor(store: Store) -> None:
    store.call(a_call(), flow="over")
    store.call(a_call(1), ended="", flow="live")
    await store.written()
    row = {"call_id": new_call_id(), "epoch": 1, "seq": 1, "leg_id": "l", "written_at": 1.0,
           "snapshot": '{"flow": "kept", "revision": "abc"}'}  # fmt: skip
    with store.engine.begin() as connection:
        connection.execute(insert(flow_runs), row)
    with store.reading() as connection:
        assert revisions_in_use(connection) == {("live", FLOW.revision), ("kept", "abc")}


async def test_old_traces_are_forgotten_a_few_calls_at_a_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "PURGE_CALLS", 3)
    for number in range(8):
        store.call(a_call(number, days_ago=31))
    store.call(a_call(9, days_ago=29))
    await store.written()
    assert store.count() == (9, 36)
    taken = [await store.thread.ask(lambda c: traces.purge(c, time.time() - 30 * 86_400), 5) for _ in range(4)]
    assert taken == [3, 3, 2, 0]
    assert store.count() == (1, 4)


async def test_the_purge_goes_on_until_nothing_old_is_left(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "PURGE_CALLS", 1)
    for number in range(3):
        store.call(a_call(number, days_ago=2))
    await store.written()
    purging = asyncio.create_task(forget_old_traces(store.thread, lambda: 1))
    async with asyncio.timeout(10):
        while store.count() != (0, 0):
            await asyncio.sleep(0.01)
    purging.cancel()


async def test_who_is_erased_leaves_neither_steps_nor_number(store: Store) -> None:
    acd = AcdStore(FloorPlan({}, {}))
    theirs, same_number, other = a_call(), a_call(1), a_call(2, ani="+442079460999")
    for call in (theirs, same_number, other):
        store.call(call)
    await store.written()
    caller = CallerNote(theirs.call_id, theirs.ani, "Ada", "5000", theirs.ani)
    with store.engine.begin() as connection:
        connection.execute(_note(caller))
        assert acd.erase_party(connection, now(), "P1")
    with store.reading() as connection:
        found = {one.call.call_id: one for one in last_calls(connection, 5)}
        assert [found[one.call_id].is_erased for one in (theirs, same_number, other)] == [True, True, False]
        assert [found[one.call_id].call.ani for one in (theirs, same_number)] == ["", ""]
        assert [len(steps_of(connection, one.call_id)) for one in (theirs, same_number, other)] == [0, 0, 4]
        assert found[theirs.call_id].result == "finished", "what happened stays"


def _note(caller: CallerNote) -> Executable:
    return insert(callers).values(
        call_id=caller.call_id, party_ref="P1", ani=caller.ani, caller_name="Ada", dnis="5000", number=caller.ani,
        arrived_at=1.0, path=[], lookup="none", customer={},
    )  # fmt: skip


async def test_nothing_is_noted_where_traces_are_switched_off(store: Store) -> None:
    store.traces.keep_days = 0
    store.call(a_call())
    await store.written()
    assert store.count() == (0, 0)


def test_ids_sort_by_time() -> None:
    at = time.time()
    assert id_at(at - 60) < new_call_id() < id_at(at + 60)
    assert id_at(0) < id_at(timedelta(days=36_500).total_seconds())
