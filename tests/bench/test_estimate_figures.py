"""What is made of measured estimates: the scores of a day, the goals, the part of the page."""

from __future__ import annotations

from tests.bench.estimates.figures import APP_QUEUE, CCAI, OURS, THUMB, Scores, Told, scores
from tests.bench.estimates.report import estimate_goals, estimate_page
from tests.bench.report import Machine

MACHINE = Machine(cores=2, cpu="a cpu", memory_gb=8, versions="Python 3.11")


def told(ours: float, at_most_s: float, waited_s: float) -> Told:
    return Told({OURS: ours, APP_QUEUE: 0.0, THUMB: 100.0, CCAI: 10.0}, at_most_s, waited_s)


def day() -> Scores:
    return scores([told(40, 60, 50), told(40, 60, 55), told(40, 60, 30), told(40, 60, 20), told(40, 60, 90)])


def test_a_day_is_scored_by_what_came_of_each_wait() -> None:
    found = day()
    assert found.error_s == {OURS: 15, APP_QUEUE: 50, THUMB: 50, CCAI: 40}
    assert found.kept == {OURS: 0.8, APP_QUEUE: 0.0, THUMB: 1.0, CCAI: 0.0}
    assert found.worst_s[OURS] == 50


def test_the_goals_are_judged_and_shown() -> None:
    assert [goal.is_met for goal in estimate_goals({"a day": day()})] == [True] * 4
    hopeless = scores([told(500, 10, 50)])
    assert [goal.is_met for goal in estimate_goals({"a day": hopeless})] == [False] * 4
    text = estimate_page({"a day": day()}, MACHINE, "2026-11-23", "make bench")
    assert text.startswith("## Estimates:")
    assert "${" not in text
    assert "15 / 50 s, 80%" in text
