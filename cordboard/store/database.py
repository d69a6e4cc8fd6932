"""Opens the database, wherever it is. A file of this machine is SQLite: brought up to date here, and moved aside
when it is no database any more. One that several machines share is `postgres`'s business.

Two kinds of connections. Writers take the write lock when a transaction begins (`BEGIN IMMEDIATE`): what they
read in it stays true until they commit, and a lock is waited for at the start, never run into in the middle.
Readers see one moment of the database and wait for nobody.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import structlog
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from cordboard.errors import StoreUnavailable
from cordboard.store import migrations, postgres
from cordboard.store.address import Address, PostgresAddress
from cordboard.store.boot import forget_other_boots, is_same_boot
from cordboard.store.checkpoints import LOG_PAGES_MAX
from cordboard.store.faults import in_words
from cordboard.store.lock_files import open_lock
from cordboard.store.moments import boot_id, follow_machine
from cordboard.store.turnstile import take_turns

log = structlog.get_logger()

BUSY_TIMEOUT_MS = 2_000
OTHERS_S = 30.0  # for the other processes that start now, one after the other; a step takes far less than a second
STATEMENTS_KEPT = 512  # prepared statements a connection; more than there are


def open_database(path: Address) -> Engine:
    """An engine for writing, on a database with this code's tables. Raises StoreUnavailable; StoreError if newer
    code made it, or if it is on a server and was not upgraded.
    """
    if isinstance(path, PostgresAddress):
        return postgres.open_current(path, BUSY_TIMEOUT_MS)
    follow_machine()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _opened(path)
    except OSError as fault:
        raise StoreUnavailable(f"the database {path} cannot be opened: {fault}") from fault
    except SQLAlchemyError as fault:
        raise StoreUnavailable(f"the database {path} cannot be opened: {in_words(fault)}") from fault


def open_for_reading(path: Address) -> Engine:
    """An engine for looking at an existing database. Raises StoreUnavailable if there is no such file; a server is
    not asked yet.
    """
    if isinstance(path, PostgresAddress):
        return postgres.reading_engine(path)
    if not path.is_file():
        raise StoreUnavailable(f"there is no database {path}")
    follow_machine()
    engine = _engine(path, BUSY_TIMEOUT_MS / 1000)
    event.listen(engine, "connect", _tune_reader)
    event.listen(engine, "begin", _begin_reading)
    return engine


def _opened(path: Path) -> Engine:
    if _seems_current(path):
        return _writing_engine(path)
    with _one_at_a_time(path):  # whoever was before us may have done it all by now
        try:
            return _made_current(path)
        except SQLAlchemyError as fault:
            if not _is_broken(fault):
                raise
        # Calls can be taken without what it held; what can be saved of it is for a person to find out.
        log.error("store_broken", moved_to=str(_move_aside(path)))
        return _made_current(path)


def _seems_current(path: Path) -> bool:
    """The same without the lock, for the many starts at which there is nothing to do."""
    try:
        return _is_current(path)
    except SQLAlchemyError:
        return False  # half made, or broken: with the lock we shall know


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Of all processes of the machine, one makes, upgrades or moves aside a database. Raises StoreUnavailable."""
    lock = open_lock(Path(f"{path}.lock"))
    try:
        _lock(lock, path)
        yield
    finally:
        os.close(lock)


def _lock(lock: int, path: Path) -> None:
    give_up_at = time.monotonic() + OTHERS_S
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:  # flock has no deadline of its own
            if time.monotonic() >= give_up_at:
                raise StoreUnavailable(f"another process has been at the tables of {path} for too long") from taken
        time.sleep(0.02)


def _made_current(path: Path) -> Engine:
    engine = _writing_engine(path)
    try:
        if not _is_current(path):
            _bring_up_to_date(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _bring_up_to_date(engine: Engine) -> None:
    with engine.begin() as connection:
        migrations.upgrade(connection)
        if forget_other_boots(connection, boot_id()):
            log.warning("machine_was_restarted")


def _writing_engine(path: Path) -> Engine:
    engine = _engine(path, BUSY_TIMEOUT_MS / 2000)  # and as long for its turn
    take_turns(engine, path, BUSY_TIMEOUT_MS / 2000)
    event.listen(engine, "connect", _tune_writer)
    event.listen(engine, "begin", _begin_writing)
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


def _engine(path: Path, busy_s: float) -> Engine:
    # isolation_level=None: sqlite3 begins no transactions of its own, the "begin" listeners do.
    return create_engine(
        f"sqlite:///{path}",
        connect_args={
            "timeout": busy_s,
            "isolation_level": None,
            "cached_statements": STATEMENTS_KEPT,
            "check_same_thread": False,
        },
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        hide_parameters=True,  # they are callers' numbers and names, and a fault's text ends up in a log
    )


def _tune_writer(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    # A power cut may lose the last moments of calls which it has ended anyway; a killed process loses nothing.
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint={LOG_PAGES_MAX}")


def _tune_reader(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA query_only=ON")


def _begin_writing(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _is_broken(fault: SQLAlchemyError) -> bool:
    """Whether the file is no database (any more), as against locked, missing or forbidden."""
    return any(words in in_words(fault) for words in ("file is not a database", "malformed"))


def _move_aside(path: Path) -> Path:
    """Move it with its log, which would otherwise be played into the new one."""
    aside = path.with_name(f"{path.name}.broken-{time.time_ns()}")
    for suffix in ("", "-wal", "-shm"):
        if (part := path.with_name(path.name + suffix)).exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside
