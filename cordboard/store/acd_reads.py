"""Everything the store tells without changing anything, in one place for those who ask.

`StoreReader` runs it off the event loop; the command line uses `open_for_reading` and a plain connection.
"""

from __future__ import annotations

from cordboard.store.database import open_for_reading
from cordboard.store.floor_view import floor_snapshot
from cordboard.store.ledger import last_seq, ledger_rows, rows_after, rows_of_call
from cordboard.store.reader import StoreReader
from cordboard.store.today import day_of
from cordboard.store.why import why

__all__ = [
    "StoreReader",
    "day_of",
    "floor_snapshot",
    "last_seq",
    "ledger_rows",
    "open_for_reading",
    "rows_after",
    "rows_of_call",
    "why",
]
