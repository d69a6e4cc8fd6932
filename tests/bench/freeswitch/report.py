"""The part of docs/benchmarks.md about FreeSWITCH. The words are in page.md and queue_page.md."""

from __future__ import annotations

from pathlib import Path
from string import Template

from tests.bench.figures import Spread
from tests.bench.freeswitch.figures import OURS, PEERS, RATES, TITLES, FreeswitchFigures
from tests.bench.freeswitch.goals import freeswitch_goals
from tests.bench.freeswitch.measuring import BURST_S
from tests.bench.freeswitch.script import ROUNDS, STEPS
from tests.bench.queueing.goals import NAMES
from tests.bench.report import Machine, table

PAGE = Path(__file__).with_name("page.md")
QUEUE_PAGE = Path(__file__).with_name("queue_page.md")
NO_QUEUES = (
    "Agents and callers were not measured: mod_callcenter, with which they are compared, needs a real FreeSWITCH."
)
SIDES = ("desk", "floor")


def freeswitch_page(figures: FreeswitchFigures, machine: Machine, date: str, command: str) -> str:
    """The text."""
    return (
        Template(PAGE.read_text())
        .substitute(
            date=date,
            command=command,
            took_s=f"{figures.took_s:.0f}",
            rounds=len(figures.cells[OURS, RATES[0]]),
            cores=machine.cores,
            cpu=machine.cpu,
            memory_gb=machine.memory_gb,
            load=f"{figures.load:.1f}",
            versions=machine.versions,
            where=_where(figures),
            applications=len(STEPS) + 1,
            plays=ROUNDS,
            burst_s=f"{BURST_S:.0f}",
            goals=_goal_table(figures),
            cpu_table=_cpu_table(figures),
            ratios=_ratio_table(figures),
            failures=_failures(figures),
            queues=_queues(figures),
        )
        .rstrip("\n")
    )


def _where(figures: FreeswitchFigures) -> str:
    if figures.is_live:
        return f"on a real {figures.switch}, as `null` channels"
    return "**against a fake FreeSWITCH**, as there was no real one; it speaks as one does"


def _goal_table(figures: FreeswitchFigures) -> str:
    rows = [[goal.text, goal.found, "met" if goal.is_met else "**not met**"] for goal in freeswitch_goals(figures)]
    return table(["goal", "found", ""], rows)


def _cpu_table(figures: FreeswitchFigures) -> str:
    columns = {
        "CPU, ms": (lambda cell: cell.cpu_ms, 2),
        "CPU of FreeSWITCH, ms": (lambda cell: cell.switch_cpu_ms, 1),
        "call, p50 ms": (lambda cell: cell.p50_ms, 0),
    }
    if not figures.is_live:
        del columns["CPU of FreeSWITCH, ms"]
    headings = ["", *(f"{column} at {rate}/s" for rate in RATES for column in columns)]
    rows = [
        [
            title,
            *(_shown(figures.spread(name, rate, of), digits) for rate in RATES for of, digits in columns.values()),
        ]
        for name, title in TITLES.items()
    ]
    return table(headings, rows)


def _ratio_table(figures: FreeswitchFigures) -> str:
    rows = [[TITLES[peer], *(_shown(figures.ratio(peer, rate), 2) for rate in RATES)] for peer in PEERS]
    return table(["our CPU over that of", *(f"at {rate}/s" for rate in RATES)], rows)


def _failures(figures: FreeswitchFigures) -> str:
    cells = [cell for cells in figures.cells.values() for cell in cells]
    failed = "; ".join(f"{what}: {count}" for what, count in figures.failures().items()) or "none"
    return (
        f"{sum(cell.calls for cell in cells):,} calls, failed: {failed}. The calls were never placed more than "
        f"{max(cell.late_ms for cell in cells):.0f} ms late."
    )


def _queues(figures: FreeswitchFigures) -> str:
    queues = figures.queues
    if queues is None:
        return NO_QUEUES
    sides = (*SIDES, queues.peer)
    names = {**NAMES, queues.peer: queues.peer}
    headings = ["agents", "waiting", "until"]
    headings += [f"{names[side]}, {share}" for side in sides for share in ("p50", "p99")]
    headings += [f"ratio, {names[side]}" for side in SIDES]
    rows = []
    for cell in queues.cells:
        ratios = [f"{queues.ratio(cell, side):.2f}" for side in SIDES]
        for until, of, last in (("rings", queues.rings, ["", ""]), ("joined", queues.joined, ratios)):
            found = [of(cell, side) for side in sides]
            times = [f"{value:.1f}" for one in found for value in (one.p50, one.p99)]
            rows.append([str(cell.agents), str(cell.waiting), until, *times, *last])
    left_out = "".join(
        f"\nNot measured with {cell.waiting} waiting: {why}.\n" for cell, why in queues.left_out.items()
    )
    samples = max((len(found) for found in queues.samples.values()), default=0)
    return Template(QUEUE_PAGE.read_text()).substitute(
        samples=samples, joined=table(headings, rows), left_out=left_out
    )


def _shown(found: Spread, digits: int) -> str:
    median, lowest, highest = (f"{value:.{digits}f}" for value in (found.median, found.lowest, found.highest))
    return median if lowest == highest else f"{median} [{lowest} to {highest}]"
