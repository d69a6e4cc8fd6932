"""A limit to how long the database works on a question, for questions whose answer may take any time.

`StoreReader` gives up waiting at its deadline, but its thread would work on, and whoever asks next waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from cordboard.errors import StoreError

_STEPS = 20_000  # of SQLite's machine between two looks at the clock: less than a millisecond


class TookTooLong(StoreError):
    """The database was not done with a question in the time it had."""


@contextmanager
def time_limit(connection: Connection, longest_s: float) -> Iterator[None]:
    """Whatever the block asks of the connection ends after so long. Raises TookTooLong."""
    until = time.monotonic() + longest_s
    database = connection.connection.driver_connection
    assert database is not None
    database.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    try:
        yield
    except OperationalError as fault:
        if time.monotonic() > until:
            raise TookTooLong(f"the database was not done within {longest_s} s") from fault
        raise
    finally:
        database.set_progress_handler(None, 0)
