"""What the ledger says of each caller's stay in a queue, put together from its rows. Pure; `acd.kpis` counts them.

The order of the rows does not matter, and a row told twice counts once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from cordboard.acd.estimate_errors import ERROR_KINDS
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import LeftBecause

TRANSFERS = ("blind_transfer", "attended_transfer")  # what `talk_ended` says of an agent who passed the call on


@dataclass(slots=True)
class Stay:
    """One place in a queue, from entering to leaving it, with all that came of it.

    entered_at: inf if no row tells, for the caller entered before the rows begin. joined_after_s: None while nobody
    has talked with them. left_because: "" while they wait; left_after_s: since they entered. is_callback: they hung
    up and kept the place. Talks, wrap-ups, ends and partings (who ended a talk) are by offer. estimated: rows about
    the estimate of the wait, and the one that says how long it was.
    """

    entry_id: str
    entered_at: float = math.inf
    joined_after_s: float | None = None
    left_because: str = ""
    left_after_s: float = 0.0
    is_callback: bool = False
    talks: dict[str, float] = field(default_factory=dict)
    wrap_ups: dict[str, float] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)
    partings: dict[str, str] = field(default_factory=dict)
    estimated: list[LedgerRow] = field(default_factory=list)

    def take(self, row: LedgerRow) -> None:
        """One more row."""
        data = row.data
        if row.kind in ERROR_KINDS:
            self.estimated.append(row)
        match row.kind:
            case "entered_queue":
                self.entered_at = row.at
                self.is_callback |= data.get("entry_kind") == "callback"
            case "stepped_out":
                self.is_callback |= data.get("entry_kind") == "callback"
            case "joined":
                self.joined_after_s = data["wait_s"]
            case "left_queue":
                self.left_because, self.left_after_s = data["because"], data["wait_s"]
            case "talk_ended":
                self._take_talk(row)
            case "wrap_up_ended":
                self.wrap_ups[row.offer_id] = data["wrap_up_s"]
            case "offer_ended":
                self.ends[row.offer_id] = data["end"]

    def _take_talk(self, row: LedgerRow) -> None:
        self.partings[row.offer_id] = row.data.get("by", "")
        if not row.data.get("estimated"):
            self.talks[row.offer_id] = row.data["talk_s"]

    @property
    def bucket(self) -> LeftBecause | None:
        """The one count the stay is in; None while they wait. Who was called back was not answered waiting."""
        left = LeftBecause.SERVED if self.joined_after_s is not None else self.left_because
        if left == LeftBecause.SERVED and self.is_callback:
            return LeftBecause.CALLBACK
        return LeftBecause(left) if left else None

    @property
    def waited_s(self) -> float:
        """Until they were joined or left, as the ledger has it."""
        return self.left_after_s if self.joined_after_s is None else self.joined_after_s

    @property
    def handles(self) -> list[float]:
        """Talk and wrap-up of each talk that has ended."""
        return [talk_s + self.wrap_ups.get(offer, 0.0) for offer, talk_s in self.talks.items()]

    @property
    def transfers(self) -> int:
        """How many of its talks ended with the agent passing the call on."""
        return sum(by in TRANSFERS for by in self.partings.values())


def stays_of(rows: Iterable[LedgerRow], queue: str) -> list[Stay]:
    """The stays in one queue whose beginning is among the rows."""
    found: dict[str, Stay] = {}
    for row in rows:
        if row.queue == queue and row.entry_id:
            found.setdefault(row.entry_id, Stay(row.entry_id)).take(row)
    return [stay for stay in found.values() if stay.entered_at < math.inf]
