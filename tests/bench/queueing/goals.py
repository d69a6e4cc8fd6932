"""What the measurement of queues should show, and whether it does. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.goals import Goal
from tests.bench.queueing.figures import OURS, PEER, Distribution, QueueFigures, distribution

P50_MS = 10.0
P99_MS = 50.0
RATIO = 50.0
EXCESS = 0.05
POP_P95_MS = 300.0
NAMES = {"desk": "request to the desk", "floor": "store", "app_queue": "app_queue"}


def queue_goals(figures: QueueFigures) -> Iterator[Goal]:
    """All goals. A goal about several cells is met if each of them meets it."""
    for side in OURS if figures.cells else ():
        joined = [figures.joined(cell, side) for cell in figures.cells]
        yield _most(f"{NAMES[side]} to joined, p50", [one.p50 for one in joined], P50_MS)
        yield _most(f"{NAMES[side]} to joined, p99", [one.p99 for one in joined], P99_MS)
        yield _ratio(figures, side)
    if figures.holding:
        ours, theirs = figures.excess("cordboard"), figures.excess(PEER)
        text = f"CPU beyond music with {figures.held} waiting at most {EXCESS:.0%} of app_queue's"
        yield Goal(text, f"{ours:+.3f} of {theirs:+.3f} cores", ours <= EXCESS * max(theirs, 0.0))
    yield _most("offer to event at a client, p95", [at_client(figures).p95], POP_P95_MS)
    yield _most("offer to page, p95", [in_page(figures).p95], POP_P95_MS)


def at_client(figures: QueueFigures) -> Distribution:
    """From the offer to the event at a client of the stream."""
    return distribution([pop.at_client_ms for pop in figures.pops])


def in_page(figures: QueueFigures) -> Distribution:
    """From the offer to the change of the page."""
    return distribution([pop.in_page_ms for pop in figures.pops])


def _most(text: str, found_ms: list[float], most_ms: float) -> Goal:
    shown = " to ".join(f"{value:.1f}" for value in sorted({min(found_ms), max(found_ms)}))
    return Goal(f"{text} at most {most_ms:.0f} ms", f"{shown} ms", max(found_ms) <= most_ms)


def _ratio(figures: QueueFigures, side: str) -> Goal:
    ratios = [figures.ratio(cell, side) for cell in figures.cells]
    shown = f"{min(ratios):.0f} to {max(ratios):.0f}"
    return Goal(f"{NAMES[side]}, app_queue's median over ours at least {RATIO:.0f}", shown, min(ratios) >= RATIO)
