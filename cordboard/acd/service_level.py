"""The service level by each of the formulas in use, which differ in what they make of callers who gave up.

A figure without its formula says nothing: the same day is 70 % by one and 87.5 % by another. So a queue names its
own, and reports print it. Calls that left by `max_wait`, or with the machine, are in none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cordboard.acd.model import ServiceLevelFormula


@dataclass(frozen=True, slots=True)
class ServiceCounts:
    """Calls of a period. ..._in_t: within T seconds, the service level's threshold; abandoned_short: within S."""

    answered: int
    answered_in_t: int
    abandoned: int
    abandoned_in_t: int
    abandoned_short: int


@dataclass(frozen=True, slots=True)
class _Formula:
    """words: with T and S as `{t}` and `{s}`."""

    words: str
    numerator: Callable[[ServiceCounts], int]
    denominator: Callable[[ServiceCounts], int]


_FORMULAS: Mapping[ServiceLevelFormula, _Formula] = {
    "of_offered": _Formula(
        "answered within {t} / (answered + abandoned)",
        lambda counts: counts.answered_in_t,
        lambda counts: counts.answered + counts.abandoned,
    ),
    "answered_only": _Formula(
        "answered within {t} / answered",
        lambda counts: counts.answered_in_t,
        lambda counts: counts.answered,
    ),
    "ans_plus_aban": _Formula(
        "(answered + abandoned within {t}) / (answered + abandoned)",
        lambda counts: counts.answered_in_t + counts.abandoned_in_t,
        lambda counts: counts.answered + counts.abandoned,
    ),
    "excl_short_aban": _Formula(
        "answered within {t} / (answered + abandoned after more than {s})",
        lambda counts: counts.answered_in_t,
        lambda counts: counts.answered + counts.abandoned - counts.abandoned_short,
    ),
    "excl_aban_in_t": _Formula(
        "answered within {t} / (answered + abandoned after more than {t})",
        lambda counts: counts.answered_in_t,
        lambda counts: counts.answered + counts.abandoned - counts.abandoned_in_t,
    ),
}
FORMULAS: tuple[ServiceLevelFormula, ...] = tuple(_FORMULAS)


def service_level(formula: ServiceLevelFormula, counts: ServiceCounts) -> float | None:
    """The share, 0.0 to 1.0; None where there is no call to take a share of."""
    found = _FORMULAS[formula]
    whole = found.denominator(counts)
    return found.numerator(counts) / whole if whole else None


def formula_in_words(formula: ServiceLevelFormula, threshold_s: float, short_abandon_s: float) -> str:
    """What is divided by what."""
    return _FORMULAS[formula].words.format(t=f"{threshold_s:g} s", s=f"{short_abandon_s:g} s")
