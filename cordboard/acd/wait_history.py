"""What the wait estimate knows of each queue's past: how long its calls take, how soon its callers give up, how
many of higher priority come, whether those who are away come back, and what came of the figures that were told.
Taken from rows of the ledger, one after the other, and from nothing else.

Used by the store's reader, which hands in what is new, and by simulated days.
"""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass, field

from cordboard.acd.absences import Absence, AbsencesSeen
from cordboard.acd.handle_times import Handling, TalkTimes
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import LeftBecause, OfferEnd
from cordboard.acd.told_share import CLAIMED, ToldShare

KINDS = (
    "entered_queue", "left_queue", "talk_ended", "offer_ended", "wrap_up_ended", "stepped_out", "came_back",
    "wait_estimated", "joined",
)  # fmt: skip
LENGTHS_KEPT = 200  # of calls: the latest hours of a busy queue, the latest weeks of a quiet one
ARRIVALS_S = 1800.0  # a rate of arrivals is of the latest half hour
ARRIVALS_KEPT = 2_000
_STAYS_KEPT_S = 50_000.0  # seconds waited, after which older ones count half


def _latest() -> deque[float]:
    return deque(maxlen=LENGTHS_KEPT)


@dataclass(slots=True)
class _Past:
    """One queue's. waited_s, gave_up: of all stays that ended, older ones counting less."""

    rings: deque[float] = field(default_factory=_latest)
    talks: deque[float] = field(default_factory=_latest)
    wrap_ups: deque[float] = field(default_factory=_latest)
    handling: Handling | None = None  # None: to be made of the lengths anew
    waited_s: float = 0.0
    gave_up: float = 0.0
    arrivals: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=ARRIVALS_KEPT))
    absences: dict[str, AbsencesSeen] = field(default_factory=dict)  # by the kind of place
    told: ToldShare = field(default_factory=ToldShare)

    def add(self, lengths: deque[float], seconds: float) -> None:
        lengths.append(seconds)
        self.handling = None

    def add_stay(self, wait_s: float, has_given_up: bool) -> None:
        if self.waited_s > _STAYS_KEPT_S:
            self.waited_s, self.gave_up = self.waited_s / 2, self.gave_up / 2
        self.waited_s += wait_s
        self.gave_up += has_given_up

    def as_handling(self) -> Handling:
        wrap_up_s = statistics.fmean(self.wrap_ups) if self.wrap_ups else 0.0
        return Handling(TalkTimes.of(self.talks), tuple(self.rings), wrap_up_s)


class WaitHistory:
    """Of all queues. A queue without a past is answered for with usual figures."""

    def __init__(self) -> None:
        self._pasts: dict[str, _Past] = {}
        self._away: dict[str, tuple[str, float]] = {}  # by place: its kind, and since when
        self._told: dict[str, float] = {}  # by place: the whole wait that four in five would not exceed

    def take(self, row: LedgerRow) -> None:
        """One more row; others than those of `KINDS` say nothing."""
        past, data = self._pasts.setdefault(row.queue, _Past()), row.data
        match row.kind:
            case "entered_queue":
                past.arrivals.append((row.at, data.get("priority", 0)))
            case "left_queue":
                past.add_stay(data["wait_s"], data["because"] == LeftBecause.ABANDONED)
                self._end_absence(past, row, is_back=False)
                self._told.pop(row.entry_id, None)
            case "stepped_out":
                self._away[row.entry_id] = data["entry_kind"], row.at
            case "came_back":
                self._end_absence(past, row, is_back=True)
            case "wait_estimated":
                self._told[row.entry_id] = data["waited_s"] + data["at_most_s"]
            case "joined" if row.entry_id in self._told:
                past.told.take(is_kept=data["wait_s"] <= self._told.pop(row.entry_id))
            case "talk_ended" if not data.get("estimated"):
                past.add(past.talks, data["talk_s"])
            case "offer_ended" if data["end"] == OfferEnd.SERVED:
                past.add(past.rings, data["ring_s"])
            case "wrap_up_ended":
                past.add(past.wrap_ups, data["wrap_up_s"])

    def _end_absence(self, past: _Past, row: LedgerRow, *, is_back: bool) -> None:
        kind, since = self._away.pop(row.entry_id, ("", row.at))
        if kind:
            past.absences.setdefault(kind, AbsencesSeen()).take(row.at - since, is_back=is_back)

    def told_share(self, queue: str) -> float:
        """The share of plays that are not to be longer than what is told in this queue."""
        past = self._pasts.get(queue)
        return CLAIMED if past is None else past.told.share

    def absence(self, queue: str, place: str, kind: str, left_s: float, due_in_s: float, now_at: float) -> Absence:
        """What may be expected of somebody who is away. place: its id; kind: of the place; left_s: until it is
        given up; due_in_s: until they are called back, if they are. now_at: seconds since 1970.
        """
        past = self._pasts.setdefault(queue, _Past())
        seen = past.absences.setdefault(kind, AbsencesSeen())
        if kind == "callback":
            return Absence(seen.share, due_in_s=due_in_s)
        _, since = self._away.get(place, (kind, now_at))
        return Absence(seen.share, seen.times(), max(0.0, now_at - since), left_s)

    def handling(self, queue: str) -> Handling:
        """How long a call of the queue occupies an agent."""
        past = self._pasts.setdefault(queue, _Past())
        if past.handling is None:
            past.handling = past.as_handling()
        return past.handling

    def gives_up_per_s(self, queue: str) -> float:
        """The chance that a caller of the queue hangs up in the next second of waiting."""
        past = self._pasts.get(queue)
        return past.gave_up / past.waited_s if past is not None and past.waited_s > 0 else 0.0

    def overtaken_per_s(self, queue: str, priority: int, now_at: float) -> float:
        """Callers of higher priority that come to the queue in a second. now_at: seconds since 1970."""
        past = self._pasts.get(queue)
        if past is None:
            return 0.0
        since = now_at - ARRIVALS_S
        return sum(at >= since and other > priority for at, other in past.arrivals) / ARRIVALS_S
