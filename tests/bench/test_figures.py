"""The arithmetic and the judgements of the benchmark, on figures made by hand."""

from __future__ import annotations

import math

import pytest

from tests.bench.figures import RATES, VARIANTS, Cell, Commands, Figures, Memory, percentile, spread
from tests.bench.goals import goals
from tests.bench.measuring import _name_of, _turned
from tests.bench.report import Machine, page

MACHINE = Machine(cores=2, memory_gb=8, cpu="a CPU", versions="some versions")


def _cell(ms: float = 800.0, cpu_s: float = 0.001, failed: int = 0) -> Cell:
    failures = {"ended early (no mark)": failed} if failed else {}
    return Cell(ms, ms + 5, cpu_s, 0.004, 0.0, calls=100, failures=failures, late_ms=1.0)


def _figures() -> Figures:
    """Ours as long and as dear as all others, in two rounds."""
    figures = Figures(took_s=1.0)
    for variant in VARIANTS:
        figures.cells |= {(variant.name, rate): [_cell(), _cell()] for rate in RATES}
        figures.commands[variant.name] = Commands({"ANSWER": 1.0, "EXEC MSet": 2.0}, 9.0)
        figures.memory[variant.name] = [Memory(10_000, 15_000, 500)]
    return figures


def _missed(figures: Figures) -> list[str]:
    return [goal.text for goal in goals(figures) if not goal.is_met]


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert (percentile(values, 0.50), percentile(values, 0.99)) == (50.0, 99.0)
    assert percentile([7.0], 0.99) == 7.0
    assert math.isnan(percentile([], 0.5))


def test_equal_variants_meet_every_goal() -> None:
    assert _missed(_figures()) == []


@pytest.mark.parametrize(
    ("cell", "missed"),
    [
        (_cell(ms=809.0), f"duration at {RATES[0]} calls/s within 1% of native"),
        (_cell(cpu_s=0.0011), f"CPU of Python at {RATES[0]} calls/s no more than bare panoramisk's"),
        (_cell(failed=1), "every call of every variant comes to its end"),
    ],
)
def test_a_worse_figure_misses_its_goal_and_no_other(cell: Cell, missed: str) -> None:
    figures = _figures()
    figures.cells["cordboard", RATES[0]] = [cell, cell]
    assert _missed(figures) == [missed]


def test_a_burst_without_one_ended_call_is_never_a_goal_met() -> None:
    figures = _figures()
    figures.cells["cordboard", RATES[0]] = [_cell(ms=math.nan)] * 2
    assert _missed(figures) == [f"duration at {RATES[0]} calls/s within 1% of native"]


def test_rounds_are_compared_in_pairs() -> None:
    """The second round was slow for everybody: that is no fault of ours."""
    figures = _figures()
    for name in ("native", "panoramisk", "cordboard"):
        figures.cells[name, RATES[0]] = [_cell(), _cell(ms=900.0, cpu_s=0.003)]
    assert _missed(figures) == []


def test_memory_beyond_the_goal_is_said() -> None:
    figures = _figures()
    figures.memory["cordboard"] = [Memory(10_000, 25_000, 500)]
    assert _missed(figures) == ["memory a live call at most 20 kB"]


def test_the_page_names_what_failed_and_leaves_nothing_open() -> None:
    figures = _figures()
    figures.cells["uvloop", RATES[1]] = [_cell(failed=3)]
    text = page(figures, MACHINE, "2026-11-22", "make bench")
    assert f"uvloop at {RATES[1]}/s: ended early (no mark): 3" in text
    assert "${" not in text


def test_commands_are_counted_by_their_names() -> None:
    assert _name_of('STREAM FILE "/a/B" ""') == "STREAM FILE"
    assert _name_of('EXEC MSet "A=1,B=2"') == "EXEC MSet"
    assert _name_of("WAIT FOR DIGIT 50") == "WAIT FOR DIGIT"


def test_each_round_begins_with_another_variant() -> None:
    assert [_turned(["a", "b", "c"], number)[0] for number in range(4)] == ["a", "b", "c", "a"]
    assert spread([3.0, 1.0, 2.0]).median == 2.0
