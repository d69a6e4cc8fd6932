"""How good the estimates of a queue's waits were, from rows of the ledger and from nothing else. Pure.

An estimate is compared with what its caller then waited until they talked. Callers who left otherwise say nothing:
nobody knows how long they would have waited.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cordboard.acd.ledger_row import LedgerRow

ERROR_KINDS = ("wait_estimated", "joined")


@dataclass(frozen=True, slots=True)
class EstimateErrors:
    """Of the answered callers whose wait was estimated. error_s: by how much the likely wait was wrong, half of
    them less; bias_s: the same with its sign, above 0 where the wait was shorter than thought; kept: the share, 0.0
    to 1.0, that waited no longer than the figure callers are told, which four in five should.
    """

    count: int
    error_s: float
    bias_s: float
    kept: float

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "count": self.count,
            "error_s": round(self.error_s, 3),
            "bias_s": round(self.bias_s, 3),
            "kept": round(self.kept, 4),
        }


def estimate_errors(rows: Iterable[LedgerRow], queue: str) -> EstimateErrors | None:
    """The errors of one queue; None if nobody who got an estimate was answered. rows: of `ERROR_KINDS`."""
    estimated: dict[str, LedgerRow] = {}
    waited: dict[str, float] = {}
    for row in rows:
        if row.queue == queue and row.kind == "wait_estimated":
            estimated.setdefault(row.entry_id, row)
        elif row.queue == queue and row.kind == "joined":
            waited[row.entry_id] = row.data["wait_s"]
    pairs = [
        (row.data, waited[entry] - row.data["waited_s"]) for entry, row in estimated.items() if entry in waited
    ]
    if not pairs:
        return None
    errors = [data["likely_s"] - actual_s for data, actual_s in pairs]
    return EstimateErrors(
        count=len(pairs),
        error_s=statistics.median(map(abs, errors)),
        bias_s=statistics.median(errors),
        kept=sum(actual_s <= data["at_most_s"] for data, actual_s in pairs) / len(pairs),
    )
