"""The key figures of a queue, from rows of the ledger and from nothing else: anybody can compute them again.

Used by the command line, the desk's live figures and the lab. The order of the rows does not matter, and a row told
twice counts once. A call belongs to the period in which it entered the queue: it counts there with all that came of
it, however late, and rows of calls that entered before are passed over. Every average comes with its p90.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import RONA, LeftBecause, OfferEnd, Queue, ServiceLevelFormula
from cordboard.acd.service_level import FORMULAS, ServiceCounts, service_level


@dataclass(frozen=True, slots=True)
class Spread:
    """Some lengths of time, in seconds. p90: nine in ten were no longer (nearest rank)."""

    count: int
    mean_s: float
    p90_s: float
    longest_s: float

    def as_json(self) -> dict[str, Any]:
        """Rounded to milliseconds, as the clocks behind it are no better."""
        return {
            "count": self.count,
            "mean_s": round(self.mean_s, 3),
            "p90_s": round(self.p90_s, 3),
            "longest_s": round(self.longest_s, 3),
        }


@dataclass(frozen=True, slots=True)
class Kpis:
    """The figures of one queue in one period.

    offered:   calls that entered; each is answered, abandoned, max_wait, lost or waiting (still there).
    wait:      of answered calls, whose mean is the ASA; patience: how long those who gave up had waited.
    handle:    talk (with hold) and wrap-up of calls whose talk has ended; its mean is the AHT. A wrap-up under way
               counts when it ends. Talks of which nobody heard the end (`estimated`) are answered calls, but in
               neither `talk` nor `handle`. Each spread is None if there is nothing to spread.
    offer_ends: how offers to agents ended; longest_wait_s: of all callers who are not waiting any more.
    service_levels: by every formula, 0.0 to 1.0; None where there was nothing to count.
    """

    queue: Queue
    offered: int
    answered: int
    abandoned: int
    max_wait: int
    lost: int
    waiting: int
    wait: Spread | None
    patience: Spread | None
    talk: Spread | None
    wrap_up: Spread | None
    handle: Spread | None
    longest_wait_s: float | None
    offer_ends: Mapping[OfferEnd, int]
    counts: ServiceCounts
    service_levels: Mapping[ServiceLevelFormula, float | None]

    @property
    def service_level(self) -> float | None:
        """By the queue's own formula."""
        return self.service_levels[self.queue.service_level_formula]

    @property
    def abandonment(self) -> float | None:
        """Share of offered calls whose caller gave up; callers sent on by `max_wait` did not."""
        return self.abandoned / self.offered if self.offered else None

    @property
    def rona_by_cause(self) -> Mapping[OfferEnd, int]:
        """Offers that agents did not take, by what came instead; causes that did not occur are left out."""
        return {end: count for end, count in self.offer_ends.items() if end in RONA}

    @property
    def rona(self) -> int:
        """Offers that agents did not take."""
        return sum(self.rona_by_cause.values())

    def as_json(self) -> dict[str, Any]:
        """All figures, ready for JSON; shares from 0 to 1."""
        return {
            "queue": self.queue.name,
            "offered": self.offered,
            "answered": self.answered,
            "abandoned": self.abandoned,
            "max_wait": self.max_wait,
            "lost": self.lost,
            "waiting": self.waiting,
            "abandonment": _rounded(self.abandonment, 4),
            "service_level": _rounded(self.service_level, 4),
            "service_level_formula": self.queue.service_level_formula,
            "service_level_s": self.queue.service_level_s,
            "service_levels": {name: _rounded(share, 4) for name, share in self.service_levels.items()},
            "asa_s": _rounded(self.wait.mean_s if self.wait else None, 3),
            "aht_s": _rounded(self.handle.mean_s if self.handle else None, 3),
            "longest_wait_s": _rounded(self.longest_wait_s, 3),
            **{name: spread.as_json() if spread else None for name, spread in self.spreads().items()},
            "rona": self.rona,
            "rona_by_cause": {end.value: count for end, count in self.rona_by_cause.items()},
            "offer_ends": {end.value: count for end, count in self.offer_ends.items()},
        }

    def spreads(self) -> dict[str, Spread | None]:
        """Everything that has an average."""
        return {
            "wait": self.wait,
            "patience": self.patience,
            "talk": self.talk,
            "wrap_up": self.wrap_up,
            "handle": self.handle,
        }


