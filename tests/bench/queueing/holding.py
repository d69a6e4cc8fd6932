"""What it costs to hold callers: CPU while hundreds wait and nothing else happens.

Three ways to hold the same number of callers, who come over the same trunk and hear the same music: our queue,
app_queue, and Asterisk's MusicOnHold alone, which is what the first two are compared with. All agents are paused.
Counted is what Asterisk and our service use together in each way: where the others hold the callers, our service
does what it always does.
"""

from __future__ import annotations

import asyncio
import random
import time
from statistics import median

from cordboard.errors import LabError
from tests.bench.processes import children, cpu_s
from tests.bench.queueing.configuration import MUSIC_NUMBER, OUR_NUMBERS, PEER_NUMBERS
from tests.bench.queueing.figures import Cores, QueueFigures
from tests.bench.queueing.sampling import SEED, callers_wait, everybody_leaves
from tests.bench.queueing.stage import Site

NUMBERS = {"cordboard": OUR_NUMBERS["ten"], "app_queue": PEER_NUMBERS["ten"], "music": MUSIC_NUMBER}
SETTLE_S = 3.0  # after the last has come
LASTS_S = 10.0
ROUNDS = 6  # one differs from the next by more than the ways do


async def measure_holding(site: Site, figures: QueueFigures, callers: int, rounds: int = ROUNDS) -> None:
    """All ways. If the callers do not all come to wait, that is noted."""
    figures.held = callers
    try:
        await _measure(site, figures, callers, rounds)
    except LabError as fault:
        figures.not_held = str(fault)
        figures.holding.clear()
        await everybody_leaves(site)
        print(f"  {callers} callers held: not measured, {fault}", flush=True)


async def _measure(site: Site, figures: QueueFigures, callers: int, rounds: int) -> None:
    order = random.Random(SEED)
    for _ in range(rounds):
        for way in order.sample(list(NUMBERS), len(NUMBERS)):
            await callers_wait(site, NUMBERS[way], callers)
            await asyncio.sleep(SETTLE_S)
            figures.holding.setdefault(way, []).append(await _cores_used(site))
            await everybody_leaves(site)
    shown = ", ".join(f"{way} {median([one.both for one in found]):.2f}" for way, found in figures.holding.items())
    print(f"  {callers} callers held, cores used: {shown}", flush=True)


async def _cores_used(site: Site) -> Cores:
    """CPU seconds a second."""
    switch, service = [site.pbx.pid()], _with_descendants(site.stage.service.pid)
    before, began = (cpu_s(switch), cpu_s(service)), time.monotonic()
    await asyncio.sleep(LASTS_S)
    used_s = (cpu_s(switch) - before[0], cpu_s(service) - before[1])
    took_s = time.monotonic() - began
    return Cores(used_s[0] / took_s, used_s[1] / took_s)


def _with_descendants(pid: int) -> list[int]:
    return [pid, *(found for child in children(pid) for found in _with_descendants(child))]
