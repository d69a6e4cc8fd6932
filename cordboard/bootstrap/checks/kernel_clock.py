"""What the Linux kernel knows of its clock: whether something (chrony, ntpd, systemd-timesyncd) keeps it right."""

from __future__ import annotations

import ctypes
import sys

TIME_ERROR = 5  # the clock state "not synchronised", in <sys/timex.h>
_TIMEX_BYTES = 512  # struct timex has 208 on 64 bit; `modes`, its first field, stays 0: only read


def is_synchronised() -> bool | None:
    """Whether the clock is kept right; None where the system does not tell."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        state = int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != TIME_ERROR
