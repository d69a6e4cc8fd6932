"""The ledger: what happened, once and in order. Appended to in the transactions that make it happen, never changed.

`append` is used by the ACD's transactions, for callbacks and for what flows note about calls only; reading is for
key figures, reports and `queue why`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select
from sqlalchemy.dialects.sqlite import insert

from cordboard.acd.ledger_row import LedgerRow
from cordboard.store.tables import ledger

_APPEND = insert(ledger).on_conflict_do_nothing(index_elements=[ledger.c.event_id])
_BETWEEN = (
    select(ledger).where(ledger.c.at >= bindparam("since"), ledger.c.at < bindparam("until")).order_by(ledger.c.seq)
)
_AFTER = select(ledger).where(ledger.c.seq > bindparam("seq")).order_by(ledger.c.seq)
_OF_CALL = select(ledger).where(ledger.c.call_id == bindparam("call")).order_by(ledger.c.seq)

_FETCH = 500  # rows held at a time while a long ledger is read


def append(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write events, without `seq`. Those which are in it already are passed over."""
    if rows:
        connection.execute(_APPEND, rows)


def call_row(
    event_id: str,
    kind: str,
    at: float,
    data: Mapping[str, Any],
    *,
    call_id: str,
    queue: str = "",
    party_ref: str = "",
) -> dict[str, Any]:
    """A row for `append` about a call, whoever serves it."""
    return {
        "event_id": event_id,
        "kind": kind,
        "at": at,
        "call_id": call_id,
        "entry_id": "",
        "offer_id": "",
        "queue": queue,
        "agent": "",
        "party_ref": party_ref,
        "data": dict(data),
    }


def ledger_rows(
    connection: Connection,
    since: float = 0.0,
    until: float = float("inf"),
    *,
    kinds: Collection[str] = (),
    queue: str = "",
) -> Iterator[LedgerRow]:
    """What happened from `since` until before `until` (seconds since 1970), in the order it was written.

    kinds, queue: only those; all if empty.
    """
    statement = _narrowed(_BETWEEN, kinds)
    if queue:
        statement = statement.where(ledger.c.queue == queue)
    yield from _read(connection, statement, {"since": since, "until": until})


def rows_after(connection: Connection, seq: int, kinds: Collection[str] = ()) -> Iterator[LedgerRow]:
    """What was written after the row `seq`, in order."""
    yield from _read(connection, _narrowed(_AFTER, kinds), {"seq": seq})


def rows_of_call(connection: Connection, call_id: str) -> list[LedgerRow]:
    """Everything that happened to one call, in order."""
    return list(_read(connection, _OF_CALL, {"call": call_id}))


def _narrowed(statement: Select[Any], kinds: Collection[str]) -> Select[Any]:
    return statement.where(ledger.c.kind.in_(tuple(kinds))) if kinds else statement


def _read(connection: Connection, statement: Select[Any], values: Mapping[str, Any]) -> Iterator[LedgerRow]:
    result = connection.execution_options(yield_per=_FETCH).execute(statement, values)
    for row in result:
        yield _as_ledger_row(row)


def _as_ledger_row(row: Row[Any]) -> LedgerRow:
    return LedgerRow(**row._mapping)
