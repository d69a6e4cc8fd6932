"""The arithmetic and the judgements of the queues' benchmark, on figures made by hand; and what is measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.bootstrap.configuration import load_configuration
from tests.bench.pages import HEADINGS, joined, parts_of
from tests.bench.queueing.configuration import QUEUES, agents_of, device_of, peer_queues, seated_agents
from tests.bench.queueing.figures import Cores, Pop, QueueFigures, Sample
from tests.bench.queueing.goals import queue_goals
from tests.bench.queueing.report import queue_page
from tests.bench.queueing.sampling import cells_of
from tests.bench.queueing.stage import write_files
from tests.bench.report import Machine

CELLS = cells_of((10, 100), (1, 50))
MACHINE = Machine(cores=2, memory_gb=8, cpu="a CPU", versions="some versions")


def _figures(
    ours_ms: float = 9.0,
    peer_ms: float = 500.0,
    worst_ms: float = 20.0,
    pop_ms: float = 30.0,
    excess: float = 0.004,
) -> QueueFigures:
    """Every cell alike: three samples of ours, one of them the worst."""
    figures = QueueFigures(took_s=1.0, pops=[Pop(pop_ms, pop_ms)] * 20, held=500)
    cores = {"music": (0.5, 0.6), "app_queue": (0.6, 0.7), "cordboard": (0.5 + excess, 0.6 + excess)}
    figures.holding = {way: [Cores(found - 0.25, 0.25) for found in rounds] for way, rounds in cores.items()}
    for cell in CELLS:
        for side in ("desk", "floor"):
            figures.samples[cell, side] = [Sample(ms / 2, ms) for ms in (ours_ms, ours_ms, worst_ms)]
        figures.samples[cell, "app_queue"] = [Sample(peer_ms - 2, peer_ms)] * 3
    return figures


def _missed(figures: QueueFigures) -> set[str]:
    return {goal.text.partition(", ")[2] or goal.text for goal in queue_goals(figures) if not goal.is_met}


def test_good_figures_meet_every_goal() -> None:
    assert _missed(_figures()) == set()


@pytest.mark.parametrize(
    ("figures", "missed"),
    [
        (_figures(ours_ms=10.1, peer_ms=900.0), "p50 at most 10 ms"),
        (_figures(worst_ms=50.1), "p99 at most 50 ms"),
        (_figures(peer_ms=449.0), "app_queue's median over ours at least 50"),
        (_figures(pop_ms=300.1), "p95 at most 300 ms"),
        (_figures(excess=0.0051), "CPU beyond music with 500 waiting at most 5% of app_queue's"),
    ],
)
def test_a_worse_figure_misses_its_goal_and_no_other(figures: QueueFigures, missed: str) -> None:
    assert _missed(figures) == {missed}


def test_one_bad_cell_is_enough_to_miss_a_goal() -> None:
    figures = _figures()
    figures.samples[CELLS[-1], "desk"] = [Sample(11.0, 12.0)] * 3
    assert "p50 at most 10 ms" in _missed(figures)


def test_the_part_of_the_page_leaves_nothing_open() -> None:
    text = queue_page(_figures(), MACHINE, "2026-11-22", "make bench")
    assert "${" not in text
    assert text.startswith("## Queues:")


def test_a_size_that_broke_is_left_out_and_said_so() -> None:
    figures = _figures()
    figures.leave_out(CELLS[-1], "the music of a caller did not come")
    assert CELLS[-1] not in figures.cells
    assert _missed(figures) == set()
    text = queue_page(figures, MACHINE, "2026-11-22", "make bench")
    assert "- 100 agents, 50 waiting: the music of a caller did not come" in text


def test_a_part_measured_anew_leaves_the_other_as_it_was() -> None:
    without = {"freeswitch": "", "stores": "", "flows": "", "estimates": ""}
    first = joined({"ivr": "# Benchmarks\n\none", "queues": "## Queues: old\n\ntwo"})
    assert parts_of(first) == {"ivr": "# Benchmarks\n\none", "queues": "## Queues: old\n\ntwo", **without}
    assert joined(parts_of(first) | {"queues": "## Queues: new"}) == "# Benchmarks\n\none\n\n## Queues: new\n"
    assert parts_of("") == {"ivr": "", "queues": "", **without}
    every = {"ivr": "# A"} | {part: f"{heading.strip()} {part}" for part, heading in HEADINGS.items()}
    assert parts_of(joined(every)) == every


def test_both_sides_have_the_same_agents_with_the_same_devices(tmp_path: Path) -> None:
    write_files(tmp_path, QUEUES)
    plan = load_configuration(tmp_path, environment={"CORDBOARD_STATE": str(tmp_path)}, need_secrets=False).plan
    sections = dict(zip(QUEUES, peer_queues(QUEUES).split("[")[1:], strict=True))
    for queue, count in QUEUES.items():
        ours = [agent.device for agent in plan.agents.values() if queue in agent.queues]
        assert ours == [device_of(agent) for agent in agents_of(queue)]
        assert ours == [
            line.removeprefix("member => ") for line in sections[queue].splitlines() if "member" in line
        ]
        assert len(ours) == count
        assert plan.queues[queue].accept.key == ""


def test_those_who_take_turns_are_spread_over_the_queue() -> None:
    assert seated_agents("ten") == list(agents_of("ten"))
    assert len(seated_agents("hundred")) == 10
    assert set(seated_agents("hundred")) <= set(agents_of("hundred"))
