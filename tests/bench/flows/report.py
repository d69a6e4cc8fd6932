"""The part of docs/benchmarks.md about the flow engine, and its goals. The words are in page.md. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from string import Template

from tests.bench.flows.figures import LINT_NODES, TEST_CASES, FlowFigures
from tests.bench.goals import Goal
from tests.bench.report import Machine, table

PAGE = Path(__file__).with_name("page.md")
LOAD_S = 1.0
TESTS_S = 5.0
KB_A_CALL = 20.0


def flow_goals(figures: FlowFigures) -> Iterator[Goal]:
    """All goals; the slowest round counts."""
    load_s, tests_s = max(figures.load_s), max(figures.tests_s)
    yield Goal(f"lint of {LINT_NODES:,} nodes in {LOAD_S:g} s", f"{load_s:.2f} s", load_s <= LOAD_S)
    yield Goal(f"{TEST_CASES:,} flow tests in {TESTS_S:g} s", f"{tests_s:.2f} s", tests_s <= TESTS_S)
    kb = figures.kb_a_call
    yield Goal(f"memory of a live call's position at most {KB_A_CALL:g} kB", f"{kb:.1f} kB", kb <= KB_A_CALL)


def flow_page(figures: FlowFigures, machine: Machine, date: str, command: str) -> str:
    """The text."""
    rows = [[goal.text, goal.found, "met" if goal.is_met else "**not met**"] for goal in flow_goals(figures)]
    shown = {
        "verbs decided on, a second": [f"{one:,.0f}" for one in figures.steps_per_s],
        "nodes gone through, a second": [f"{one:,.0f}" for one in figures.nodes_per_s],
        f"{LINT_NODES:,} nodes loaded and linted, s": [f"{one:.2f}" for one in figures.load_s],
        f"{TEST_CASES:,} flow tests, s": [f"{one:.2f}" for one in figures.tests_s],
    }
    headings = ["CPU time of one process", *(f"round {number + 1}" for number in range(len(figures.load_s)))]
    return Template(PAGE.read_text()).substitute(
        date=date,
        command=command,
        took_s=f"{figures.took_s:.0f}",
        cores=machine.cores,
        cpu=machine.cpu,
        memory_gb=machine.memory_gb,
        versions=machine.versions,
        goals=table(["goal", "found", ""], rows),
        rounds=table(headings, [[name, *values] for name, values in shown.items()]),
    )
