"""`make bench`: measures, prints the goals, writes docs/benchmarks.md. About half an hour; ends by itself.

Exit code 1 if calls failed or the measurement broke; a goal not met is said, and is no failure.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from cordboard.errors import LabError
from tests.bench import report
from tests.bench.estimates.measuring import measure_estimates
from tests.bench.estimates.report import estimate_page
from tests.bench.figures import Figures
from tests.bench.flows.measuring import measure_flows
from tests.bench.flows.report import flow_page
from tests.bench.freeswitch.figures import FreeswitchFigures
from tests.bench.freeswitch.measuring import measure_freeswitch
from tests.bench.freeswitch.report import freeswitch_page
from tests.bench.machine import bare_machine, freeswitch_machine, store_machine, this_machine
from tests.bench.measuring import measure_bursts, measure_memory
from tests.bench.pages import PARTS, goals_of, joined, parts_of
from tests.bench.queueing.figures import QueueFigures
from tests.bench.queueing.measuring import Sizes, measure_queues
from tests.bench.queueing.report import queue_page
from tests.bench.report import Machine
from tests.bench.site import open_site
from tests.bench.stores.measuring import measure_stores
from tests.bench.stores.report import store_page

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
LONGEST_S = 360.0  # then something hangs
QUEUES_S = 2_400.0  # the same, for all sizes of queues
FREESWITCH_S = 1_200.0  # six minutes on a quiet machine
COMMAND = "make bench"
ESTIMATE_SEEDS = 2  # the same days each time; half a minute each


async def measure(rounds: int) -> tuple[Figures, Machine]:
    """The IVRs, on one Asterisk."""
    figures = Figures()
    began = time.monotonic()
    async with asyncio.timeout(LONGEST_S), open_site() as site:
        machine = await this_machine(site.pbx)
        await measure_bursts(site, figures, rounds)
        await measure_memory(site, figures, rounds=1)
    figures.took_s = time.monotonic() - began
    return figures, machine


async def measure_queueing(samples: int, sizes: Sizes) -> tuple[QueueFigures, Machine]:
    """The queues, on one Asterisk."""
    async with asyncio.timeout(QUEUES_S):
        return await measure_queues(samples, sizes)


async def measure_switch(rounds: int, samples: int, sizes: Sizes) -> FreeswitchFigures:
    """Event sockets and queues, on one FreeSWITCH after the other."""
    async with asyncio.timeout(FREESWITCH_S):
        return await measure_freeswitch(rounds, samples, [count for count in sizes.waiting if count <= 50])


def main(arguments: list[str]) -> int:
    """The command. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="how often each IVR is measured at each rate")
    parser.add_argument("--samples", type=int, default=20, help="how often an agent is freed in each cell")
    sizes = Sizes()
    parser.add_argument("--agents", type=int, nargs="+", choices=sizes.agents, default=sizes.agents)
    parser.add_argument("--waiting", type=int, nargs="+", default=sizes.waiting, help="how many callers wait")
    parser.add_argument("--held", type=int, default=sizes.held, help="callers held to see what CPU that takes")
    parser.add_argument("--offers", type=int, default=500, help="how many offers of each way a store is asked for")
    parser.add_argument("--only", choices=PARTS, help="measure this part, leave the others as they are")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the page is written")
    options = parser.parse_args(arguments)
    sizes = Sizes(options.agents, options.waiting, options.held)
    parts = parts_of(options.page.read_text() if options.page.exists() else "")
    date = datetime.now(UTC).date().isoformat()
    has_failed = False
    try:
        if options.only in (None, "ivr"):
            figures, machine = asyncio.run(measure(options.rounds))
            parts["ivr"] = report.page(figures, machine, date, COMMAND)
            has_failed = bool(figures.failures())
        if options.only in (None, "queues"):
            parts["queues"] = queue_page(*uvloop.run(measure_queueing(options.samples, sizes)), date, COMMAND)
        if options.only in (None, "freeswitch"):
            found = uvloop.run(measure_switch(options.rounds, options.samples, sizes))
            parts["freeswitch"] = freeswitch_page(found, freeswitch_machine(found.switch), date, COMMAND)
            has_failed = has_failed or found.is_broken()
        if options.only in (None, "stores"):
            stores = uvloop.run(measure_stores(options.offers))
            parts["stores"] = store_page(stores, store_machine(), date, COMMAND)
        if options.only in (None, "flows"):
            parts["flows"] = flow_page(measure_flows(options.rounds), bare_machine(), date, COMMAND)
        if options.only in (None, "estimates"):
            estimates = measure_estimates(ESTIMATE_SEEDS)
            parts["estimates"] = estimate_page(estimates, bare_machine(), date, COMMAND)
    except (LabError, TimeoutError) as error:
        print(f"the measurement broke: {error or 'it took too long'}", file=sys.stderr)
        return 1
    options.page.write_text(joined(parts))
    measured = [options.only] if options.only else PARTS
    print("\n\n".join(goals_of(parts[part]) for part in measured) + f"\n\nWritten to {options.page}")
    return 1 if has_failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
