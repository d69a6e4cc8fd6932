"""The two databases, each new: a file on this machine's disk, and a PostgreSQL of the measurement's own.

The server writes as it would in earnest: fsync and all, as `tests.doubles.postgres` by itself does not.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cordboard.store.address import Address
from tests.doubles.postgres import PostgresServer

ENGINES = ("SQLite", "PostgreSQL")
IN_EARNEST = ("fsync", "synchronous_commit", "full_page_writes")


@contextmanager
def open_databases() -> Iterator[dict[str, Address]]:
    """An empty database of each engine. Removed at the end."""
    server = PostgresServer()
    try:
        with tempfile.TemporaryDirectory(prefix="cordboard-bench-") as folder:
            for name in IN_EARNEST:
                server.administer(f"ALTER SYSTEM SET {name} = on")
            yield {"SQLite": Path(folder) / "cordboard.db", "PostgreSQL": server.make_database()}
    finally:
        server.close()
