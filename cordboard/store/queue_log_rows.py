"""Reads the ledger for the `queue_log`: some rows further, as lines of text. Nothing is kept between two readings.

Called by the writer of the file, and when it is made anew. The number of a caller is read where it can be erased;
of one who was, the line has none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.queue_log import LOGGED_KINDS, queue_log_lines, related_events
from cordboard.redaction import NumberStyle, clean
from cordboard.store.ledger import last_seq, rows_after, rows_of_events
from cordboard.store.tables import callers, parties

BATCH = 500  # rows to a reading

_NUMBERS = select(callers.c.call_id, callers.c.ani).where(
    callers.c.call_id.in_(bindparam("calls", expanding=True)), callers.c.ani != ""
)
_OF_PARTIES = select(parties.c.party_ref, parties.c.number).where(
    parties.c.party_ref.in_(bindparam("refs", expanding=True))
)


@dataclass(frozen=True, slots=True)
class LogLines:
    """seq: of the last row that was looked at; lines: without their ends."""

    seq: int
    lines: Sequence[str]


def read_log_lines(connection: Connection, seq: int, numbers: NumberStyle, most: int = BATCH) -> LogLines | None:
    """The lines of the rows after `seq`, of at most so many rows that have any; None if there is nothing new.

    Rows without lines are passed over once. A ledger that ends before `seq` is another one: all of it is new.
    """
    last = last_seq(connection)
    seq = seq if seq <= last else 0
    if seq == last:
        return None
    rows = list(rows_after(connection, seq, LOGGED_KINDS, most=most))
    wanted = {event for row in rows for event in related_events(row)}
    earlier = {row.event_id: row for row in rows_of_events(connection, wanted)}
    shown = _numbers(connection, [row for row in rows if row.kind == "entered_queue"], numbers)
    lines = [line for row in rows for line in queue_log_lines(row, earlier.get, shown.get(row.call_id, ""))]
    return LogLines(rows[-1].seq if len(rows) == most else last, lines)


def all_log_lines(connection: Connection, numbers: NumberStyle) -> Iterator[str]:
    """Every line, from the beginning of the ledger."""
    seq = 0
    while (found := read_log_lines(connection, seq, numbers)) is not None:
        yield from found.lines
        seq = found.seq


def _numbers(connection: Connection, rows: Collection[LedgerRow], style: NumberStyle) -> Mapping[str, str]:
    """The numbers of those who enter, by call. Who is rung back enters before there is a call, as a known party.

    rows: of entering.
    """
    if style == "none" or not rows:
        return {}
    found = connection.execute(_NUMBERS, {"calls": sorted({row.call_id for row in rows})})
    numbers = {row.call_id: row.ani for row in found}
    promised = {row.call_id: row.party_ref for row in rows if row.data.get("entry_kind") == "callback"}
    known = connection.execute(_OF_PARTIES, {"refs": sorted(set(promised.values()))}) if promised else ()
    by_party = {row.party_ref: row.number for row in known}
    numbers |= {call: by_party[ref] for call, ref in promised.items() if by_party.get(ref) and call not in numbers}
    return {call: clean(number if style == "full" else number[-3:]) for call, number in numbers.items()}
