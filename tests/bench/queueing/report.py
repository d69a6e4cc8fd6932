"""The part of docs/benchmarks.md about queues. The words are in page.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from string import Template

from tests.bench.queueing.figures import OURS, SIDES, Cell, Cores, Distribution, QueueFigures
from tests.bench.queueing.goals import NAMES, at_client, in_page, queue_goals
from tests.bench.queueing.sampling import TOGETHER_MAX
from tests.bench.report import Machine, table

WAYS = {"music": "MusicOnHold alone", "app_queue": "app_queue", "cordboard": "Cordboard"}
PAGE = Path(__file__).with_name("page.md")


def queue_page(figures: QueueFigures, machine: Machine, date: str, command: str) -> str:
    """The text."""
    return Template(PAGE.read_text()).substitute(
        date=date,
        command=command,
        took_s=f"{figures.took_s:.0f}",
        rounds=max((len(samples) for samples in figures.samples.values()), default=0),
        together=TOGETHER_MAX,
        left_out=_left_out(figures),
        holding=_holding_table(figures),
        cores=machine.cores,
        cpu=machine.cpu,
        memory_gb=machine.memory_gb,
        load=f"{figures.load:.1f}",
        versions=machine.versions,
        goals=_goal_table(figures),
        joined=_cell_table(figures, figures.joined, has_ratio=True),
        rings=_cell_table(figures, figures.rings, has_ratio=False),
        pops=len(figures.pops),
        pop_table=_pop_table(figures),
    )


def _goal_table(figures: QueueFigures) -> str:
    rows = [[goal.text, goal.found, "met" if goal.is_met else "**not met**"] for goal in queue_goals(figures)]
    return table(["goal", "found", ""], rows)


def _cell_table(figures: QueueFigures, of: Callable[[Cell, str], Distribution], *, has_ratio: bool) -> str:
    headings = ["agents", "waiting"]
    headings += [f"{NAMES[side]}, {share}" for side in SIDES for share in ("p50", "p99")]
    headings += [f"ratio, {NAMES[side]}" for side in OURS if has_ratio]
    rows = []
    for cell in figures.cells:
        row = [str(cell.agents), str(cell.waiting)]
        for side in SIDES:
            found = of(cell, side)
            row += [f"{found.p50:.1f}", f"{found.p99:.1f}"]
        row += [f"{figures.ratio(cell, side):.0f}" for side in OURS if has_ratio]
        rows.append(row)
    return table(headings, rows)


def _left_out(figures: QueueFigures) -> str:
    """Which sizes this machine could not hold."""
    if not figures.left_out:
        return "Every size that was asked for could be measured."
    lines = [f"- {cell.agents:,} agents, {cell.waiting} waiting: {why}" for cell, why in figures.left_out.items()]
    return "\n".join(("Not measured, as it broke on this machine:", "", *lines))


def _holding_table(figures: QueueFigures) -> str:
    if not figures.holding:
        return f"Not measured: {figures.not_held or 'it was not asked for'}."
    rounds = len(figures.holding["music"])
    headings = [f"{figures.held} callers", "least", "median", "greatest", "of it our service, median"]
    rows = [[WAYS[way], *_held(figures.holding[way])] for way in WAYS]
    return f"In {rounds} rounds:\n\n{table(headings, rows)}"


def _held(found: list[Cores]) -> list[str]:
    both = [one.both for one in found]
    shown = (min(both), median(both), max(both), median([one.service for one in found]))
    return [f"{cores:.3f}" for cores in shown]


def _pop_table(figures: QueueFigures) -> str:
    found = {"event at a client": at_client(figures), "change of the page": in_page(figures)}
    rows = [[name, f"{one.p50:.1f}", f"{one.p95:.1f}", f"{one.p99:.1f}"] for name, one in found.items()]
    return table(["", "p50", "p95", "greatest"], rows)
