"""For a long time: calls without end, and every 20 seconds a worker is killed or stopped. `make soak` runs it.

CORDBOARD_SOAK_MINUTES says how long (60 by default). The figures are printed at the end.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cordboard.lab.hearing import Began
from cordboard.lab.stage import Stage
from tests.live.crash_kit import guest, strike

pytestmark = [pytest.mark.live, pytest.mark.soak, pytest.mark.timeout(0)]

SITE = Path(__file__).parent / "site"
MINUTES = float(os.environ.get("CORDBOARD_SOAK_MINUTES", "60"))
CALLS_PER_S = 1.0
STRIKE_EVERY_S = 20.0
STOPPED_FOR_S = 8.0
PROMPT_WITHIN_S = 4.5  # a call that meets a stopped worker first pays three seconds
CALL_S = 40.0


@dataclass
class Tally:
    """What came of the calls."""

    calls: int = 0
    strikes: int = 0
    first_prompt_s: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


async def one_call(stage: Stage, number: int, tally: Tally) -> None:
    """A caller who stays to the end and hears every part of the call at least once, in order."""
    tally.calls += 1
    try:
        async with guest(stage, "6001", host=f"127.0.0.{2 + number % 14}", ani=f"+44207{number:07}") as caller:
            tally.first_prompt_s.append(await caller.hears("one", PROMPT_WITHIN_S))
            await caller.hears("three", CALL_S, whole=True)
            end = await asyncio.wait_for(caller.call.ended, CALL_S)
            assert end.by == "pbx", "the caller was not hung up by the flow"
            assert not caller.events(Began, "quick/oops"), "a variable was lost"
    except Exception as fault:  # every fault is counted and shown at the end
        tally.faults.append(f"call {number}: {type(fault).__name__}: {fault}")


async def strike_workers(stage: Stage, tally: Tally, until: float) -> None:
    """Every so often, one worker at random is killed, or stopped for a while."""
    while time.monotonic() < until:
        await asyncio.sleep(STRIKE_EVERY_S)
        pid = random.choice(stage.worker_pids())
        tally.strikes += 1
        if random.random() < 0.5:
            strike(pid, signal.SIGKILL)
        else:
            strike(pid, signal.SIGSTOP)
            asyncio.get_running_loop().call_later(STOPPED_FOR_S, strike, pid, signal.SIGCONT)


async def test_calls_outlive_their_workers_for_a_long_time() -> None:
    tally = Tally()
    async with Stage(SITE, workers=3) as stage:
        until = time.monotonic() + MINUTES * 60
        memory_before_kb = _memory_kb(stage.service.pid)
        async with asyncio.TaskGroup() as group:
            group.create_task(strike_workers(stage, tally, until))
            number = 0
            while time.monotonic() < until:
                group.create_task(one_call(stage, number, tally))
                number += 1
                stage.journal.entries[:-5000] = [
                    entry for entry in stage.journal.entries[:-5000] if entry["event"] == "worker_ready"
                ]
                await asyncio.sleep(1 / CALLS_PER_S)
        await stage.pbx.wait_for_no_channels(10)
        grown_kb = _memory_kb(stage.service.pid) - memory_before_kb
    waits = sorted(tally.first_prompt_s)
    print(
        f"\n{MINUTES:g} minutes: {tally.calls} calls, {tally.strikes} workers killed or stopped, "
        f"{len(tally.faults)} faults; first prompt p50 {waits[len(waits) // 2]:.2f} s, "
        f"p99 {waits[int(len(waits) * 0.99)]:.2f} s, worst {waits[-1]:.2f} s; "
        f"the supervisor grew by {grown_kb} kB"
    )
    assert not tally.faults, "\n".join(tally.faults[:20])


def _memory_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("the supervisor is gone")
