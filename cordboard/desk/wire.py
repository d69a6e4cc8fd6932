"""A page's data as one line of JSON, with its version and its moments: the same for an answer and for an event."""

from __future__ import annotations

from time import time

import orjson

from cordboard.desk.feed import Reading


def wire(reading: Reading, view: bytes) -> bytes:
    """A page with its version and its moments. `at` is the desk's clock, by which a page sets its own."""
    head = {"version": reading.version, "at": round(time(), 3), "read_at": round(reading.read_at, 3)}
    return orjson.dumps(head)[:-1] + b',"view":' + view + b"}"
