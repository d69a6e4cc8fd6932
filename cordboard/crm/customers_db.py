"""The embedded customer directory: one SQLite file, `customers.db` in the state folder, apart from the live calls.

Written by `csv_import` in one transaction, read by the directory connector. It is in write-ahead mode, so a reader
sees what was there before an import until the import is complete, and waits for nobody. Plain `sqlite3` with
constant statements: two tables, no other database, and an import of 100,000 rows in a few seconds.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from cordboard.crm.customer import MATCHES_MAX, Value
from cordboard.errors import CrmRejected, CrmUnavailable

FILE = "customers.db"
NAME = "directory"
SCHEMA_VERSION = 1
BUSY_TIMEOUT_S = 10.0  # for a second import at the same time; readers wait for nobody

_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS customers (
    customer_id TEXT PRIMARY KEY,
    fields TEXT NOT NULL,
    updated_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS customer_numbers (
    number TEXT NOT NULL,
    customer_id TEXT NOT NULL REFERENCES customers ON DELETE CASCADE,
    PRIMARY KEY (number, customer_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS numbers_of_customer ON customer_numbers (customer_id);
PRAGMA user_version = 1;
COMMIT;
"""
_FIND = """
SELECT customers.customer_id, fields, updated_at
FROM customer_numbers JOIN customers USING (customer_id)
WHERE number = ? ORDER BY updated_at DESC, customer_id LIMIT ?
"""
_PUT = """
INSERT INTO customers (customer_id, fields, updated_at) VALUES (?, ?, ?)
ON CONFLICT (customer_id) DO UPDATE SET fields = excluded.fields, updated_at = excluded.updated_at
"""
_PUT_NUMBER = "INSERT INTO customer_numbers (number, customer_id) VALUES (?, ?)"
_DROP_NUMBERS = "DELETE FROM customer_numbers WHERE customer_id = ?"
_COUNT = "SELECT (SELECT count(*) FROM customers), (SELECT count(*) FROM customer_numbers)"


@dataclass(frozen=True, slots=True)
class StoredCustomer:
    """A row: fields as of the import, so of the types crm.yaml had then; numbers: E.164."""

    customer_id: str = field(repr=False)
    fields: dict[str, Value] = field(repr=False)
    updated_at: float
    numbers: tuple[str, ...] = field(default=(), repr=False)


class CustomersDb:
    """One connection; used by one thread at a time. Every method raises CrmUnavailable and CrmRejected."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def find(self, number: str) -> list[StoredCustomer]:
        """The customers with a number, those updated last first, at most MATCHES_MAX."""
        with self._translated():
            rows = self._open().execute(_FIND, (number, MATCHES_MAX)).fetchall()
            return [StoredCustomer(row[0], orjson.loads(row[1]), row[2]) for row in rows]

    def put_all(self, customers: Iterable[StoredCustomer]) -> None:
        """Add or replace customers by their id, all of them or none."""
        with self._translated():
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            with connection:  # commits, or rolls back
                for customer in customers:
                    _put(connection, customer)

    def count(self) -> tuple[int, int]:
        """How many customers, and how many numbers."""
        with self._translated():
            customers, numbers = self._open().execute(_COUNT).fetchone()
            return customers, numbers

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """SQLite's faults as ours; the next use opens the file anew."""
        try:
            yield
        except (sqlite3.OperationalError, OSError) as fault:
            self.close()
            raise CrmUnavailable(f"{self._path} cannot be used: {fault}", connector=NAME) from fault
        except (sqlite3.Error, orjson.JSONDecodeError) as fault:
            self.close()
            raise CrmRejected(f"{self._path} is damaged: {fault}", connector=NAME) from fault

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = _opened(self._path)
        return self._connection


def _put(connection: sqlite3.Connection, customer: StoredCustomer) -> None:
    fields = orjson.dumps(customer.fields).decode()
    connection.execute(_PUT, (customer.customer_id, fields, customer.updated_at))
    connection.execute(_DROP_NUMBERS, (customer.customer_id,))
    connection.executemany(_PUT_NUMBER, [(number, customer.customer_id) for number in customer.numbers])


def _opened(path: Path) -> sqlite3.Connection:
    _make_file(path)
    # Transactions are begun by us; any thread may use it, as long as one does at a time.
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise CrmRejected(f"{path} was written by a newer release", connector=NAME)
    if version < SCHEMA_VERSION:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_SCHEMA)


def _make_file(path: Path) -> None:
    """An empty file for its owner alone, as it holds names and numbers. The owner is that of the folder: root may
    import, and the service read.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)
