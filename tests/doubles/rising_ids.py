"""Ids that each lie behind the one before, for tests that must do the same when they are run again: those of one
millisecond are in any order otherwise, and with them whatever a database sorts by them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace
from unittest import mock

from cordboard.telephony import call_id

_NS = 1_000_000_000
_MS_NS = 1_000_000


@contextmanager
def rising_ids(since: float) -> Iterator[None]:
    """A millisecond passes from one id to the next. since: when the first one is made, in seconds since 1970."""
    passing = count(int(since) * _NS, _MS_NS)
    with mock.patch.object(call_id, "time", SimpleNamespace(time_ns=lambda: next(passing))):
        yield
