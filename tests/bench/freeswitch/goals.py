"""What the measurement on FreeSWITCH should show, and whether it does. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.freeswitch.figures import PEERS, RATES, TITLES, FreeswitchFigures
from tests.bench.goals import Goal
from tests.bench.queueing.figures import OURS
from tests.bench.queueing.goals import NAMES


def freeswitch_goals(figures: FreeswitchFigures) -> Iterator[Goal]:
    """All goals, judged by pairs of the same round."""
    for rate in RATES:
        for peer in PEERS:
            ratio = figures.ratio(peer, rate)
            text = f"CPU of a call at {rate}/s no more than that of {TITLES[peer]}"
            shown = f"{ratio.median:.2f} of it [{ratio.lowest:.2f} to {ratio.highest:.2f}]"
            yield Goal(text, shown, ratio.median <= 1.0)
    failed = figures.failures().total()
    yield Goal("every call of every program goes through the script", f"{failed} failed", failed == 0)
    if figures.queues is not None:
        yield from _queue_goals(figures)


def _queue_goals(figures: FreeswitchFigures) -> Iterator[Goal]:
    queues = figures.queues
    assert queues is not None
    for cell in queues.cells:
        peer = queues.joined(cell, queues.peer)
        for side in OURS:
            ours = queues.joined(cell, side)
            for share, ratio in (("p50", peer.p50 / ours.p50), ("p99", peer.p99 / ours.p99)):
                text = f"{NAMES[side]} to joined, {cell.waiting} waiting, {share} sooner than {queues.peer}"
                yield Goal(text, f"its {share} over ours {ratio:.2f}", ratio >= 1.0)
