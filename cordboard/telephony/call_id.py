"""Call ids: ULIDs, 26 characters of Crockford base 32, which sort by the time they were made (in milliseconds).

The edges make one for each new call. Nothing else of a call goes into its id.
"""

from __future__ import annotations

import os
import re
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]  # ten bits at a time
_CALL_ID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def new_call_id() -> str:
    """A new id, unique across workers and machines (80 random bits in each millisecond)."""
    return _written((time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10)))


def id_at(seconds: float) -> str:
    """The lowest id there can be of a moment, in seconds since 1970: all that were made before are lower."""
    return _written(int(seconds * 1000) << 80)


def _written(value: int) -> str:
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(120, -1, -10)])


def is_call_id(text: str) -> bool:
    """Whether the text is one of ours."""
    return _CALL_ID.fullmatch(text) is not None
