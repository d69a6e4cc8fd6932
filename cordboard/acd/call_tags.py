"""What flows have noted about calls, counted: how many calls have a tag, and how surveys were answered. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cordboard.acd.ledger_row import LedgerRow

KINDS = ("call_tagged", "survey_answered")  # rows that are needed for this


@dataclass(frozen=True, slots=True)
class TagCount:
    """How many calls have this value of a tag."""

    name: str
    value: str
    calls: int


@dataclass(frozen=True, slots=True)
class SurveyScores:
    """One survey. answers: how many calls gave each score, from the lowest."""

    name: str
    answers: Mapping[int, int]

    @property
    def count(self) -> int:
        """How many calls answered."""
        return sum(self.answers.values())

    @property
    def mean(self) -> float:
        """The mean score."""
        return sum(score * calls for score, calls in self.answers.items()) / self.count


def tag_counts(rows: Iterable[LedgerRow]) -> list[TagCount]:
    """All tags, by name, the most frequent values first."""
    counted = Counter((row.data["name"], row.data["value"]) for row in rows if row.kind == "call_tagged")
    found = [TagCount(name, value, calls) for (name, value), calls in counted.items()]
    return sorted(found, key=lambda one: (one.name, -one.calls, one.value))


def survey_scores(rows: Iterable[LedgerRow]) -> list[SurveyScores]:
    """All surveys, by name."""
    counted: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for row in rows:
        if row.kind == "survey_answered":
            counted[row.data["name"]][row.data["score"]] += 1
    return [SurveyScores(name, dict(sorted(counted[name].items()))) for name in sorted(counted)]
