"""`insert` for rows that may be there already: one statement for SQLite and PostgreSQL.

Used by every module of the store that writes "insert or change" (none imports `sqlalchemy.dialects.*` itself). Both
databases have the same `ON CONFLICT`; SQLAlchemy has a class for each, and PostgreSQL's compiles to the same words
on both. A plain INSERT stays `sqlalchemy.insert`. An upsert is written once, at the top of a module:

    _insert = insert(devices)
    _NOTE = _insert.on_conflict_do_update(
        index_elements=[devices.c.device],  # the columns of its unique index
        set_={"state": _insert.excluded.state},  # excluded: the row that could not be inserted
        where=devices.c.state != _insert.excluded.state,  # without it, an unchanged row counts as written
    )
    _ONCE = insert(ledger).on_conflict_do_nothing(index_elements=[ledger.c.event_id])

What PostgreSQL takes less lightly than SQLite, in any statement: a comparison is no number (write
`case((a != b, 1), else_=0)`, not `n + (a != b)`); a boolean column is compared with `true()`, not with 1; text is
compared with text; a partial index as the place of a conflict needs its condition too (`index_where=text(...)`);
and a statement that fails ends the whole transaction, so do not try one to see whether it does.
"""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import Insert, insert

__all__ = ["Insert", "insert"]
