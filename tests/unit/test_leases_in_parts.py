"""A worker that holds many callers renews their leases in parts: an offer waits for one part at most."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Connection

from cordboard.service import floor
from cordboard.store import acd_entering
from cordboard.store.acd_values import Entering
from cordboard.store.moments import now
from cordboard.store.turn import Turn
from tests.doubles.acd_kit import Machine, Process, machine

PART = 10
CALLS = [f"call-{number:04}" for number in range(2 * PART + 5)]


async def test_all_are_renewed_and_never_more_than_a_part_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floor, "RENEWED_AT_ONCE", PART)
    async with machine(tmp_path) as made:
        worker = made.start("w1")
        await _enter_all(worker)
        leases_then = _leases(made)
        worker.floor.waiting_here = lambda: CALLS
        async with asyncio.timeout(30.0):
            while not set(_leases(made)).isdisjoint(leases_then):
                await asyncio.sleep(0.1)
        assert max(_leases(made).values()) <= PART
        assert sum(_leases(made).values()) == len(CALLS)


async def _enter_all(worker: Process) -> None:
    def work(connection: Connection) -> None:
        moment = now()
        turn = Turn(connection, moment, worker.floor.plan)
        for call_id in CALLS:
            acd_entering.enter(
                turn,
                Entering(
                    call_id=call_id,
                    leg_id=f"leg-{call_id}",
                    switch="asterisk",
                    queue="sales",
                    language="en",
                    priority=0,
                    entered_at=moment.wall,
                    owner=worker.floor.name,
                ),
            )
        turn.finish()

    await worker.thread.ask(work, 20.0)


def _leases(made: Machine) -> Counter[float]:
    """How many callers have a lease until then."""
    return Counter(until for (until,) in made.rows("SELECT lease_until FROM queue_entries WHERE state = 'waiting'"))
