"""A page's data as one line of JSON, with its version and its moments: the same for an answer and for an event.

`pages` says which pages the data is for. One that was open during an upgrade, on a wall for instance, would read
the new data by its old rules; by this it knows that it has to load itself anew.
"""

from __future__ import annotations

from time import time

import orjson

from cordboard.desk.feed import Reading
from cordboard.desk.static_files import mark_of, read_static_files

PAGES_MARK = mark_of(read_static_files())


def wire(reading: Reading, view: bytes) -> bytes:
    """A page with its version and its moments. `at` is the desk's clock, by which a page sets its own."""
    moments = {"at": round(time(), 3), "read_at": round(reading.read_at, 3)}
    head = {"version": reading.version, "pages": PAGES_MARK, **moments}
    return orjson.dumps(head)[:-1] + b',"view":' + view + b"}"
