"""What is in a SQLite file's log comes into the file, and nobody waits for it."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from cordboard.store.address import PostgresAddress
from cordboard.store.checkpoints import Checkpoints, carry_over
from cordboard.store.database import open_database

ROWS = 3_000  # more pages than SQLite itself would leave in a log
LONGEST_S = 20.0


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "store.db")
    yield engine
    engine.dispose()


def test_a_transaction_leaves_its_pages_in_the_log(engine: Engine, tmp_path: Path) -> None:
    write(engine)
    assert rows_in_the_file_alone(tmp_path) == 0


def test_what_is_in_the_log_is_carried_over_into_the_file(engine: Engine, tmp_path: Path) -> None:
    write(engine)
    assert carry_over(tmp_path / "store.db")
    assert rows_in_the_file_alone(tmp_path) == ROWS


def test_it_is_carried_over_while_somebody_writes(engine: Engine, tmp_path: Path) -> None:
    write(engine)
    with engine.begin() as writing:
        note(writing, "under way")
        assert carry_over(tmp_path / "store.db")
    assert rows_in_the_file_alone(tmp_path) == ROWS


def test_somebody_who_still_looks_at_an_earlier_moment_is_not_waited_for(engine: Engine, tmp_path: Path) -> None:
    reader = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM meta WHERE value = 'row'").fetchone() == (0,)
    write(engine)
    assert not carry_over(tmp_path / "store.db")
    reader.close()


async def test_the_thread_does_it_by_itself(engine: Engine, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "store.db", every_s=0.01)
    checkpoints.start()
    try:
        write(engine)
        give_up_at = time.monotonic() + LONGEST_S
        while rows_in_the_file_alone(tmp_path) < ROWS:
            assert time.monotonic() < give_up_at
            await asyncio.sleep(0.01)
    finally:
        checkpoints.close()


def test_a_file_that_is_gone_ends_nothing(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "store.db", every_s=0.001)
    checkpoints.start()
    engine = open_database(tmp_path / "store.db")  # now it is there
    try:
        write(engine)
        give_up_at = time.monotonic() + LONGEST_S
        while rows_in_the_file_alone(tmp_path) < ROWS:
            assert time.monotonic() < give_up_at
    finally:
        checkpoints.close()
        engine.dispose()


def test_a_server_looks_after_its_own_log() -> None:
    checkpoints = Checkpoints(PostgresAddress("postgresql://nobody@nowhere/nothing"))
    checkpoints.start()
    checkpoints.close()


def write(engine: Engine) -> None:
    with engine.begin() as connection:
        for number in range(ROWS):
            note(connection, str(number))


def note(connection: Connection, key: str) -> None:
    connection.exec_driver_sql("INSERT INTO meta VALUES (?, 'row')", (f"k{key}",))


def rows_in_the_file_alone(folder: Path) -> int:
    """What somebody would find who had the file without its log."""
    alone = folder / "alone" / "store.db"
    alone.parent.mkdir(exist_ok=True)
    shutil.copy(folder / "store.db", alone)
    connection = sqlite3.connect(alone)
    try:
        found: int = connection.execute("SELECT count(*) FROM meta WHERE value = 'row'").fetchone()[0]
    except sqlite3.DatabaseError:  # copied in the middle of it
        return 0
    finally:
        connection.close()
    return found
