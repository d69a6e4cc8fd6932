"""The SQLite database of one machine: opened, brought up to date, and moved aside when it is none any more.

Two kinds of connections. Writers take the write lock when a transaction begins (`BEGIN IMMEDIATE`): what they
read in it stays true until they commit, and a lock is waited for at the start, never run into in the middle.
Readers see one moment of the database and wait for nobody.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import orjson
import structlog
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from cordboard.errors import StoreUnavailable
from cordboard.store import migrations
from cordboard.store.boot import forget_other_boots, is_same_boot
from cordboard.store.moments import boot_id

log = structlog.get_logger()

BUSY_TIMEOUT_MS = 2_000
STATEMENTS_KEPT = 512  # prepared statements a connection; more than there are


def open_database(path: Path) -> Engine:
    """An engine for writing, on a database with this code's tables. Raises StoreUnavailable; StoreError if newer
    code made it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _opened(path)
    except OSError as fault:
        raise StoreUnavailable(f"the database {path} cannot be opened: {fault}") from fault
    except SQLAlchemyError as fault:
        if not _is_broken(fault):
            raise StoreUnavailable(f"the database {path} cannot be opened: {fault}") from fault
    # Calls can be taken without what it held; what can be saved of it is for a person to find out.
    log.error("store_broken", moved_to=str(_move_aside(path)))
    return _opened(path)


def open_for_reading(path: Path) -> Engine:
    """An engine for looking at an existing database. Raises StoreUnavailable if there is none."""
    if not path.is_file():
        raise StoreUnavailable(f"there is no database {path}")
    engine = _engine(path)
    event.listen(engine, "connect", _tune_reader)
    event.listen(engine, "begin", _begin_reading)
    return engine


def _opened(path: Path) -> Engine:
    engine = _engine(path)
    event.listen(engine, "connect", _tune_writer)
    event.listen(engine, "begin", _begin_writing)
    if _is_current(path):
        return engine
    try:
        with engine.begin() as connection:
            migrations.upgrade(connection)
            if forget_other_boots(connection, boot_id()):
                log.warning("machine_was_restarted")
    except BaseException:
        engine.dispose()
        raise
    return engine


def _is_current(path: Path) -> bool:
    """Whether there is nothing to write first: a worker can start while somebody holds the write lock."""
    if not path.is_file():
        return False
    engine = open_for_reading(path)
    try:
        with engine.begin() as connection:
            return migrations.version_of(connection) == migrations.HEAD and is_same_boot(connection, boot_id())
    finally:
        engine.dispose()


def _engine(path: Path) -> Engine:
    # isolation_level=None: sqlite3 begins no transactions of its own, the "begin" listeners do.
    return create_engine(
        f"sqlite:///{path}",
        connect_args={
            "timeout": BUSY_TIMEOUT_MS / 1000,
            "isolation_level": None,
            "cached_statements": STATEMENTS_KEPT,
            "check_same_thread": False,
        },
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )


def _tune_writer(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    # A power cut may lose the last moments of calls which it has ended anyway; a killed process loses nothing.
    connection.execute("PRAGMA synchronous=NORMAL")


def _tune_reader(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA query_only=ON")


def _begin_writing(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _is_broken(fault: SQLAlchemyError) -> bool:
    """Whether the file is no database (any more), as against locked, missing or forbidden."""
    return any(words in str(fault) for words in ("file is not a database", "malformed"))


def _move_aside(path: Path) -> Path:
    """Move it with its log, which would otherwise be played into the new one."""
    aside = path.with_name(f"{path.name}.broken-{time.time_ns()}")
    for suffix in ("", "-wal", "-shm"):
        if (part := path.with_name(path.name + suffix)).exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside
