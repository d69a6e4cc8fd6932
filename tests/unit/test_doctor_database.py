"""The check `database`: on real files, with a real lock, real permissions, real bytes that are none of SQLite's."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from cordboard.bootstrap.checks import database
from cordboard.bootstrap.checks.file_locks import lock_holders
from cordboard.bootstrap.checks.result import Level
from cordboard.store.database import open_database
from tests.doubles.doctor_site import Site, as_nobody, only, open_folder

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """The pid of another program that holds the write lock."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdin=pipe, stdout=pipe, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "locked\n"
        yield program.pid
        program.communicate()


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}


async def test_a_database_takes_a_row_which_does_not_stay(tmp_path: Path) -> None:
    site = Site(tmp_path)
    path = site.make_database()
    before = tables(path)
    result = only(await database.look(site.premises()), Level.OK)
    assert str(path) in result.seen
    assert tables(path) == before
    locks = {f"cordboard.db.{name}" for name in ("lock", "gate", "turn")}
    assert {file.name for file in site.state.iterdir()} == {"cordboard.db", *locks}


def test_it_is_written_while_the_service_has_it_open(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "cordboard.db")
    with engine.connect():
        assert database.try_to_write(tmp_path / "cordboard.db").level == Level.OK
    engine.dispose()


def test_a_lock_is_told_with_who_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOCK_S", 0.05)
    path = Site(tmp_path).make_database()
    with locked(path) as pid:
        result = database.try_to_write(path)
    assert result.level == Level.FAULT
    assert "has been locked" in result.seen and f"(pid {pid})" in result.seen
    assert result.fix == f"end it: kill {pid}"
    assert database.try_to_write(path).level == Level.OK


def test_our_own_lock_is_not_told_as_somebody_elses(tmp_path: Path) -> None:
    path = Site(tmp_path).make_database()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert lock_holders(path) == []


def test_a_read_only_file_is_told_apart_from_a_lock() -> None:
    with open_folder() as folder:
        open_database(folder / "cordboard.db").dispose()
        (folder / "cordboard.db").chmod(0o444)
        folder.chmod(0o555)
        with as_nobody():
            result = database.try_to_write(folder / "cordboard.db")
        folder.chmod(0o755)
    assert result.level == Level.FAULT
    assert "read-only for this user" in result.seen
    assert "chown asterisk" in result.fix


def test_what_is_no_database_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "cordboard.db"
    path.write_bytes(b"not a database at all, and long enough to have a header of its own " * 20)
    result = database.try_to_write(path)
    assert result.level == Level.FAULT
    assert "not a sound database" in result.seen
    assert path.read_bytes().startswith(b"not a database")


def test_a_database_of_newer_code_is_a_fault(tmp_path: Path) -> None:
    path = Site(tmp_path).make_database()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    result = database.try_to_write(path)
    assert result.level == Level.FAULT and "newer Cordboard" in result.seen


async def test_without_a_database_the_folder_is_tried(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.state.rmdir()
    only(await database.look(site.premises()), Level.NOTE)
    assert not site.state.exists()


def test_a_folder_that_cannot_be_written_is_a_fault() -> None:
    with open_folder() as folder, as_nobody():
        result = database.try_folder(folder, folder / "state" / "cordboard.db")
    assert result.level == Level.FAULT
    assert result.fix.startswith(f"mkdir -p {folder}/state")


@pytest.mark.parametrize(
    ("free_mb", "level"), [(99, Level.FAULT), (100, Level.WARNING), (999, Level.WARNING), (1000, None)]
)
def test_room_is_told_of_before_it_is_gone(tmp_path: Path, free_mb: int, level: Level | None) -> None:
    result = database.judge_free(tmp_path, free_mb)
    assert (result.level if result else None) == level


def test_a_disk_without_room_is_seen_as_it_is() -> None:
    full = next((line.split()[1] for line in Path("/proc/mounts").read_text().splitlines() if _is_small(line)), "")
    if not full:
        pytest.skip("no file system of less than 100 MB is mounted here")
    result = database.judge_room(Path(full))
    assert result is not None and result.level == Level.FAULT


def _is_small(mount: str) -> bool:
    try:
        status = os.statvfs(mount.split()[1])
    except OSError:
        return False
    return 0 < status.f_blocks * status.f_frsize < 100_000_000
