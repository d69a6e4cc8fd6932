"""The part of docs/benchmarks.md about estimated waits, and its goals. The words are in page.md. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template

from tests.bench.estimates.figures import APP_QUEUE, CCAI, FORMULAS, OURS, THUMB, Scores
from tests.bench.goals import Goal
from tests.bench.report import Machine, table

PAGE = Path(__file__).with_name("page.md")
KEPT = (0.78, 0.83)  # of four in five


def estimate_goals(found: Mapping[str, Scores]) -> Iterator[Goal]:
    """All goals. Each day counts as much as the others, whatever its number of callers."""
    for other in (APP_QUEUE, THUMB, CCAI):
        ratio = statistics.median(day.error_s[OURS] / day.error_s[other] for day in found.values())
        yield Goal(f"median error below that of {other}", f"{ratio:.0%} of it", ratio < 1)
    kept = statistics.median(day.kept[OURS] for day in found.values())
    text = f"what is told holds for {KEPT[0]:.0%} to {KEPT[1]:.0%} of callers, as it claims four in five"
    yield Goal(text, f"{kept:.0%}", KEPT[0] <= kept <= KEPT[1])


def estimate_page(found: Mapping[str, Scores], machine: Machine, date: str, command: str) -> str:
    """The text."""
    goals = [[goal.text, goal.found, "met" if goal.is_met else "**not met**"] for goal in estimate_goals(found)]
    rows = [[title, str(day.count), *(_cell(day, formula) for formula in FORMULAS)] for title, day in found.items()]
    return Template(PAGE.read_text()).substitute(
        date=date,
        command=command,
        versions=machine.versions,
        cores=machine.cores,
        memory_gb=machine.memory_gb,
        goals=table(["goal", "found", ""], goals),
        days=table(["day", "callers", *FORMULAS], rows),
    )


def _cell(day: Scores, formula: str) -> str:
    return f"{day.error_s[formula]:.0f} / {day.worst_s[formula]:.0f} s, {day.kept[formula]:.0%}"
