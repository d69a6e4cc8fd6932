"""SQLite files opened so that looking at them changes and creates nothing, and what their errors mean."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote


def read_only(path: Path, wait_s: float = 1.0) -> sqlite3.Connection:
    """A connection that can only read. Raises sqlite3.OperationalError."""
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=wait_s)


def existing(path: Path, wait_s: float) -> sqlite3.Connection:
    """A connection that writes if it may, to a file that exists; statements begin no transaction by themselves.

    wait_s: how long a lock of somebody else's is waited for. Raises sqlite3.OperationalError.
    """
    address = f"file:{quote(str(path))}?mode=rw"
    return sqlite3.connect(address, uri=True, timeout=wait_s, isolation_level=None)


def primary_code(fault: sqlite3.Error) -> int:
    """SQLite's code for an error, without its finer distinctions; 0 if it is not SQLite's own."""
    return getattr(fault, "sqlite_errorcode", 0) & 0xFF
