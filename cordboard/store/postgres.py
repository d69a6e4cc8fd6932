"""The PostgreSQL database of several machines: connected to, told how long to wait, checked at the start.

Called by `database`, which everybody else asks. The law is the same as with SQLite: a writing transaction takes the
one lock of writers when it begins, and what it reads stays true until it commits (docs/decisions/0016). A writer
that hangs, or is cut off, in the middle of one is ended by the server, so that the others go on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, ExceptionContext, String, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.compiler import compiles

from cordboard.errors import StoreError, StoreUnavailable
from cordboard.store import migrations
from cordboard.store.address import Address, PostgresAddress
from cordboard.store.cures import told
from cordboard.store.faults import first_words
from cordboard.store.moments import follow_database

OLDEST = 15
_DRIVER = "postgresql+psycopg"
CONNECT_S = 2
SILENT_S = 5.0  # a writer that says nothing for so long in the middle of a transaction loses it
CLOCK_EVERY_S = 1.0  # between two looks at the database's clock
UPGRADE_LOCK_S = 30.0  # for others' transactions to end, before tables are changed

# What is planned while a table is small is carried out until the server counts its rows anew: it must be good for a
# large one, too. Every statement of a writer has its index.
_BY_INDEX = "-c enable_seqscan=off -c jit=off"
# Advisory locks are each database's own, and nobody else takes any in ours: any number will do.
_TAKE_LOCK = "SELECT pg_advisory_xact_lock(1)"
_READ_CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float8"


@compiles(String, "postgresql")
def _as_text(_kind: Any, _compiler: Any, **options: Any) -> str:
    """Text of any length, as in SQLite: no fact is refused because an id of the switch is long. It is sorted by its
    characters, as in SQLite and Python, whatever language the database was made for.
    """
    return 'TEXT COLLATE "C"' if options.get("type_expression") is not None else "TEXT"


def open_current(address: PostgresAddress, busy_ms: int) -> Engine:
    """An engine for writing to a database that has this code's tables.

    busy_ms: how long the lock of another writer is waited for. Raises StoreUnavailable, StoreError.
    """
    with told_as_ours(address), looking(address) as connection:
        _check_server(connection)
        _check_tables(connection, address)
    return writing_engine(address, busy_ms)


def upgrade(address: PostgresAddress) -> None:
    """Make the tables those of this code. Raises StoreUnavailable, StoreError for a newer database."""
    engine = writing_engine(address, int(UPGRADE_LOCK_S * 1000))
    try:
        with told_as_ours(address), engine.begin() as connection:
            _check_server(connection)
            migrations.upgrade(connection)
    finally:
        engine.dispose()


@contextmanager
def looking(address: PostgresAddress) -> Iterator[Connection]:
    """One look at the database, on a connection of its own. Raises SQLAlchemyError."""
    engine = reading_engine(address)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def told_as_ours(address: Address) -> Iterator[None]:
    """Faults of the database as StoreUnavailable, with the address and without the statement."""
    try:
        yield
    except SQLAlchemyError as fault:
        raise StoreUnavailable(f"the database {address} cannot be used: {told(address, fault)}") from fault


def writing_engine(address: PostgresAddress, busy_ms: int) -> Engine:
    """For writing. Does not connect yet."""
    silent_ms = int(SILENT_S * 1000)
    limits = f"-c lock_timeout={busy_ms} -c idle_in_transaction_session_timeout={silent_ms}"
    engine = _engine(address, f"{limits} {_BY_INDEX}")
    event.listen(engine, "begin", _WriterBegins())
    return engine


def reading_engine(address: PostgresAddress) -> Engine:
    """For looking: each transaction sees one moment of the database, and cannot write. Does not connect yet."""
    engine = _engine(
        address, "-c default_transaction_read_only=on -c default_transaction_isolation=repeatable\\ read"
    )
    event.listen(engine, "begin", _ReaderBegins())
    return engine


class _ReaderBegins:
    """Reads the database's clock now and then, so that moments are its."""

    def __init__(self) -> None:
        self._read_again_at = 0.0

    def __call__(self, connection: Connection) -> None:
        if time.monotonic() >= self._read_again_at:
            _follow_clock(connection)
            self._read_again_at = time.monotonic() + CLOCK_EVERY_S


class _WriterBegins(_ReaderBegins):
    """Waits for its turn first: what the clock says before that is long past."""

    def __call__(self, connection: Connection) -> None:
        connection.exec_driver_sql(_TAKE_LOCK)
        super().__call__(connection)


def _follow_clock(connection: Connection) -> None:
    asked_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    read_s = connection.exec_driver_sql(_READ_CLOCK).scalar_one()
    follow_database(read_s, asked_ns, time.clock_gettime_ns(time.CLOCK_BOOTTIME))


def _engine(address: PostgresAddress, options: str) -> Engine:
    _check_driver()
    url = make_url(address.url).set(drivername=_DRIVER, password=address.password or None)
    engine = create_engine(
        url,
        connect_args={
            "options": f"{options} -c jit=off",
            "application_name": "cordboard",
            "connect_timeout": CONNECT_S,
            # A server that is gone, with its machine or the network, is found out in some seconds and not in hours.
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 6_000,
        },
        execution_options={"preserve_rowcount": True},  # of inserts too, as the driver of SQLite does
        pool_pre_ping=True,  # the first transaction after a restart of the server finds a new connection
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        hide_parameters=True,  # they are callers' numbers and names, and a fault's text ends up in a log
    )
    event.listen(engine, "handle_error", _leave_out_details)
    return engine


def _check_driver() -> None:
    """The service does without it where the database is a file."""
    if find_spec("psycopg") is None:
        raise StoreError("a PostgreSQL database needs psycopg: pip install 'cordboard[postgres]'")


def _leave_out_details(context: ExceptionContext) -> None:
    """The server's "detail" repeats the values of the row that it refused, and a fault's text ends up in a log."""
    words = first_words(context.original_exception)
    context.original_exception.args = (words,)
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (f"({type(context.original_exception).__name__}) {words}",)


def _check_server(connection: Connection) -> None:
    version = connection.dialect.server_version_info or (0,)
    if version < (OLDEST,):
        raise StoreError(f"the server is PostgreSQL {version[0]}; {OLDEST} is the oldest that will do")


def _check_tables(connection: Connection, address: PostgresAddress) -> None:
    found = migrations.version_of(connection)
    if found == migrations.HEAD:
        return
    if found is not None and found > migrations.HEAD:
        raise StoreError(migrations.newer_words(found))
    has = f"its tables are of step {found} of {migrations.HEAD}" if found else "it has no tables yet"
    raise StoreError(f"the database {address} is not ready: {has}; type: cordboard db upgrade")
