"""The tables, and docs/benchmarks.md around them. The words are in page.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template

from tests.bench.figures import RATES, VARIANTS, Cell, Figures, Spread, spread
from tests.bench.goals import goals
from tests.bench.measuring import BURST_S, HELD_CALLS
from tests.bench.sounds import GREETING_MS, SHORT_MS

PAGE = Path(__file__).with_name("page.md")


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it was measured. versions: of everything that matters, in words."""

    cores: int
    memory_gb: int
    cpu: str
    versions: str


def page(figures: Figures, machine: Machine, date: str, command: str) -> str:
    """The whole of docs/benchmarks.md."""
    return Template(PAGE.read_text()).substitute(
        greeting_ms=GREETING_MS,
        short_ms=SHORT_MS,
        burst_s=f"{BURST_S:.0f}",
        held_calls=HELD_CALLS,
        date=date,
        command=command,
        took_s=f"{figures.took_s:.0f}",
        rounds=len(figures.cells["native", RATES[0]]),
        cores=machine.cores,
        cpu=machine.cpu,
        memory_gb=machine.memory_gb,
        versions=machine.versions,
        goals=goal_table(figures),
        durations=duration_table(figures),
        supervisor_s=f"{_supervisor(figures):.2f}",
        cpu_table=cpu_table(figures),
        commands=command_table(figures),
        memory=memory_table(figures),
        failures=_failures(figures),
    )


def goal_table(figures: Figures) -> str:
    """Each goal and whether it was met."""
    rows = [[goal.text, goal.found, "met" if goal.is_met else "**not met**"] for goal in goals(figures)]
    return table(["goal", "found", ""], rows)


def duration_table(figures: Figures) -> str:
    """Percentiles of the call duration."""
    headings = [f"{share} at {rate}/s, ms" for rate in RATES for share in ("p50", "p99")]
    rows = []
    for variant in VARIANTS:
        row = [variant.title]
        for rate in RATES:
            row += [
                _shown(figures.spread(variant.name, rate, lambda cell: cell.p50_ms), 1),
                _shown(figures.spread(variant.name, rate, lambda cell: cell.p99_ms), 1),
            ]
        rows.append(row)
    return table(["", *headings], rows)


def cpu_table(figures: Figures) -> str:
    """CPU seconds per 1,000 calls, of Python and of Asterisk."""
    whose: list[tuple[str, Callable[[Cell], float]]] = [
        ("Python", lambda cell: cell.python_cpu_s),
        ("Asterisk", lambda cell: cell.asterisk_cpu_s),
    ]
    headings = [f"{who} at {rate}/s" for rate in RATES for who, _ in whose]
    rows = [
        [
            variant.title,
            *(_shown(figures.spread(variant.name, rate, of), 2, 1000) for rate in RATES for _, of in whose),
        ]
        for variant in VARIANTS
    ]
    return table(["", *headings], rows)


def command_table(figures: Figures) -> str:
    """What one call asks of Asterisk."""
    rows = []
    for variant in VARIANTS:
        counted = figures.commands[variant.name]
        agi = ", ".join(name if count == 1 else f"{count:g} {name}" for name, count in counted.agi.items())
        rows.append([variant.title, f"{counted.agi_total:g}", f"{counted.dialplan:g}", agi])
    return table(["", "AGI commands a call", "dialplan steps a call", "which commands"], rows)


def memory_table(figures: Figures) -> str:
    """Resident memory of Python."""
    rows = []
    for variant in VARIANTS[1:]:
        found = figures.memory[variant.name]
        rows.append(
            [
                variant.title,
                _shown(spread([memory.idle_kb / 1024 for memory in found]), 1),
                _shown(spread([memory.loaded_kb / 1024 for memory in found]), 1),
                _shown(spread([memory.kb_a_call for memory in found]), 1),
            ]
        )
    return table(["", "without calls, MB", f"with {HELD_CALLS} calls, MB", "kB a live call"], rows)


def _failures(figures: Figures) -> str:
    cells = [cell for cells in figures.cells.values() for cell in cells]
    calls = sum(cell.calls for cell in cells)
    failed = [f"{what}: {count}" for what, count in figures.failures().items()]
    late_ms = max(cell.late_ms for cell in cells)
    return (
        f"{calls:,} calls, failed: {'; '.join(failed) or 'none'}. "
        f"The generator was never more than {late_ms:.0f} ms late with a call."
    )


def _supervisor(figures: Figures) -> float:
    cells = [cell for rate in RATES for cell in figures.cells["cordboard", rate]]
    return sum(cell.overseer_cpu_s * cell.calls for cell in cells) / sum(cell.calls for cell in cells) * 1000


def _shown(found: Spread, digits: int, times: float = 1) -> str:
    median, lowest, highest = (
        f"{value * times:.{digits}f}" for value in (found.median, found.lowest, found.highest)
    )
    return median if found.lowest == found.highest else f"{median} [{lowest} to {highest}]"


def table(headings: list[str], rows: list[list[str]]) -> str:
    """A Markdown table whose columns line up, so that it reads well as text too."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    return "\n".join(
        [_row(headings, widths), _row(["-" * width for width in widths], widths), *_rows(rows, widths)]
    )


def _rows(rows: list[list[str]], widths: list[int]) -> Iterator[str]:
    return (_row(row, widths) for row in rows)


def _row(cells: list[str], widths: list[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
