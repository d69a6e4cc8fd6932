"""The two clocks of the ACD, read together. The only place where its time comes from.

On one machine the boot clock is the machine's: nobody can set it. Several machines have one in common only, that of
the database they share: then the boot clock is the database's clock, carried on between two questions to it by that
of the machine. What was written by one machine can so be compared with what another one knows.
"""

from __future__ import annotations

import time
from pathlib import Path

from cordboard.acd.model import Moment

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_NS = 1_000_000_000


class _Ahead:
    """How far the boot clock of the ACD is ahead of the machine's. A process has one database, and one of these."""

    ns = 0


def now() -> Moment:
    """This moment: seconds since 1970, and seconds of the boot clock."""
    return Moment(time.time(), boot_ns() / _NS)


def boot_ns() -> int:
    """The boot clock in nanoseconds, for numbers that put things in order."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) + _Ahead.ns


def follow_machine() -> None:
    """The boot clock is this machine's own. Called when its own database is opened."""
    _Ahead.ns = 0


def follow_database(read_s: float, asked_ns: int, answered_ns: int) -> None:
    """The boot clock is the database's, which read `read_s` at some time between two of this machine.

    A difference that the way there and back explains is none: the clock is not moved to and fro by it.
    """
    ahead = int(read_s * _NS) - (asked_ns + answered_ns) // 2
    if abs(ahead - _Ahead.ns) > (answered_ns - asked_ns):
        _Ahead.ns = ahead


def boot_id() -> str:
    """Which boot of the machine the boot clock counts from."""
    return _BOOT_ID.read_text().strip()
