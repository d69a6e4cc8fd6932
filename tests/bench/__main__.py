"""`make bench`: measures, prints the tables, writes docs/benchmarks.md. About five minutes; ends by itself.

Exit code 1 if calls failed or the measurement broke; a goal not met is said, and is no failure.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from cordboard.errors import LabError
from tests.bench import report
from tests.bench.figures import Figures
from tests.bench.machine import this_machine
from tests.bench.measuring import measure_bursts, measure_memory
from tests.bench.report import Machine
from tests.bench.site import open_site

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
LONGEST_S = 360.0  # then something hangs


async def measure(rounds: int) -> tuple[Figures, Machine]:
    """Everything, on one Asterisk."""
    figures = Figures()
    began = time.monotonic()
    async with asyncio.timeout(LONGEST_S), open_site() as site:
        machine = await this_machine(site.pbx)
        await measure_bursts(site, figures, rounds)
        await measure_memory(site, figures, rounds=1)
    figures.took_s = time.monotonic() - began
    return figures, machine


def main(arguments: list[str]) -> int:
    """The command. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="how often each variant is measured at each rate")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the page is written")
    options = parser.parse_args(arguments)
    try:
        figures, machine = asyncio.run(measure(options.rounds))
    except (LabError, TimeoutError) as error:
        print(f"the measurement broke: {error or 'it took too long'}", file=sys.stderr)
        return 1
    text = report.page(figures, machine, datetime.now(UTC).date().isoformat(), "make bench")
    options.page.write_text(text)
    print("\n" + text.split("## Goals", 1)[1].replace("**", "").strip() + f"\n\nWritten to {options.page}")
    return 1 if figures.failures() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
