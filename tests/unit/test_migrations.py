"""A database is brought up to date without losing a row, whoever made it and however many start at once."""

from __future__ import annotations

import fcntl
import multiprocessing
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import insert

from cordboard.errors import StoreError, StoreUnavailable
from cordboard.store import database, migrations
from cordboard.store.database import open_database
from cordboard.store.tables import leases, metadata

# What version 0.1 of the program made, word for word.
FIRST = """
CREATE TABLE flow_runs (
    call_id VARCHAR(26) NOT NULL, epoch BIGINT NOT NULL, seq INTEGER NOT NULL, leg_id VARCHAR(128) NOT NULL,
    snapshot VARCHAR NOT NULL, written_at FLOAT NOT NULL, PRIMARY KEY (call_id)
);
CREATE INDEX ix_flow_runs_written_at ON flow_runs (written_at);
INSERT INTO flow_runs VALUES ('01J00000000000000000000001', 7, 3, 'leg-1', '{"node": "menu"}', 1.5);
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cordboard.db"


def schema(path: Path) -> dict[str, object]:
    """Every index as the database was told to make it; of every table its columns, and whether it has row ids.
    Columns which a later step has added stand last in the words, so those are not compared.
    """
    connection = sqlite3.connect(path)
    made = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    ours: dict[str, object] = {}
    for kind, name, sql in made:
        if kind == "index":
            ours[name] = " ".join(sql.split())
        elif name not in ("alembic_version", "sqlite_sequence"):
            columns = connection.execute(
                f"SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('{name}')"
            )
            ours[name] = (sorted(columns.fetchall(), key=repr), "WITHOUT ROWID" in sql, "AUTOINCREMENT" in sql)
    connection.close()
    return ours


def test_the_steps_lead_to_the_tables_of_the_code(path: Path, tmp_path: Path) -> None:
    open_database(path).dispose()
    made = tmp_path / "made.db"
    engine = open_database(made)
    with engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    engine.dispose()
    assert schema(path) == schema(made)
    assert set(metadata.tables) < set(schema(path))


def test_the_code_knows_its_newest_step() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert scripts.get_heads() == [migrations.HEAD]


def test_a_database_of_the_first_version_keeps_its_rows(path: Path) -> None:
    old = sqlite3.connect(path)
    old.executescript(FIRST)
    old.close()
    engine = open_database(path)
    with engine.begin() as connection:
        rows = connection.exec_driver_sql("SELECT call_id, epoch, snapshot FROM flow_runs").all()
        assert migrations.version_of(connection) == migrations.HEAD
        assert connection.exec_driver_sql("SELECT count(*) FROM ledger").scalar_one() == 0
    engine.dispose()
    assert [tuple(row) for row in rows] == [("01J00000000000000000000001", 7, '{"node": "menu"}')]


def test_a_worker_can_start_while_another_writes(path: Path) -> None:
    open_database(path).dispose()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    open_database(path).dispose()
    other.close()


def test_a_newer_database_is_refused_and_left_alone(path: Path) -> None:
    engine = open_database(path)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"made by a newer Cordboard \(its version is 9999"):
        open_database(path)
    assert path.read_bytes() == before


def test_a_step_that_fails_leaves_the_database_as_it_was(path: Path) -> None:
    old = sqlite3.connect(path)
    old.executescript(FIRST + "CREATE TABLE offers (is_somebody_elses INTEGER);")
    old.close()
    with pytest.raises(StoreUnavailable, match="offers already exists"):
        open_database(path)
    left = sqlite3.connect(path)
    tables = {name for (name,) in left.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    left.close()
    assert tables == {"flow_runs", "offers"}, "half a step is no step"


def test_processes_that_start_at_once_upgrade_it_once(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        assert pool.map(_open, [str(path)] * 8, chunksize=1) == [None] * 8
    assert set(metadata.tables) < set(schema(path))


@pytest.mark.parametrize("found", [None, b"This is no database. " * 500], ids=["nothing", "a broken one"])
def test_those_who_find_it_at_one_moment_agree_on_one_database(
    path: Path, found: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_broken, others = database._is_broken, Event()
    # What one has seen is long ago when it moves the file: time for all others to do the same.
    monkeypatch.setattr(database, "_is_broken", lambda fault: is_broken(fault) and not others.wait(0.1))
    if found is not None:
        path.write_bytes(found)
    with ThreadPoolExecutor(8) as starting:
        together = Barrier(8)
        opened = list(starting.map(lambda n: _note_name(path, f"observer:{n}", together), range(8)))
    assert opened == [None] * 8
    connection = sqlite3.connect(path)
    names = {name for (name,) in connection.execute("SELECT name FROM leases")}
    connection.close()
    assert names == {f"observer:{n}" for n in range(8)}, "all write into the same one"
    aside = [file.read_bytes() for file in path.parent.glob("*.broken-*")]
    assert aside == ([] if found is None else [found])


def _note_name(path: Path, name: str, together: Barrier) -> None:
    together.wait(10)
    engine = open_database(path)
    with engine.begin() as connection:
        connection.execute(insert(leases).values(name=name, holder="w", until=0.0, fence=1))
    engine.dispose()


def test_a_lock_that_is_never_given_up_is_not_waited_for_for_ever(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "OTHERS_S", 0.05)
    with Path(f"{path}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StoreUnavailable, match="for too long"):
            open_database(path)


def _open(path: str) -> str | None:
    try:
        open_database(Path(path)).dispose()
    except StoreError as fault:
        return str(fault)
    return None
