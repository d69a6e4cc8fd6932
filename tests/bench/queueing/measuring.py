"""The whole measurement of queues, once."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.machine import this_machine
from tests.bench.queueing.configuration import QUEUES, queues_up_to
from tests.bench.queueing.figures import QueueFigures
from tests.bench.queueing.holding import measure_holding
from tests.bench.queueing.pops import measure_pops
from tests.bench.queueing.sampling import cells_of, measure_joins
from tests.bench.queueing.sides import open_sides
from tests.bench.queueing.stage import open_site
from tests.bench.report import Machine


@dataclass(frozen=True, slots=True)
class Sizes:
    """What is measured. agents: of queues, each of `QUEUES`' sizes; waiting: callers; held: for CPU, 0 for none."""

    agents: Sequence[int] = tuple(QUEUES.values())
    waiting: Sequence[int] = (1, 50, 500)
    held: int = 500


async def measure_queues(samples: int, sizes: Sizes) -> tuple[QueueFigures, Machine]:
    """On one Asterisk. About fifteen minutes with all sizes. Raises LabError."""
    began = time.monotonic()
    figures = QueueFigures(load=os.getloadavg()[0])
    async with open_site(queues_up_to(max(sizes.agents))) as site:
        machine = await this_machine(site.pbx)
        async with open_sides(site) as sides:
            await measure_joins(site, sides, figures, cells_of(sizes.agents, sizes.waiting), samples)
            if sizes.held:
                await measure_holding(site, figures, sizes.held)
        await measure_pops(site, figures)
    figures.took_s = time.monotonic() - began
    return figures, machine
