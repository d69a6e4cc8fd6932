"""The fixture `database`: a test that takes it is run on both engines, each time on empty tables.

A test process has one PostgreSQL server and one database on it for all its tests; `shared_server` is for tests that
need a database of their own.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from cordboard.store.address import Address, PostgresAddress
from cordboard.store.database import open_database
from tests.doubles.postgres import PostgresServer, empty_tables

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Address:
    """Where an empty database is, of each kind in turn."""
    return empty_database(request.param, tmp_path)


def empty_database(engine: str, folder: Path) -> Address:
    """One of a kind. folder: for the file, if it is one."""
    if engine == "sqlite":
        return folder / "cordboard.db"
    address = _shared_database()
    opened = open_database(address)
    with opened.begin() as connection:
        empty_tables(connection)
    opened.dispose()
    return address


@cache
def shared_server() -> PostgresServer:
    """The server of this test process."""
    server = PostgresServer()
    atexit.register(server.close)
    return server


@pytest.fixture
def postgres() -> Iterator[PostgresAddress]:
    """A database on a server for this test alone."""
    address = shared_server().make_database()
    yield address
    shared_server().drop_database(address)


@cache
def _shared_database() -> PostgresAddress:
    return shared_server().make_database()


@contextmanager
def locked(address: Address) -> Iterator[None]:
    """Another writer is at work, and does not end."""
    engine = open_database(address)
    try:
        with engine.begin():
            yield
    finally:
        engine.dispose()
