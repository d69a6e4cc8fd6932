"""The two clocks of one machine, read together. The only place where the ACD's time comes from."""

from __future__ import annotations

import time
from pathlib import Path

from cordboard.acd.model import Moment

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def now() -> Moment:
    """This moment: seconds since 1970, and seconds since the machine booted (which nobody can set)."""
    return Moment(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME))


def boot_id() -> str:
    """Which boot of the machine the boot clock counts from."""
    return _BOOT_ID.read_text().strip()
