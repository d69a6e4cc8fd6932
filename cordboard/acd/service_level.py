"""The service level by each of the formulas in use, which differ in what they make of callers who gave up.

A figure without its formula says nothing: the same day is 70 % by one and 87.5 % by another. So a queue names its
own, and reports print it. Calls that were sent elsewhere are in `incl_flowout` only; callbacks, calls that were cut
off, and those lost with the machine are in none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cordboard.acd.model import LeftBecause, ServiceLevelFormula

# Sent elsewhere by a rule of the queue, or at the caller's own wish. Who keeps a place (callback) is not gone.
FLOWED_OUT = frozenset(
    {
        LeftBecause.MAX_WAIT, LeftBecause.EXIT_KEY, LeftBecause.EMPTY, LeftBecause.CLOSED, LeftBecause.OVERFLOW,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ServiceCounts:
    """Calls of a period. ..._in_t: within T seconds, the service level's threshold; abandoned_short: within S;
    flowed_out: left for one of the reasons in `FLOWED_OUT`.
    """

    answered: int
    answered_in_t: int
    abandoned: int
    abandoned_in_t: int
    abandoned_short: int
    flowed_out: int = 0


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
    "incl_flowout": _Formula(
        "answered within {t} / (answered + abandoned + sent elsewhere)",
        lambda counts: counts.answered_in_t,
        lambda counts: counts.answered + counts.abandoned + counts.flowed_out,
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
