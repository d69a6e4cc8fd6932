"""How often logging in may fail: per agent and per address, in a fixed amount of memory.

Asked before a password is looked at. Keys are dealt to a fixed number of counters by a hash nobody outside knows:
no flood of names can use up memory or push another name's failures out, and what two keys that share a counter pay
is at most the other's wait. A counter forgets steadily, one failure every `window_s / limit`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from math import ceil
from time import monotonic

COUNTERS = 8_192


class Attempts:
    """limit: failures at once; window_s: the time in which a full counter is empty again."""

    def __init__(self, limit: int, window_s: float, clock: Callable[[], float] = monotonic) -> None:
        self._limit = limit
        self._each_s = window_s / limit
        self._clock = clock
        self._salt = secrets.token_bytes(16)
        self._full_until = [0.0] * COUNTERS  # when all failures are forgotten: as many as there is time left

    def wait_s(self, key: str) -> int:
        """Whole seconds until this key may try again; 0: now."""
        left_s = self._full_until[self._counter(key)] - self._clock()
        return max(0, ceil(left_s - self._each_s * (self._limit - 1)))

    def count(self, key: str) -> None:
        """One more attempt. Counted before it is known how it ends, so that many at once are many."""
        counter = self._counter(key)
        self._full_until[counter] = max(self._full_until[counter], self._clock()) + self._each_s

    def forgive(self, key: str) -> None:
        """This attempt was right: it does not count."""
        self._full_until[self._counter(key)] -= self._each_s

    def _counter(self, key: str) -> int:
        digest = hashlib.blake2b(key.encode("utf-8", "replace"), key=self._salt, digest_size=8).digest()
        return int.from_bytes(digest, "big") % COUNTERS
