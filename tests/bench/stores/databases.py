"""The two databases, each new: a file on this machine's disk, and a PostgreSQL of the measurement's own.

The server is set as Debian ships it, with fsync and autovacuum, which the servers of tests go without.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from cordboard.store.address import Address
from tests.doubles.postgres import PostgresServer

ENGINES = ("SQLite", "PostgreSQL")
IN_EARNEST = {"listen_addresses": "''"}


@contextmanager
def open_databases() -> Iterator[dict[str, Callable[[], Address]]]:
    """By engine, what makes an empty database. All are removed at the end."""
    server = PostgresServer(IN_EARNEST)
    numbers = count(1)
    try:
        with tempfile.TemporaryDirectory(prefix="cordboard-bench-") as folder:
            yield {
                "SQLite": lambda: Path(folder) / f"{next(numbers)}.db",
                "PostgreSQL": server.make_database,
            }
    finally:
        server.close()
