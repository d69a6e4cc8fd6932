"""Finds calls by the beginning of their id, for people who copied a part of it. Called by reports; read only."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, union

from cordboard.store.tables import callbacks, ledger

# A range and no LIKE: it uses the index on call_id, and no character of the text has a meaning. Ids are ASCII.
_BEGINNING = (
    union(
        *(
            select(one.label("id")).where(one >= bindparam("first"), one < bindparam("behind"))
            for one in (ledger.c.call_id, callbacks.c.callback_id)
        )
    )
    .order_by("id")
    .limit(bindparam("most"))
)


def calls_beginning_with(connection: Connection, text: str, most: int) -> list[str]:
    """Ids of calls that were in a queue, and of promises to call back, that begin with the text: the earliest
    first, at most so many.
    """
    values = {"first": text, "behind": f"{text}\U0010ffff", "most": most}
    return list(connection.execute(_BEGINNING, values).scalars())
