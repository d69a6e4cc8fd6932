"""What must be true of the history of queues, whatever has happened to the processes, the database and the news.

Pure: it is given the rows of the ledger and of the table of offers when everything is over, and raises
AssertionError with the rows that break a law. Tests that disturb the service use it, on a real floor or on the
store alone. Several phones that ring at once for one caller are not its matter.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cordboard.acd.ledger_row import LedgerRow

ONCE = {"entered_queue", "left_queue", "offer_made", "offer_ringing", "agent_answered", "joined", "talk_ended"}
ONCE |= {"offer_ended", "wrap_up_ended"}

Stretch = tuple[float, float]  # from when to when, seconds since 1970


@dataclass(frozen=True, slots=True)
class History:
    """rows: all of the ledger in the order of writing. offers: all rows of the table, by column name."""

    rows: Sequence[LedgerRow]
    offers: Sequence[Mapping[str, Any]]

    def of(self, kind: str) -> list[LedgerRow]:
        """The rows of a kind."""
        return [row for row in self.rows if row.kind == kind]


def check_history(history: History, *, excused: Collection[Stretch] = ()) -> int:
    """All laws. excused: when callers may have been without a worker, so that others were served before them.

    Returns how many offers the law of order has spoken of.
    """
    every_event_is_told_once(history)
    no_place_is_lost(history)
    nobody_is_served_twice(history)
    nobody_has_two_offers(history)
    the_offers_are_those_of_the_ledger(history)
    return first_come_first_served(history, excused)


def every_event_is_told_once(history: History) -> None:
    """By its id, and by what it is about."""
    ids = Counter(row.event_id for row in history.rows)
    about = Counter((row.kind, row.offer_id or row.entry_id) for row in history.rows if row.kind in ONCE)
    assert not (twice := [what for what, count in (ids + about).items() if count > 1]), twice


def no_place_is_lost(history: History) -> None:
    """A call has come to one place and has left it, and nobody was given up."""
    places = {row.call_id: row.entry_id for row in history.of("entered_queue")}
    left = {row.call_id: row for row in history.of("left_queue")}
    assert len(places) == len(history.of("entered_queue")), "a call has had two places"
    assert {call_id: row.entry_id for call_id, row in left.items()} == places
    assert not (lost := [row for row in left.values() if row.data["because"] == "lost"]), lost


def nobody_is_served_twice(history: History) -> None:
    """Who was served was joined with one agent, and nobody else with any."""
    joined = Counter(row.entry_id for row in history.of("joined"))
    served = [row.entry_id for row in history.of("left_queue") if row.data["because"] == "served"]
    assert joined == Counter(served)


def nobody_has_two_offers(history: History) -> None:
    """Neither an agent nor a caller, at any moment; and all are over."""
    has: dict[str, str] = {}
    for row in history.rows:
        for who in (row.agent, row.entry_id):
            if row.kind == "offer_made":
                assert who not in has, f"{who} has {has[who]} and gets {row.offer_id}"
                has[who] = row.offer_id
            elif row.kind == "offer_ended":
                assert has.pop(who, "none") == row.offer_id, row
    assert not has


def the_offers_are_those_of_the_ledger(history: History) -> None:
    """What a table says of the end of each, and the ledger."""
    ends = {row.offer_id: row.data["end"] for row in history.of("offer_ended")}
    assert {offer["offer_id"]: offer["end"] for offer in history.offers} == ends


def first_come_first_served(history: History, excused: Collection[Stretch]) -> int:
    """Each offer goes to the first in line: highest priority, then who has come first. A caller is in line from the
    row in which they came to that in which they left, save while they have an offer.
    """
    lines: dict[str, dict[str, tuple[int, float]]] = defaultdict(dict)
    standing: dict[str, tuple[int, float]] = {}
    checked = 0
    for row in history.rows:
        line = lines[row.queue]
        if row.kind == "entered_queue":
            line[row.entry_id] = standing[row.entry_id] = (-row.data["priority"], row.at)
        elif row.kind == "left_queue":
            line.pop(row.entry_id, None)
        elif row.kind == "offer_ended" and row.data["end"] not in ("served", "caller_left"):
            line[row.entry_id] = standing[row.entry_id]
        elif row.kind == "offer_made":
            mine = line.pop(row.entry_id)
            if not any(begin <= row.at <= end for begin, end in excused):
                before = [entry_id for entry_id, theirs in line.items() if theirs < mine]
                assert not before, f"{row} was made while these stood before: {before}"
                checked += 1
    return checked
