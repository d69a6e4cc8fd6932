"""A database that fails says so without saying who called."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Connection, event

from cordboard.errors import StoreUnavailable
from cordboard.store import moments
from cordboard.store.accounts import set_password_hash
from cordboard.store.acd_store import AcdStore
from cordboard.store.acd_values import CallerNote
from cordboard.store.database import open_database
from cordboard.store.reader import StoreReader
from cordboard.store.writer import StoreThread
from tests.doubles.floor_kit import PLAN

PERSONAL = ("+442071838750", "Ada Lovelace", "gold-tier")
CALLER = CallerNote("c1", PERSONAL[0], PERSONAL[1], "100", PERSONAL[0], customer={"tier": PERSONAL[2]})


@pytest.fixture
def logged() -> Iterator[list[structlog.typing.EventDict]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


def texts(fault: BaseException | None) -> str:
    """Everything a log of this fault would hold."""
    formatter = logging.Formatter()
    return formatter.formatException((type(fault), fault, fault.__traceback__)) if fault else ""


def note(connection: Connection) -> str:
    return AcdStore(PLAN).note_caller(connection, moments.now(), CALLER)


async def test_a_full_disk_tells_nobody_who_calls(tmp_path: Path, logged: list[structlog.typing.EventDict]) -> None:
    engine = open_database(tmp_path / "cordboard.db")

    def fill(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    thread = StoreThread(engine)
    thread.start()
    await thread.ask(fill, 2.0)
    long = CallerNote("c2", *PERSONAL[:2], "100", PERSONAL[0], customer={"tier": PERSONAL[2] * 10_000})
    with pytest.raises(StoreUnavailable, match="full") as failed:
        await thread.ask(lambda c: AcdStore(PLAN).note_caller(c, moments.now(), long), 2.0)
    thread.close()
    said = texts(failed.value) + str(logged)
    assert "store_failed" in said
    assert [each for each in PERSONAL if each in said] == []
    assert "INSERT" not in str(failed.value) + str(logged)


async def test_a_table_that_is_gone_tells_nobody_who_calls(
    tmp_path: Path, logged: list[structlog.typing.EventDict]
) -> None:
    engine = open_database(tmp_path / "cordboard.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE callers")
    thread, reader = StoreThread(engine), StoreReader(tmp_path / "cordboard.db")
    thread.start()
    with pytest.raises(StoreUnavailable) as written:
        await thread.ask(note, 2.0)
    with pytest.raises(StoreUnavailable) as read:
        await reader.ask(lambda c: c.exec_driver_sql("SELECT * FROM callers WHERE ani = ?", (PERSONAL[0],)))
    thread.close()
    reader.close()
    assert str(written.value) == str(read.value) == "no such table: callers"
    said = texts(written.value) + texts(read.value) + str(logged)
    assert [each for each in PERSONAL if each in said] == []


async def test_a_batch_that_takes_long_is_written_before_the_rest_is_begun(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "cordboard.db")
    commits: list[int] = []
    done: list[int] = []
    event.listen(engine, "commit", lambda _: commits.append(len(done)))
    thread = StoreThread(engine)

    def slow(number: int) -> int:
        time.sleep(0.03)
        done.append(number)
        return number

    asked = [asyncio.ensure_future(thread.ask(lambda _, n=n: slow(n), 5.0)) for n in range(6)]
    await asyncio.sleep(0)  # all wait before the thread begins
    thread.start()
    assert await asyncio.gather(*asked) == list(range(6)), "and in order"
    thread.close()
    assert commits[0] == 2
    assert len(commits) == 3


async def test_what_is_left_of_a_batch_is_done_before_the_thread_ends(tmp_path: Path) -> None:
    thread = StoreThread(open_database(tmp_path / "cordboard.db"))
    fates: list[str] = []
    for _ in range(4):
        thread.post(lambda _: time.sleep(0.03), fates.append)
    thread.start()
    await asyncio.to_thread(thread.close)
    assert fates == ["written"] * 4


async def test_an_answer_that_comes_after_the_deadline_of_work_begun_in_time_is_not_lost(tmp_path: Path) -> None:
    thread = StoreThread(open_database(tmp_path / "cordboard.db"))
    thread.start()
    begun, go_on = threading.Event(), threading.Event()

    def work(connection: Connection) -> str:
        begun.set()
        go_on.wait(5)
        set_password_hash(connection, "alice", "x")
        return "written"

    asked = asyncio.ensure_future(thread.ask(work, 0.05))
    await asyncio.to_thread(begun.wait, 5)
    behind = asyncio.ensure_future(thread.ask(lambda _: "too late", 0.05))
    with pytest.raises(StoreUnavailable, match=r"within 0\.05 s"):
        await behind
    assert not asked.done()
    go_on.set()
    assert await asked == "written"
    thread.close()
