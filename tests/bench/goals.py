"""What the measurements should show, and whether they do. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.bench.figures import RATES, Cell, Figures

OURS, NATIVE, PEER = "cordboard", "native", "panoramisk"
DURATION_SHARE = 0.01
MEMORY_KB = 20.0


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal. found: the figure, in words."""

    text: str
    found: str
    is_met: bool


def goals(figures: Figures) -> Iterator[Goal]:
    """All goals, judged by pairs of the same round."""
    for rate in RATES:
        yield _duration_goal(figures, rate)
    for rate in RATES:
        yield _cpu_goal(figures, rate)
    yield _memory_goal(figures)
    failed = sum(figures.failures().values())
    yield Goal("every call of every variant comes to its end", f"{failed} failed", failed == 0)


def _duration_goal(figures: Figures, rate: int) -> Goal:
    p50 = _over(figures, OURS, NATIVE, rate, _p50)
    p99 = _over(figures, OURS, NATIVE, rate, _p99)
    text = f"duration at {rate} calls/s within {DURATION_SHARE:.0%} of native"
    return Goal(text, f"p50 {p50:+.2%}, p99 {p99:+.2%}", p50 <= DURATION_SHARE and p99 <= DURATION_SHARE)


def _cpu_goal(figures: Figures, rate: int) -> Goal:
    share = _over(figures, OURS, PEER, rate, _cpu)
    return Goal(f"CPU of Python at {rate} calls/s no more than bare panoramisk's", f"{share:+.0%}", share <= 0)


def _memory_goal(figures: Figures) -> Goal:
    found_kb = max(memory.kb_a_call for memory in figures.memory[OURS])
    return Goal(f"memory a live call at most {MEMORY_KB:.0f} kB", f"{found_kb:.1f} kB", found_kb <= MEMORY_KB)


def _over(figures: Figures, variant: str, other: str, rate: int, of: Callable[[Cell], float]) -> float:
    """By which share one variant lies over another in the same round; the median over the rounds."""
    rounds = zip(figures.cells[variant, rate], figures.cells[other, rate], strict=True)
    return statistics.median(of(one) / of(peer) - 1 for one, peer in rounds)


def _p50(cell: Cell) -> float:
    return cell.p50_ms


def _p99(cell: Cell) -> float:
    return cell.p99_ms


def _cpu(cell: Cell) -> float:
    return cell.python_cpu_s
