"""What is measured of estimates: how far each figure lay from what its caller then waited. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

OURS, APP_QUEUE, THUMB, CCAI = "cordboard", "app_queue", "position x AHT / agents", "Google CCAI"
FORMULAS = (OURS, APP_QUEUE, THUMB, CCAI)


@dataclass(frozen=True, slots=True)
class Told:
    """One caller. told_s: by formula, when they entered; at_most_s: what we would say; waited_s: in the end."""

    told_s: Mapping[str, float]
    at_most_s: float
    waited_s: float


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one day. error_s: by formula, the median of how far off; worst_s: nine in ten were nearer; kept: the share
    whose wait was no longer than told, by formula; ours by what is said, the 80 % quantile.
    """

    count: int
    error_s: Mapping[str, float]
    worst_s: Mapping[str, float]
    kept: Mapping[str, float]


def scores(told: Sequence[Told]) -> Scores:
    """The scores of a day."""
    off = {formula: sorted(abs(one.told_s[formula] - one.waited_s) for one in told) for formula in FORMULAS}
    kept = {formula: sum(_said(one, formula) >= one.waited_s for one in told) / len(told) for formula in FORMULAS}
    return Scores(
        count=len(told),
        error_s={formula: statistics.median(errors) for formula, errors in off.items()},
        worst_s={formula: errors[int(0.9 * len(errors))] for formula, errors in off.items()},
        kept=kept,
    )


def _said(one: Told, formula: str) -> float:
    return one.at_most_s if formula == OURS else one.told_s[formula]
