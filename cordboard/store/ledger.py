"""The ledger: what happened, once and in order. Appended to in the transactions that make it happen, never changed.

`append` is used by the ACD's transactions, for callbacks and for what flows note about calls only; reading is for
key figures, reports and `queue why`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, Row, Select, bindparam, func, select, union

from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.report_period import LATE
from cordboard.store.tables import callbacks, ledger, queue_entries
from cordboard.store.upserts import insert

_APPEND = insert(ledger).on_conflict_do_nothing(index_elements=[ledger.c.event_id])
_BETWEEN = (
    select(ledger).where(ledger.c.at >= bindparam("since"), ledger.c.at < bindparam("until")).order_by(ledger.c.seq)
)
_AFTER = select(ledger).where(ledger.c.seq > bindparam("seq")).order_by(ledger.c.seq)
_LAST_SEQ = select(func.max(ledger.c.seq))
_OF_EVENTS = select(ledger).where(ledger.c.event_id.in_(bindparam("events", expanding=True)))
_OF_CALL = select(ledger).where(ledger.c.call_id == bindparam("call")).order_by(ledger.c.seq)

_PLACES_OF_CALL = union(
    select(queue_entries.c.entry_id, queue_entries.c.entered_at.label("at")).where(
        queue_entries.c.call_id == bindparam("call")
    ),
    select(callbacks.c.entry_id, callbacks.c.requested_at.label("at")).where(
        callbacks.c.callback_id == bindparam("call")
    ),
)
_OF_PLACES = (
    select(ledger)
    .where(
        ledger.c.at >= bindparam("since"),
        ledger.c.at < bindparam("until"),
        ledger.c.entry_id.in_(bindparam("entries", expanding=True)),
    )
    .order_by(ledger.c.seq)
)

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
    yield from read_rows(connection, statement, {"since": since, "until": until})


def rows_after(
    connection: Connection, seq: int, kinds: Collection[str] = (), *, most: int | None = None
) -> Iterator[LedgerRow]:
    """What was written after the row `seq`, in order. most: rows; all if None."""
    yield from read_rows(connection, _narrowed(_AFTER, kinds).limit(most), {"seq": seq})


def last_seq(connection: Connection) -> int:
    """The `seq` of the row that was written last; 0 before the first."""
    return int(connection.execute(_LAST_SEQ).scalar_one() or 0)


def rows_of_events(connection: Connection, event_ids: Collection[str]) -> Iterator[LedgerRow]:
    """The rows with these event ids, as far as there are any; for some thousands at most."""
    yield from read_rows(connection, _OF_EVENTS, {"events": sorted(event_ids)})


def rows_of_call(connection: Connection, call_id: str) -> list[LedgerRow]:
    """Everything that happened to one call, in order."""
    return list(read_rows(connection, _OF_CALL, {"call": call_id}))


def rows_of_places(connection: Connection, call_id: str) -> list[LedgerRow]:
    """Everything that happened to one call and in the places it had, in order. Who is called back, or comes back to
    a place that was kept, has the place with another call: some of what happened there is that call's.
    """
    own = rows_of_call(connection, call_id)
    has_now = connection.execute(_PLACES_OF_CALL, {"call": call_id}).all()
    entries = ({row.entry_id for row in own} | {place.entry_id for place in has_now}) - {""}
    begun = {row.entry_id for row in own if row.kind == "entered_queue"}
    if entries == begun and not any(row.kind == "stepped_out" for row in own):
        return own  # those of places are looked for in all rows of some days
    moments = [*(row.at for row in own), *(place.at for place in has_now)]
    late_s = LATE.total_seconds()
    around = {"since": min(moments) - late_s, "until": max(moments) + late_s}
    found = read_rows(connection, _OF_PLACES, {**around, "entries": sorted(entries)})
    return sorted({row.seq: row for row in [*own, *found]}.values(), key=lambda row: row.seq)


def _narrowed(statement: Select[Any], kinds: Collection[str]) -> Select[Any]:
    return statement.where(ledger.c.kind.in_(tuple(kinds))) if kinds else statement


def read_rows(connection: Connection, statement: Select[Any], values: Mapping[str, Any]) -> Iterator[LedgerRow]:
    with connection.execute(statement, values, execution_options={"yield_per": _FETCH}) as result:
        for row in result:
            yield _as_ledger_row(row)


def _as_ledger_row(row: Row[Any]) -> LedgerRow:
    return LedgerRow(
        *cast("tuple[Any, ...]", row)
    )  # the columns are in the order of its fields: reports read many of them