def kpis(rows: Iterable[LedgerRow], queue: Queue, *, until: float = math.inf) -> Kpis:
    """The figures of the calls that entered `queue` with one of these rows and before `until` (seconds since 1970).

    rows: from the period's beginning until its last call may have ended; those of other queues are left out.
    """
    stays: dict[str, _Stay] = {}
    for row in rows:
        if row.queue == queue.name and row.entry_id:
            stays.setdefault(row.entry_id, _Stay()).take(row)
    return _figures(queue, [stay for stay in stays.values() if stay.entered_at < until])


@dataclass(slots=True)
class _Stay:
    """What the rows say of one caller's stay. Ends, talks and wrap-ups are by offer."""

    entered_at: float = math.inf  # no row of it: the caller entered before the period
    answered_after_s: float | None = None
    left_because: str = ""
    left_after_s: float = 0.0
    talks: dict[str, float] = field(default_factory=dict)
    wrap_ups: dict[str, float] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)

    def take(self, row: LedgerRow) -> None:
        """One more row."""
        data = row.data
        match row.kind:
            case "entered_queue":
                self.entered_at = row.at
            case "joined":
                self.answered_after_s = data["wait_s"]
            case "left_queue":
                self.left_because, self.left_after_s = data["because"], data["wait_s"]
            case "talk_ended" if not data.get("estimated"):
                self.talks[row.offer_id] = data["talk_s"]
            case "wrap_up_ended":
                self.wrap_ups[row.offer_id] = data["wrap_up_s"]
            case "offer_ended":
                self.ends[row.offer_id] = data["end"]

    def handles(self) -> list[float]:
        """Talk and wrap-up of each talk that has ended."""
        return [talk_s + self.wrap_ups.get(offer, 0.0) for offer, talk_s in self.talks.items()]


def _figures(queue: Queue, stays: Sequence[_Stay]) -> Kpis:
    waits = [stay.answered_after_s for stay in stays if stay.answered_after_s is not None]
    left = [stay for stay in stays if stay.answered_after_s is None and stay.left_because]
    because = Counter(stay.left_because for stay in left)
    patience = [stay.left_after_s for stay in left if stay.left_because == LeftBecause.ABANDONED]
    ends = Counter(OfferEnd(end) for stay in stays for end in stay.ends.values())
    counts = _service_counts(queue, waits, patience)
    return Kpis(
        queue=queue,
        offered=len(stays),
        answered=len(waits),
        abandoned=len(patience),
        max_wait=because[LeftBecause.MAX_WAIT],
        lost=because[LeftBecause.LOST],
        waiting=len(stays) - len(waits) - len(left),
        wait=_spread(waits),
        patience=_spread(patience),
        talk=_spread([talk_s for stay in stays for talk_s in stay.talks.values()]),
        wrap_up=_spread([wrap_up_s for stay in stays for wrap_up_s in stay.wrap_ups.values()]),
        handle=_spread([handle_s for stay in stays for handle_s in stay.handles()]),
        longest_wait_s=max([*waits, *(stay.left_after_s for stay in left)], default=None),
        offer_ends={end: ends[end] for end in OfferEnd if ends[end]},
        counts=counts,
        service_levels={formula: service_level(formula, counts) for formula in FORMULAS},
    )


def _service_counts(queue: Queue, waits: Sequence[float], patience: Sequence[float]) -> ServiceCounts:
    return ServiceCounts(
        answered=len(waits),
        answered_in_t=sum(wait_s <= queue.service_level_s for wait_s in waits),
        abandoned=len(patience),
        abandoned_in_t=sum(wait_s <= queue.service_level_s for wait_s in patience),
        abandoned_short=sum(wait_s <= queue.short_abandon_s for wait_s in patience),
    )


def _spread(lengths: Sequence[float]) -> Spread | None:
    """Sums exactly, so that the order of the rows cannot show in the last digit."""
    if not lengths:
        return None
    ordered = sorted(lengths)
    rank = math.ceil(0.9 * len(ordered))
    return Spread(len(ordered), math.fsum(ordered) / len(ordered), ordered[rank - 1], ordered[-1])


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
