"""The rows of live calls: fencing, order, ghosts, and what happens when the database cannot be written."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cordboard.errors import StoreUnavailable
from cordboard.store import writer
from cordboard.store.flow_runs import FlowRuns, StoredRun
from cordboard.store.writer import StoreThread, open_database

CALL = "01J00000000000000000000001"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "cordboard.db"


@pytest.fixture
def runs(database: Path) -> Iterator[FlowRuns]:
    thread = StoreThread(open_database(database))
    thread.start()
    yield FlowRuns(thread)
    thread.close()


def row(epoch: int, seq: int, **variables: object) -> StoredRun:
    return StoredRun(CALL, epoch, seq, {"variables": variables})


async def test_a_saved_run_comes_back_with_a_new_epoch(runs: FlowRuns) -> None:
    await runs.save(row(1, 3, account="77"), "chan-1")
    assert await runs.take_over(CALL) == StoredRun(CALL, 2, 3, {"variables": {"account": "77"}})


async def test_an_unknown_call_has_no_row(runs: FlowRuns) -> None:
    assert await runs.take_over(CALL) is None


async def test_a_worker_that_lost_the_call_cannot_write_over_its_successor(runs: FlowRuns) -> None:
    await runs.save(row(1, 3, who="first"), "chan-1")
    await runs.take_over(CALL)
    await runs.save(row(2, 4, who="second"), "chan-1")
    await runs.save(row(1, 9, who="a ghost of the first"), "chan-1")
    taken = await runs.take_over(CALL)
    assert taken is not None
    assert taken.snapshot == {"variables": {"who": "second"}}


async def test_a_worker_that_lost_the_call_cannot_close_it(runs: FlowRuns) -> None:
    await runs.save(row(1, 3), "chan-1")
    await runs.take_over(CALL)
    runs.close_soon(CALL, epoch=1)
    assert await runs.count() == 1
    runs.close_soon(CALL, epoch=2)
    assert await runs.count() == 0


async def test_an_older_step_never_replaces_a_newer_one(runs: FlowRuns) -> None:
    runs.save_soon(row(1, 5, step="newer"), "chan-1")
    runs.save_soon(row(1, 4, step="older"), "chan-1")
    taken = await runs.take_over(CALL)
    assert taken is not None
    assert taken.snapshot == {"variables": {"step": "newer"}}


async def test_ghosts_are_forgotten_and_live_calls_kept(runs: FlowRuns) -> None:
    await runs.save(row(1, 1), "chan-gone")
    await runs.save(StoredRun("01J00000000000000000000002", 1, 1, {}), "chan-live")
    assert await runs.forget_ghosts({"chan-live"}, time.time() - 60) == 0, "rows newer than the list stay"
    assert await runs.forget_ghosts({"chan-live"}, time.time()) == 1
    assert await runs.take_over(CALL) is None


async def test_a_locked_database_is_an_error_with_a_deadline_and_heals(
    database: Path, runs: FlowRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    await runs.save(row(1, 1), "chan-1")
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(StoreUnavailable, match=r"within 0\.5 s"):
            await runs.save(row(1, 2), "chan-1")
    finally:
        other.execute("ROLLBACK")
        other.close()
    await runs.save(row(1, 3, healed=True), "chan-1")
    assert runs.is_healthy


async def test_a_full_backlog_refuses_work_instead_of_growing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BACKLOG_MAX", 2)
    stalled = FlowRuns(StoreThread(open_database(tmp_path / "x.db")))  # never started: nothing is taken out
    assert stalled.save_soon(row(1, 1), "chan-1")
    assert stalled.save_soon(row(1, 2), "chan-1")
    assert not stalled.save_soon(row(1, 3), "chan-1")
    assert not stalled.is_healthy
    with pytest.raises(StoreUnavailable, match="keep up"):
        await stalled.save(row(1, 4), "chan-1")


def test_a_database_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "cordboard.db").mkdir()
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        open_database(tmp_path / "cordboard.db")
