"""What waiting callers are told of their wait, on a real floor with a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from cordboard.store.acd_values import Entering
from cordboard.store.moments import now
from tests.doubles.acd_kit import Machine, Process, arrival, machine, note


async def waiting(process: Process, call_id: str) -> None:
    """A caller enters the queue."""
    call = arrival(call_id).call
    entering = Entering(call.call_id, call.leg_id, "asterisk", "sales", "en", 0, now().wall, process.floor.name)
    await process.floor.enter(entering, note(call))


async def eventually(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.05)


def told(here: Machine) -> list[tuple[float | None, float | None]]:
    return here.rows("SELECT estimate_s, told_s FROM queue_entries WHERE state = 'waiting' ORDER BY entered_at")  # type: ignore[return-value]


async def test_a_waiting_caller_is_told_a_time_and_never_a_longer_one(tmp_path: Path) -> None:
    async with machine(tmp_path) as here:
        process = here.start("w1")
        await here.observe(process)
        await here.ready(process, "alice")
        for call_id in ("first", "second", "third"):
            await waiting(process, call_id)
        told_s = [await process.floor.estimated_wait("third") for _ in range(8)]
        assert told_s[0] is not None and told_s[0] > 30
        assert told_s == sorted(told_s, reverse=True)  # type: ignore[type-var]
        assert (await process.floor.estimated_wait("second") or 0) < told_s[0]
        assert told(here)[-1][1] == told_s[-1]


async def test_nothing_is_told_while_nobody_is_at_work_nor_to_who_does_not_wait(tmp_path: Path) -> None:
    async with machine(tmp_path) as here:
        process = here.start("w1")
        await here.observe(process)
        await waiting(process, "first")
        assert await process.floor.estimated_wait("first") is None
        assert await process.floor.estimated_wait("nobody") is None


async def test_who_waits_gets_an_estimate_in_the_ledger_without_asking(tmp_path: Path) -> None:
    async with machine(tmp_path) as here:
        process = here.start("w1")
        await here.observe(process)
        await here.ready(process, "alice")
        for call_id in ("first", "second", "third"):
            await waiting(process, call_id)
        process.floor.look()
        await eventually(lambda: len(here.rows("SELECT seq FROM ledger WHERE kind = 'wait_estimated'")) == 2)
        assert [(estimate_s is not None, told_s) for estimate_s, told_s in told(here)] == [(True, None)] * 2
