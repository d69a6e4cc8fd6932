"""For a long time: twenty callers at once on FreeSWITCH, and every few seconds a worker is killed or stopped.

CORDBOARD_SOAK_MINUTES says how long (60 by default). The figures are printed at the end.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cordboard.lab.hearing import Began
from cordboard.lab.stage import Stage
from cordboard.store.reader import StoreReader
from tests.live.crash_kit import guest, strike
from tests.live.freeswitch_crash_kit import CLOCKS_S, QUICK, crash_stage
from tests.live.freeswitch_kit import why_none
from tests.live.queue_crash_kit import Books, Seat, line, made_whole, seats
from tests.live.queue_crash_laws import check_books

pytestmark = [pytest.mark.live, pytest.mark.soak, pytest.mark.timeout(0)]

MINUTES = float(os.environ.get("CORDBOARD_SOAK_MINUTES", "60"))
QUICK_CALLERS, WAITING_CALLERS = 14, 6
STRIKE_EVERY_S = 6.0
STOPPED_FOR_S = 14.0  # longer than the timer of a caller who waits: it wakes up when others have its calls
CALL_S = 90.0
TALK_S = 1.5


@dataclass
class Tally:
    """What came of the calls."""

    calls: int = 0
    talks: int = 0
    strikes: int = 0
    first_prompt_s: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


async def quick_calls(stage: Stage, number: int, tally: Tally, until: float) -> None:
    """One caller after the other who stays to the end and hears every part at least once, in order."""
    while time.monotonic() < until:
        tally.calls += 1
        call, began = tally.calls, time.strftime("%X")
        try:
            host, ani = f"127.0.0.{2 + number}", f"+44207{call:07}"
            async with guest(stage, QUICK, host=host, ani=ani, deadline_s=20) as caller:
                tally.first_prompt_s.append(await caller.hears("one", 20))
                await caller.hears("three", CALL_S, whole=True)
                end = await asyncio.wait_for(caller.call.ended, CALL_S)
                assert end.by == "pbx", "the caller was not hung up by the flow"
                assert not caller.events(Began, "quick/oops"), "a variable was lost"
        except Exception as fault:  # every fault is counted and shown at the end
            tally.faults.append(f"quick call {call}, {began}: {type(fault).__name__}: {fault}")


async def queued_calls(stage: Stage, tally: Tally, until: float) -> None:
    """One caller after the other who waits for an agent, talks, and is said goodbye to."""
    while time.monotonic() < until:
        tally.calls += 1
        call, began = tally.calls, time.strftime("%X")
        try:
            async with line(stage, "talks") as caller:
                caller.listen()
                await caller.hears("served", CALL_S)
                await caller.hung_up(20)
        except Exception as fault:
            tally.faults.append(f"queued call {call}, {began}: {type(fault).__name__}: {fault}")


async def agent(seat: Seat, tally: Tally, until: float) -> None:
    """Takes every call, and ends it after a moment."""
    await seat.ready()
    while time.monotonic() < until + CALL_S:
        try:
            await seat.rings(CALL_S)
            await seat.phone.answer()
            await asyncio.sleep(TALK_S)
            await seat.hang_up()
            tally.talks += 1
        except Exception:  # the caller's test tells whether that was wrong
            await asyncio.sleep(0.1)


async def strike_workers(stage: Stage, tally: Tally, until: float) -> None:
    """Every so often a worker is killed or, if none is at the time, stopped for a while: one always serves."""
    loop = asyncio.get_running_loop()
    stopped, stopped_until = 0, 0.0
    while time.monotonic() + STRIKE_EVERY_S < until:
        await asyncio.sleep(STRIKE_EVERY_S)
        is_one_stopped = time.monotonic() < stopped_until
        serving = [pid for pid in serving_pids(stage) if not (is_one_stopped and pid == stopped)]
        if len(serving) < 2:
            continue
        pid = random.choice(serving)
        tally.strikes += 1
        if is_one_stopped or random.random() < 0.5:
            strike(pid, signal.SIGKILL)
            continue
        strike(pid, signal.SIGSTOP)
        stopped, stopped_until = pid, time.monotonic() + STOPPED_FOR_S
        loop.call_later(STOPPED_FOR_S, strike, pid, signal.SIGCONT)


def serving_pids(stage: Stage) -> list[int]:
    """The workers that live and are ready: a new one takes many seconds on a machine with much to do."""
    latest = {}
    for entry in stage.journal.entries:
        if entry["event"] in ("worker_ready", "worker_ended"):
            latest[entry["worker"]] = entry
    return [int(entry["pid"]) for entry in latest.values() if entry["event"] == "worker_ready"]


async def test_calls_outlive_their_workers_for_a_long_time(tmp_path: Path) -> None:
    if reason := why_none():
        pytest.skip(reason)
    tally = Tally()
    async with crash_stage(tmp_path, workers=3) as (stage, _), AsyncExitStack() as stack:
        reader = StoreReader(stage.configuration.database)
        stack.callback(reader.close)
        (tom,) = await stack.enter_async_context(seats(stage, "tom"))
        until = time.monotonic() + MINUTES * 60
        serving = asyncio.create_task(agent(tom, tally, until))
        async with asyncio.TaskGroup() as group:
            group.create_task(strike_workers(stage, tally, until))
            for number in range(QUICK_CALLERS):
                group.create_task(quick_calls(stage, number, tally, until))
            for _ in range(WAITING_CALLERS):
                group.create_task(queued_calls(stage, tally, until))
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        show(tally)
        await made_whole(stage)
        await check_books(Books(stage), reader, stage.configuration.plan, answers_may_miss=True, clocks_s=CLOCKS_S)
        assert not await stage.pbx.live_channels()
    assert not tally.faults, "\n".join(tally.faults[:20])


def show(tally: Tally) -> None:
    waits = sorted(tally.first_prompt_s)
    print(
        f"\n{MINUTES:g} minutes: {tally.calls} calls, {tally.talks} talks, "
        f"{tally.strikes} workers killed or stopped, {len(tally.faults)} faults; "
        f"first prompt p50 {waits[len(waits) // 2]:.2f} s, p99 {waits[int(len(waits) * 0.99)]:.2f} s, "
        f"worst {waits[-1]:.2f} s",
        *tally.faults[:20],
        sep="\n",
    )
