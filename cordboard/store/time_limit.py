"""A limit to how long the database works on a question, for questions whose answer may take any time.

`StoreReader` gives up waiting at its deadline, but its thread would work on, and whoever asks next waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from cordboard.errors import StoreError

_LIMIT = text("SELECT set_config('statement_timeout', :longest_ms, true)")  # for this transaction
_STEPS = 20_000  # of SQLite's machine between two looks at the clock: less than a millisecond


class TookTooLong(StoreError):
    """The database was not done with a question in the time it had."""


@contextmanager
def time_limit(connection: Connection, longest_s: float) -> Iterator[None]:
    """Whatever the block asks of the connection ends after so long. Raises TookTooLong."""
    until = time.monotonic() + longest_s
    limited = _limited_sqlite if connection.dialect.name == "sqlite" else _limited_postgres
    with limited(connection, longest_s):
        try:
            yield
        except OperationalError as fault:
            if time.monotonic() > until:
                raise TookTooLong(f"the database was not done within {longest_s} s") from fault
            raise


@contextmanager
def _limited_sqlite(connection: Connection, longest_s: float) -> Iterator[None]:
    until = time.monotonic() + longest_s
    database = connection.connection.driver_connection
    assert database is not None
    database.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    try:
        yield
    finally:
        database.set_progress_handler(None, 0)


@contextmanager
def _limited_postgres(connection: Connection, longest_s: float) -> Iterator[None]:
    """A question that is ended ends no more than what was asked since."""
    with connection.begin_nested():
        connection.execute(_LIMIT, {"longest_ms": str(max(1, int(longest_s * 1000)))})
        yield
        connection.execute(_LIMIT, {"longest_ms": "0"})
