"""A flow that calls another one, on a real Asterisk: what is heard, what survives a worker, what is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cordboard.lab.stage import Stage
from tests.live.crash_kit import guest, holder, strike

pytestmark = [pytest.mark.live, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="module")]

SITE = Path(__file__).parent / "subflow_site"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage() -> AsyncIterator[Stage]:
    """One test bed with two workers."""
    async with Stage(SITE, workers=2) as stage:
        yield stage
        await stage.pbx.wait_for_no_channels()


async def test_a_call_comes_back_from_a_called_flow_although_its_worker_was_killed_there(stage: Stage) -> None:
    async with guest(stage, "6400") as caller:
        await caller.hears("confirm/which", whole=True)
        await caller.call.press("42")
        await caller.hears("confirm/sure", whole=True)
        strike(await holder(stage), signal.SIGKILL)
        await caller.hears("confirm/sure", after=1, whole=True)
        await caller.call.press("1")
        await caller.hears("thanks", whole=True)
        await caller.hears("story")
    # The caller has hung up in the middle of the story.
    await stage.wait_event("node_entered", flow="desk", node="left")
    await stage.wait_event("call_ended", result="hung_up")
    assert stage.journal.find("call_resumed", flow="confirm", node="sure", how="restarted")
    async with asyncio.timeout(5):
        while not tags(stage):
            await asyncio.sleep(0.05)  # notes are written together, a moment later
    assert tags(stage) == ["42"]


def tags(stage: Stage) -> list[str]:
    """The values of all tags in the ledger."""
    with contextlib.closing(sqlite3.connect(stage.state / "cordboard.db")) as database:
        rows = database.execute("select json_extract(data, '$.value') from ledger where kind = 'call_tagged'")
        return [row[0] for row in rows]
