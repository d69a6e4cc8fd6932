"""Some lengths of time and what is typical of them: mean, median, nine in ten, the longest. Pure.

Used for every figure that is an average, so that none is shown without how far the single lengths lie from it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """Lengths of time, in seconds. p50, p90: half of them, nine in ten, were no longer (nearest rank)."""

    count: int
    mean_s: float
    p50_s: float
    p90_s: float
    longest_s: float

    @property
    def sum_s(self) -> float:
        """All of them together."""
        return self.mean_s * self.count

    def as_json(self) -> dict[str, Any]:
        """Rounded to milliseconds, as the clocks behind it are no better."""
        return {
            "count": self.count,
            "mean_s": round(self.mean_s, 3),
            "p50_s": round(self.p50_s, 3),
            "p90_s": round(self.p90_s, 3),
            "longest_s": round(self.longest_s, 3),
        }


def spread_of(lengths: Iterable[float]) -> Spread | None:
    """None of no lengths. Sums exactly, so that the order they come in cannot show in the last digit."""
    ordered = sorted(lengths)
    if not ordered:
        return None
    mean_s = math.fsum(ordered) / len(ordered)
    return Spread(len(ordered), mean_s, _nearest(ordered, 0.5), _nearest(ordered, 0.9), ordered[-1])


def _nearest(ordered: Sequence[float], share: float) -> float:
    """The shortest of the lengths within which so many of them are."""
    return ordered[math.ceil(share * len(ordered)) - 1]
