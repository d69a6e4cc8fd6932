"""Check `clock`: is it kept right, does it agree with the ledger's past, is the configured zone known.

Waits, service level and opening hours are read off this clock; one that jumps makes them wrong.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cordboard.acd.durations import in_words
from cordboard.bootstrap.checks.database_server import answer_of
from cordboard.bootstrap.checks.kernel_clock import is_synchronised
from cordboard.bootstrap.checks.premises import Premises
from cordboard.bootstrap.checks.result import Check, Result, fault, ok, warning
from cordboard.bootstrap.checks.sqlite_files import read_only
from cordboard.store.address import Address, PostgresAddress

BEFORE_THIS = datetime(2026, 1, 1, tzinfo=UTC).timestamp()  # no right clock is
FUTURE_S = 2.0  # less is two processes that read the clock one after the other
_KEEP_RIGHT = "timedatectl set-ntp true (or: apt-get install chrony)"


async def look(premises: Premises) -> Sequence[Result]:
    """The kernel's word, the ledger's, and the zone's."""
    results = [judge_time(time.time()), judge_kernel(is_synchronised())]
    if premises.known_settings is not None:
        newest_at = await asyncio.to_thread(newest_in_ledger, premises.database)
        results += [judge_ledger(newest_at, time.time()), judge_zone(premises.settings.zone)]
    wrong = [result for result in results if result is not None]
    return wrong or [ok(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, kept by the network")]


def judge_time(now_at: float) -> Result | None:
    """What is wrong with the time itself, None if nothing is."""
    if now_at >= BEFORE_THIS:
        return None
    return fault(f"the clock says {datetime.fromtimestamp(now_at, UTC):%Y-%m-%d}, which is long past", _KEEP_RIGHT)


def judge_kernel(synchronised: bool | None) -> Result | None:
    """What is wrong with how the clock is kept. None: nothing, or this system does not tell."""
    if synchronised is not False:
        return None
    return warning("the kernel says that nobody keeps the clock right: waits and opening hours drift", _KEEP_RIGHT)


def judge_ledger(newest_at: float | None, now_at: float) -> Result | None:
    """What is wrong if the newest event of the ledger is that old. None for an empty ledger."""
    if newest_at is None or newest_at <= now_at + FUTURE_S:
        return None
    ahead = in_words(newest_at - now_at)
    seen = f"the newest event of the ledger lies {ahead} in the future: the clock was ahead, or has been set back"
    return fault(seen, f"{_KEEP_RIGHT}; figures are right again when {ahead} have passed")


def judge_zone(zone: str) -> Result | None:
    """What is wrong with the zone of cordboard.yaml on this machine."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return fault(f"this machine does not know the time zone `{zone}`", "pip install tzdata")
    return None


def newest_in_ledger(database: Address) -> float | None:
    """When the newest event was; None if there is none, or the database cannot be read (`database` tells)."""
    if isinstance(database, PostgresAddress):
        newest_at: float | None = answer_of(database, "SELECT max(at) FROM ledger")
        return newest_at
    if not database.is_file():
        return None
    try:
        with closing(read_only(database)) as connection:
            row = connection.execute("SELECT max(at) FROM ledger").fetchone()
    except sqlite3.Error:
        return None
    return float(row[0]) if row[0] is not None else None


CHECK = Check("clock", look, "run it again; another check tells if the database does not answer")
