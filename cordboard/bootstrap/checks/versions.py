"""Check `versions`: what runs here, for whoever has to ask; and whether it can run the store."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from cordboard.bootstrap.checks.premises import Premises
from cordboard.bootstrap.checks.result import Check, Result, fault, ok

OLDEST_SQLITE = (3, 35, 0)  # RETURNING


async def look(_premises: Premises) -> Sequence[Result]:
    """The versions of Cordboard, Python and SQLite."""
    return [judge(sqlite3.sqlite_version_info)]


def judge(sqlite: tuple[int, ...]) -> Result:
    """Whether that version of SQLite will do."""
    seen = f"Cordboard {_own_version()}, Python {platform.python_version()}, SQLite {'.'.join(map(str, sqlite))}"
    if sqlite < OLDEST_SQLITE:
        wanted = ".".join(map(str, OLDEST_SQLITE))
        return fault(f"{seen}, which is too old", f"run Cordboard on a Python built with SQLite {wanted} or newer")
    return ok(seen)


def _own_version() -> str:
    try:
        return version("cordboard")
    except PackageNotFoundError:
        return "(not installed)"


CHECK = Check("versions", look, "run it again")
