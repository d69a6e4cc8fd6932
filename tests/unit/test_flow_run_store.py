"""The rows of live calls: fencing, order, ghosts, and what happens when the database cannot be written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cordboard.errors import StoreUnavailable
from cordboard.store import writer
from cordboard.store.address import Address
from cordboard.store.flow_runs import FlowRuns, StoredRun, Written
from cordboard.store.reader import StoreReader
from cordboard.store.writer import StoreThread, open_database
from tests.doubles.databases import locked

CALL = "01J00000000000000000000001"


@pytest.fixture
def runs(database: Address) -> Iterator[FlowRuns]:
    thread = StoreThread(open_database(database))
    thread.start()
    yield FlowRuns(thread)
    thread.close()


def row(epoch: int, seq: int, **variables: object) -> StoredRun:
    return StoredRun(CALL, "leg-1", epoch, seq, {"variables": variables})


async def test_a_saved_run_comes_back_with_a_new_epoch(runs: FlowRuns) -> None:
    await runs.save(row(1, 3, account="77"), Written())
    assert await runs.take_over(CALL, 2) == StoredRun(CALL, "leg-1", 2, 3, {"variables": {"account": "77"}})


async def test_an_unknown_call_has_no_row(runs: FlowRuns) -> None:
    assert await runs.take_over(CALL, 2) is None


async def test_a_worker_that_lost_the_call_cannot_write_over_its_successor(runs: FlowRuns) -> None:
    await runs.save(row(1, 3, who="first"), Written())
    await runs.take_over(CALL, 2)
    await runs.save(row(2, 4, who="second"), Written())
    await runs.save(row(1, 9, who="a ghost of the first"), Written())
    taken = await runs.take_over(CALL, 2)
    assert taken is not None
    assert taken.snapshot == {"variables": {"who": "second"}}


async def test_a_worker_that_lost_the_call_cannot_close_it(runs: FlowRuns, database: Address) -> None:
    thread = StoreThread(open_database(database))
    thread.start()
    successor = FlowRuns(thread)
    await runs.save(row(1, 3), Written())
    await successor.take_over(CALL, 2)
    runs.close_soon(CALL, epoch=1)
    assert await runs.count() == 1
    successor.close_soon(CALL, epoch=2)
    assert await successor.count() == 0
    thread.close()


async def test_an_older_step_never_replaces_a_newer_one(runs: FlowRuns) -> None:
    runs.save_soon(row(1, 5, step="newer"), Written())
    runs.save_soon(row(1, 4, step="older"), Written())
    taken = await runs.take_over(CALL, 2)
    assert taken is not None
    assert taken.snapshot == {"variables": {"step": "newer"}}


async def test_ghosts_are_forgotten_and_live_calls_kept(runs: FlowRuns) -> None:
    await runs.save(row(1, 1), Written())
    await runs.save(StoredRun("01J00000000000000000000002", "leg-live", 1, 1, {}), Written())
    assert await runs.forget_ghosts({"leg-live"}, time.time() - 60) == 0, "rows newer than the list stay"
    assert await runs.forget_ghosts({"leg-live"}, time.time()) == 1
    assert await runs.take_over(CALL, 2) is None


async def test_a_call_that_ends_before_it_is_written_never_is(runs: FlowRuns) -> None:
    written = Written()
    runs.save_soon(row(1, 1), written)
    runs.close_soon(CALL, epoch=1)
    assert await runs.count() == 0
    assert written.seq == 0, "nothing reached the disk"


async def test_a_saved_call_tells_when_it_is_written(runs: FlowRuns) -> None:
    written = Written()
    runs.save_soon(row(1, 7), written)
    assert written.seq == 0
    await runs.count()
    assert written.seq == 7


async def test_a_locked_database_has_a_deadline_and_nothing_is_lost(database: Address, runs: FlowRuns) -> None:
    await runs.save(row(1, 1), Written())
    written = Written()
    with locked(database):
        runs.save_soon(row(1, 2, kept=True), written)
        with pytest.raises(StoreUnavailable, match=r"within 0\.5 s"):
            await runs.count()
        await until(lambda: not runs.is_healthy, 5)
        assert written.seq == 0
    await until(lambda: written.seq == 2, 5)
    taken = await runs.take_over(CALL, 2)
    assert taken is not None
    assert taken.snapshot == {"variables": {"kept": True}}


async def until(is_so: Callable[[], bool], deadline_s: float) -> None:
    async with asyncio.timeout(deadline_s):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_a_full_backlog_refuses_work_instead_of_growing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BACKLOG_MAX", 1)
    stalled = FlowRuns(StoreThread(open_database(tmp_path / "x.db")))  # never started: nothing is taken out
    stalled.save_soon(row(1, 1), Written())
    stalled.flush()
    assert stalled.is_healthy
    stalled.save_soon(row(1, 2), Written())
    stalled.flush()
    assert not stalled.is_healthy
    with pytest.raises(StoreUnavailable, match="keep up"):
        await stalled.save(row(1, 3), Written())


def test_a_database_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "cordboard.db").mkdir()
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        open_database(tmp_path / "cordboard.db")


def test_a_file_that_is_no_database_is_moved_aside(tmp_path: Path) -> None:
    (tmp_path / "cordboard.db").write_bytes(b"not a database at all" * 100)
    open_database(tmp_path / "cordboard.db").dispose()
    assert [path.read_bytes()[:5] for path in tmp_path.glob("*.broken-*")] == [b"not a"]


async def test_work_that_fails_takes_neither_the_thread_nor_its_neighbours_with_it(runs: FlowRuns) -> None:
    def fail(_connection: object) -> None:
        raise ValueError("no good")

    fates: list[str] = []
    good = Written()
    runs._thread.post(fail, fates.append)
    runs.save_soon(row(1, 1), good)
    assert await runs.count() == 1
    assert (fates, good.seq) == (["lost"], 1)


async def test_what_cannot_be_kept_is_refused_at_once(runs: FlowRuns) -> None:
    with pytest.raises(TypeError):
        runs.save_soon(StoredRun(CALL, "leg", 1, 1, {"no": object()}), Written())


async def test_a_take_over_that_came_too_late_counts_all_the_same(runs: FlowRuns, database: Address) -> None:
    await runs.save(row(1, 1), Written())
    with locked(database), pytest.raises(StoreUnavailable):
        await runs.take_over(CALL, 5)
    await runs.save(row(5, 2, who="the new holder"), Written())
    await runs.save(row(1, 3, who="the old one"), Written())
    taken = await runs.take_over(CALL, 9)
    assert taken is not None
    assert taken.snapshot == {"variables": {"who": "the new holder"}}


async def test_a_row_can_be_had_while_nothing_can_be_written(database: Address) -> None:
    thread, reader = StoreThread(open_database(database)), StoreReader(database)
    thread.start()
    runs = FlowRuns(thread, reader)
    await runs.save(row(1, 3, account="77"), Written())
    with locked(database):
        taken = await runs.take_over(CALL, 5)
    assert taken == StoredRun(CALL, "leg-1", 5, 3, {"variables": {"account": "77"}})
    await runs.save(row(1, 9, who="the old holder"), Written())
    assert await runs.take_over(CALL, 6) == StoredRun(CALL, "leg-1", 6, 3, {"variables": {"account": "77"}})
    thread.close()
    reader.close()


async def test_what_its_asker_gave_up_is_not_done_once_the_lock_is_gone_and_told(database: Address) -> None:
    """Else a phone would be marked as ringing for somebody who has never heard of it."""
    thread = StoreThread(open_database(database))
    thread.start()
    done: list[str] = []
    with locked(database), pytest.raises(StoreUnavailable):
        await thread.ask(lambda _: done.append("work"), 0.2, done.append)
    await thread.ask(lambda _: None, 5.0)
    assert done == ["try_again"]
    thread.close()
