"""Tags and survey scores as text for the terminal, and as JSON. Used by `cordboard kpi --tags`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cordboard.acd.call_tags import KINDS, SurveyScores, TagCount, survey_scores, tag_counts
from cordboard.acd.report_period import Period
from cordboard.bootstrap.floor_files import FloorFiles, reading
from cordboard.store.acd_reads import ledger_rows


@dataclass(frozen=True, slots=True)
class CallTags:
    """What flows noted in a period."""

    tags: Sequence[TagCount]
    surveys: Sequence[SurveyScores]

    def as_json(self) -> Iterator[dict[str, Any]]:
        """A line for each tag's value and each survey."""
        for tag in self.tags:
            yield {"tag": tag.name, "value": tag.value, "calls": tag.calls}
        for survey in self.surveys:
            yield {
                "survey": survey.name,
                "answers": survey.count,
                "mean": round(survey.mean, 2),
                "scores": {str(score): calls for score, calls in survey.answers.items()},
            }


def read_call_tags(files: FloorFiles, period: Period) -> CallTags:
    """What was noted in a period. Raises StoreUnavailable."""
    until = period.until.timestamp() if period.until else math.inf
    with reading(files) as connection:
        rows = list(ledger_rows(connection, period.since.timestamp(), until, kinds=KINDS))
    return CallTags(tag_counts(rows), survey_scores(rows))


def tag_report(period: str, found: CallTags) -> str:
    """Calls by tag, then the surveys with how often each score was given."""
    tags = [f"  {tag.name}={tag.value}  {tag.calls}" for tag in found.tags]
    surveys = [
        f"  {survey.name}  mean {survey.mean:.2f} of {survey.count}  ({_scores(survey)})"
        for survey in found.surveys
    ]
    return "\n".join([period, "calls by tag", *(tags or ["  none"]), "surveys", *(surveys or ["  none"])])


def _scores(survey: SurveyScores) -> str:
    return ", ".join(f"{score}: {calls}" for score, calls in survey.answers.items())
