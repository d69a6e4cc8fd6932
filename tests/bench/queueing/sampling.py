"""The samples: callers wait on both sides, one agent becomes free on one of them, and their phone rings.

On each side the same number of callers waits all the time; who was served is replaced before the next sample. The
sides take turns, in another order each round, so that what slows the machine slows them all. Between the new caller
and the next sample lies a random part of a second: app_queue looks once a second, counted from when a caller came,
and our service looks after its leases as often, so that a sample must be able to fall anywhere in that second.
"""

from __future__ import annotations

import asyncio
import gc
import random
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from cordboard.errors import LabError
from tests.bench.queueing.callers import WaitingCall
from tests.bench.queueing.configuration import QUEUES, seated_agents
from tests.bench.queueing.figures import Cell, QueueFigures, Sample
from tests.bench.queueing.sides import Side
from tests.bench.queueing.stage import Site
from tests.bench.queueing.watching import soon

ROUNDS = 20
PERIOD_S = 1.0  # of app_queue's looks with retry=1
AT_ONCE = 5  # callers who come together; more would only make a burst of their own
TOGETHER_MAX = 50  # more callers than these wait on one side at a time: their music is work for the machine
LEAVE_S = 30.0  # for hundreds to hang up
SEED = 1878  # the year of the first switchboard with operators; any will do, if it stays the same


def cells_of(agents: Collection[int], waiting: Collection[int]) -> list[Cell]:
    """Every size of queue with every number of callers, the smallest first."""
    return [
        Cell(queue, count, callers)
        for queue, count in QUEUES.items()
        if count in agents
        for callers in sorted(waiting)
    ]


async def measure_joins(
    site: Site, sides: Sequence[Side], figures: QueueFigures, cells: Collection[Cell], rounds: int = ROUNDS
) -> None:
    """All cells, all sides. What the machine cannot hold is noted, and the others go on."""
    order = random.Random(SEED)
    for cell in cells:
        try:
            for together in _together(sides, cell):
                await _measure_cell(site, together, figures, cell, order, rounds)
        except LabError as fault:
            figures.leave_out(cell, str(fault))
            await everybody_leaves(site)
            print(f"  {cell.agents:4} agents, {cell.waiting:3} waiting: not measured, {fault}", flush=True)
        else:
            print(f"  {cell.agents:4} agents, {cell.waiting:3} waiting: {_line(figures, cell, sides)}", flush=True)


def _together(sides: Sequence[Side], cell: Cell) -> list[list[Side]]:
    """The sides that take turns: all, or, with a crowd, those who share their callers."""
    if cell.waiting <= TOGETHER_MAX:
        return [list(sides)]
    numbers = dict.fromkeys(side.numbers[cell.queue] for side in sides)
    return [[side for side in sides if side.numbers[cell.queue] == number] for number in numbers]


async def _measure_cell(
    site: Site, sides: Sequence[Side], figures: QueueFigures, cell: Cell, order: random.Random, rounds: int
) -> None:
    for number in {side.numbers[cell.queue] for side in sides}:
        await callers_wait(site, number, cell.waiting)
    agents = seated_agents(cell.queue)
    for turn in range(rounds):
        for place, side in enumerate(order.sample(list(sides), len(sides))):
            await asyncio.sleep(order.uniform(0.0, PERIOD_S))
            agent = agents[(turn * len(sides) + place) % len(agents)]
            sample = await _sample(site, side, cell, agent)
            figures.samples.setdefault((cell, side.name), []).append(sample)
    await everybody_leaves(site)


async def callers_wait(site: Site, number: str, count: int) -> list[WaitingCall]:
    """Have callers come, and return when all of them wait."""
    calls: list[WaitingCall] = []
    while len(calls) < count:
        together = min(AT_ONCE, count - len(calls))
        calls += [site.callers.dial(number) for _ in range(together)]
        for _ in range(together):
            await soon(site.watch.waiting, f"the music of a caller of {number}")
    return calls


async def everybody_leaves(site: Site) -> None:
    """All callers hang up; the next ones find an empty queue."""
    site.callers.hang_up_all()
    await site.pbx.wait_for_no_channels(LEAVE_S)


async def _sample(site: Site, side: Side, cell: Cell, agent: str) -> Sample:
    await side.prepare(agent)
    site.watch.clear()
    with _undisturbed():
        began = time.monotonic()
        await side.free(agent)
        ring = await soon(site.phones.rings, f"a call to {agent} by {side.name}")
        joined_at = await soon(site.watch.joins, f"the talk of {agent} by {side.name}")
    await side.pause(agent)
    if ring.extension not in agent:
        raise LabError(f"{ring.extension} rang in place of {agent}")
    site.phones.hang_up(ring)
    await soon(site.callers.ended, f"the end of the talk of {agent} by {side.name}")
    site.watch.clear()
    await callers_wait(site, side.numbers[cell.queue], 1)
    return Sample((ring.rung_at - began) * 1000, (joined_at - began) * 1000)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No collection of garbage here, where the phones, the callers and the clock are: it would count as waiting."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _line(figures: QueueFigures, cell: Cell, sides: Sequence[Side]) -> str:
    return ", ".join(f"{side.name} {figures.joined(cell, side.name).p50:.1f} ms" for side in sides)
