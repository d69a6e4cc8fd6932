"""The whole measurement of queues, once."""

from __future__ import annotations

import os
import time

from tests.bench.machine import this_machine
from tests.bench.queueing.figures import QueueFigures
from tests.bench.queueing.pops import measure_pops
from tests.bench.queueing.sampling import measure_joins
from tests.bench.queueing.sides import open_sides
from tests.bench.queueing.stage import open_site
from tests.bench.report import Machine


async def measure_queues(samples: int) -> tuple[QueueFigures, Machine]:
    """On one Asterisk. About three minutes. Raises LabError."""
    began = time.monotonic()
    figures = QueueFigures(load=os.getloadavg()[0])
    async with open_site() as site:
        machine = await this_machine(site.pbx)
        async with open_sides(site) as sides:
            await measure_joins(site, sides, figures, samples)
        await measure_pops(site, figures)
    figures.took_s = time.monotonic() - began
    return figures, machine
