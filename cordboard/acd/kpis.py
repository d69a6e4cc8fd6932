"""The key figures of a queue, from rows of the ledger and from nothing else: anybody can compute them again.

Used by the command line, the desk, the lab and simulated days. The order of the rows does not matter, and a row
told twice counts once. A call belongs to the period in which it entered the queue: it counts there with all that
came of it, however late, and rows of calls that entered before are passed over. Averages come with p50 and p90.
docs/kpis.md has each figure with its formula; those of agents are in `agent_kpis`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from cordboard.acd.estimate_errors import EstimateErrors, estimate_errors
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import LeftBecause, OfferEnd, Queue, ServiceLevelFormula
from cordboard.acd.rona_figures import RonaFigures
from cordboard.acd.service_level import FLOWED_OUT, FORMULAS, ServiceCounts, service_level
from cordboard.acd.spread import Spread as Spread
from cordboard.acd.spread import spread_of
from cordboard.acd.stays import Stay, stays_of

__all__ = [
    "CALLBACK_ENDS",
    "CALLBACK_KINDS",
    "REFUSALS",
    "CallbackCounts",
    "Kpis",
    "Spread",
    "kpis",
    "kpis_between",
]

NOT_SERVED: Sequence[LeftBecause] = [because for because in LeftBecause if because != LeftBecause.SERVED]
CALLBACK_KINDS = ("callback_requested", "callback_closed")
CALLBACK_ENDS = ("done", "taken", "failed", "expired", "declined", "erased")  # what became of a promise
REFUSALS = ("full", "empty", "closed")  # why a call got no place in the first place


@dataclass(frozen=True, slots=True)
class CallbackCounts:
    """Callbacks that were promised in a period. ended: how many by each of `CALLBACK_ENDS`, those that occurred."""

    requested: int = 0
    ended: Mapping[str, int] = field(default_factory=dict)

    @property
    def kept(self) -> int:
        """They were called, and talked."""
        return self.ended.get("done", 0)

    @property
    def expired(self) -> int:
        """Nobody could be reached in time."""
        return self.ended.get("expired", 0)

    @property
    def open(self) -> int:
        """Still to be made."""
        return self.requested - sum(self.ended.values())


@dataclass(frozen=True, slots=True)
class Kpis(RonaFigures):
    """The figures of one queue in one period.

    offered:   calls that entered; each is answered, waiting (still there), or in one of the counts of `left`.
    left:      by why they left without an agent, all reasons. `callback` has those who hung up and kept the place,
               also when they were called back and talked: that is no answer to somebody who waits on the phone.
    wait:      of answered calls, whose mean is the ASA; patience: how long those who gave up had waited.
    handle:    talk (with hold) and wrap-up of calls whose talk has ended; its mean is the AHT. A wrap-up under way
               counts when it ends. Talks of which nobody heard the end (`estimated`) are answered calls, but in
               neither `talk` nor `handle`. Each spread is None if there is nothing to spread.
    offer_ends: how offers to agents ended; longest_wait_s: of all callers who are not waiting any more.
    transfers: talks that ended with the agent passing the caller on; talks_ended: all, also the estimated.
    refused:   calls that came and got no place, by why; they are not among the offered.
    estimates: how wrong the waits were that callers' estimates gave; None where nobody who got one was answered.
    service_levels: by every formula, 0.0 to 1.0; None where there was nothing to count.
    """

    queue: Queue
    offered: int
    answered: int
    waiting: int
    left: Mapping[LeftBecause, int]
    wait: Spread | None
    patience: Spread | None
    talk: Spread | None
    wrap_up: Spread | None
    handle: Spread | None
    longest_wait_s: float | None
    offer_ends: Mapping[OfferEnd, int]
    counts: ServiceCounts
    service_levels: Mapping[ServiceLevelFormula, float | None]
    transfers: int = 0
    talks_ended: int = 0
    callbacks: CallbackCounts = field(default_factory=CallbackCounts)
    estimates: EstimateErrors | None = None
    refused: Mapping[str, int] = field(default_factory=dict)

    @property
    def abandoned(self) -> int:
        """The caller left first."""
        return self.left[LeftBecause.ABANDONED]

    @property
    def max_wait(self) -> int:
        """Sent on by the flow, as nobody came in time."""
        return self.left[LeftBecause.MAX_WAIT]

    @property
    def lost(self) -> int:
        """The switch or the machine went down under the call."""
        return self.left[LeftBecause.LOST]

    @property
    def service_level(self) -> float | None:
        """By the queue's own formula."""
        return self.service_levels[self.queue.service_level_formula]

    @property
    def abandonment(self) -> float | None:
        """Share of offered calls whose caller gave up; callers who left otherwise did not."""
        return _share(self.abandoned, self.offered)

    @property
    def abandonment_excl_short(self) -> float | None:
        """The same, without those who gave up within the queue's `short_abandon_s`."""
        short = self.counts.abandoned_short
        return _share(self.abandoned - short, self.offered - short)

    @property
    def transfer_rate(self) -> float | None:
        """Share of the talks that have ended."""
        return _share(self.transfers, self.talks_ended)

    def as_json(self) -> dict[str, Any]:
        """All figures, ready for JSON; shares from 0 to 1."""
        return {
            "queue": self.queue.name,
            "offered": self.offered,
            "answered": self.answered,
            **{because.value: count for because, count in self.left.items()},
            "waiting": self.waiting,
            "abandonment": _rounded(self.abandonment, 4),
            "abandonment_excl_short": _rounded(self.abandonment_excl_short, 4),
            "service_level": _rounded(self.service_level, 4),
            "service_level_formula": self.queue.service_level_formula,
            "service_level_s": self.queue.service_level_s,
            "service_levels": {name: _rounded(share, 4) for name, share in self.service_levels.items()},
            "asa_s": _rounded(self.wait.mean_s if self.wait else None, 3),
            "aht_s": _rounded(self.handle.mean_s if self.handle else None, 3),
            "longest_wait_s": _rounded(self.longest_wait_s, 3),
            **{name: spread.as_json() if spread else None for name, spread in self.spreads().items()},
            **self.rona_as_json(),
            "transfers": self.transfers,
            "transfer_rate": _rounded(self.transfer_rate, 4),
            "callbacks_requested": self.callbacks.requested,
            **_estimates(self.estimates),
            **{f"callbacks_{end}": self.callbacks.ended.get(end, 0) for end in CALLBACK_ENDS},
            **{f"refused_{because}": self.refused.get(because, 0) for because in REFUSALS},
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
    return next(kpis_between(rows, queue, [-math.inf, until]))


def kpis_between(rows: Iterable[LedgerRow], queue: Queue, edges: Sequence[float]) -> Iterator[Kpis]:
    """The same of several periods: from each of the edges, which rise, until before the next one."""
    own = [row for row in rows if row.queue == queue.name]
    stays, told = sorted(stays_of(own, queue.name), key=_entered_at), _told_once(own)
    for since, until in pairwise(edges):
        within = stays[bisect_left(stays, since, key=_entered_at) : bisect_left(stays, until, key=_entered_at)]
        yield _kpis_of(queue, within, _callbacks(told, since, until), _refused(told, since, until))


def _entered_at(stay: Stay) -> float:
    return stay.entered_at


def _kpis_of(queue: Queue, stays: Sequence[Stay], callbacks: CallbackCounts, refused: Mapping[str, int]) -> Kpis:
    """The figures of these stays."""
    buckets = Counter(stay.bucket for stay in stays)
    waits = [stay.waited_s for stay in stays if stay.bucket is LeftBecause.SERVED]
    patience = [stay.waited_s for stay in stays if stay.bucket is LeftBecause.ABANDONED]
    ends = Counter(OfferEnd(end) for stay in stays for end in stay.ends.values())
    left = {because: buckets[because] for because in NOT_SERVED}
    counts = _service_counts(queue, waits, patience, sum(left[because] for because in FLOWED_OUT))
    return Kpis(
        queue=queue,
        offered=len(stays),
        answered=len(waits),
        waiting=buckets[None],
        left=left,
        wait=spread_of(waits),
        patience=spread_of(patience),
        talk=spread_of(talk_s for stay in stays for talk_s in stay.talks.values()),
        wrap_up=spread_of(wrap_up_s for stay in stays for wrap_up_s in stay.wrap_ups.values()),
        handle=spread_of(handle_s for stay in stays for handle_s in stay.handles),
        longest_wait_s=max((stay.waited_s for stay in stays if _waited_on_the_phone(stay)), default=None),
        offer_ends={end: ends[end] for end in OfferEnd if ends[end]},
        counts=counts,
        service_levels={formula: service_level(formula, counts) for formula in FORMULAS},
        transfers=sum(stay.transfers for stay in stays),
        talks_ended=sum(len(stay.partings) for stay in stays),
        callbacks=callbacks,
        estimates=estimate_errors((row for stay in stays for row in stay.estimated), queue.name),
        refused=refused,
    )


def _waited_on_the_phone(stay: Stay) -> bool:
    return stay.bucket not in (None, LeftBecause.CALLBACK)


def _told_once(rows: Iterable[LedgerRow]) -> list[LedgerRow]:
    """What is about no place in the queue; what was told twice is there once."""
    kinds = (*CALLBACK_KINDS, "refused")
    return list({row.event_id: row for row in rows if row.kind in kinds}.values())


def _refused(told: Sequence[LedgerRow], since: float, until: float) -> Mapping[str, int]:
    within = [row for row in told if row.kind == "refused" and since <= row.at < until]
    return Counter(row.data["because"] for row in within)


def _callbacks(told: Sequence[LedgerRow], since: float, until: float) -> CallbackCounts:
    """Those requested then, with what came of them."""
    requests = [row for row in told if row.kind == "callback_requested" and since <= row.at < until]
    asked = {_callback_id(row) for row in requests}
    closed = [row for row in told if row.kind == "callback_closed" and _callback_id(row) in asked]
    return CallbackCounts(len(asked), Counter(row.data["state"] for row in closed))


def _callback_id(row: LedgerRow) -> str:
    """Which callback it is about: event ids begin with that."""
    return row.event_id.partition(":")[0]


def _service_counts(
    queue: Queue, waits: Sequence[float], patience: Sequence[float], flowed_out: int
) -> ServiceCounts:
    return ServiceCounts(
        answered=len(waits),
        answered_in_t=sum(wait_s <= queue.service_level_s for wait_s in waits),
        abandoned=len(patience),
        abandoned_in_t=sum(wait_s <= queue.service_level_s for wait_s in patience),
        abandoned_short=sum(wait_s <= queue.short_abandon_s for wait_s in patience),
        flowed_out=flowed_out,
    )


def _estimates(found: EstimateErrors | None) -> dict[str, Any]:
    """Flat, and there also where there is nothing to tell."""
    names = ("count", "error_s", "bias_s", "kept")
    told = found.as_json() if found is not None else {}
    return {f"estimate_{name}": told.get(name, 0 if name == "count" else None) for name in names}


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
