"""Callers, queues and agents, all of them real: what callers hear, what desks show, what the ledger says.

Every scenario has a queue and an agent of its own (queue_site), so they are played side by side on one test bed.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from cordboard.lab.call import Call
from cordboard.lab.caller import Caller
from cordboard.lab.desk_client import DeskClient
from cordboard.lab.hearing import tone_share
from cordboard.lab.rtp import tone
from cordboard.lab.sip_phone import SipPhone
from cordboard.lab.stage import Stage
from cordboard.store.acd_reads import open_for_reading
from cordboard.store.queue_log_rows import all_log_lines
from tests.live.scenarios_of_site import play_all

pytestmark = [pytest.mark.live, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

SITE = Path(__file__).parent / "queue_site"
SCENARIOS = sorted((SITE / "scenarios").glob("*.yaml"))
AT_ONCE_S = 2.0  # some milliseconds, and what a busy machine adds; the phone would ring for 15 s
SOON_S = 6.0


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with Stage(SITE, workers=2) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def results(stage: Stage) -> dict[str, tuple[str, ...]]:
    """Every scenario's faults, by name: all are played at once."""
    return await play_all(stage, SCENARIOS, 150)


@pytest.mark.parametrize("name", [file.stem for file in SCENARIOS])
async def test_scenario(results: dict[str, tuple[str, ...]], name: str) -> None:
    assert not results[name]


async def test_the_service_logged_no_error_in_all_of_them(
    stage: Stage, results: dict[str, tuple[str, ...]]
) -> None:
    assert results
    errors = [entry for entry in stage.journal.entries if entry.get("level") in ("error", "critical")]
    assert not errors


async def test_the_queue_log_of_two_workers_is_that_of_the_ledger(
    stage: Stage, results: dict[str, tuple[str, ...]]
) -> None:
    assert results
    state = stage.configuration.state
    engine = open_for_reading(stage.configuration.database)
    with engine.connect() as connection:
        rebuilt = list(all_log_lines(connection, "last3"))
    engine.dispose()
    async with asyncio.timeout(10):
        while len(written := (state / "queue_log").read_text().splitlines()) < len(rebuilt):
            await asyncio.sleep(0.1)
    assert written[: len(rebuilt)] == rebuilt
    events = {line.split("|")[4] for line in rebuilt}
    assert {"ADDMEMBER", "ENTERQUEUE", "CONNECT", "RINGNOANSWER", "ABANDON", "EXITWITHTIMEOUT"} <= events
    assert events & {"COMPLETECALLER", "COMPLETEAGENT"}


# -- one agent, one caller, and what a scenario cannot say --


@contextlib.asynccontextmanager
async def agent_at(stage: Stage, name: str) -> AsyncIterator[tuple[SipPhone, DeskClient]]:
    """An agent who is ready, with a phone of the lab's."""
    extension = stage.configuration.plan.agents[name].device.removeprefix("PJSIP/")
    async with SipPhone(extension, stage.pbx) as phone, stage.desk(name) as desk:
        await desk.set_presence("available")
        yield phone, desk


@contextlib.asynccontextmanager
async def caller_of(stage: Stage, number: str, ani: str = "+442079460123") -> AsyncIterator[Call]:
    """A caller who has dialled."""
    async with Caller(ani=ani, name="Ada") as caller:
        call = await caller.dial(number, (stage.pbx.host, stage.pbx.sip_port))
        yield call
        if call.end is None:
            await call.hang_up()


def rows(stage: Stage, sql: str) -> list[tuple[Any, ...]]:
    """What the service's database says."""
    with contextlib.closing(sqlite3.connect(stage.configuration.database)) as connection:
        return connection.execute(sql).fetchall()


async def becomes(stage: Stage, sql: str, wanted: list[tuple[Any, ...]], within_s: float = SOON_S) -> float:
    """Wait until the database says so; seconds it took."""
    began = time.monotonic()
    while (found := rows(stage, sql)) != wanted:
        assert time.monotonic() - began < within_s, f"{found} and not {wanted}"
        await asyncio.sleep(0.01)
    return time.monotonic() - began


async def hears(call: Call, frequency_hz: float) -> None:
    """Wait for half a second of a tone."""
    arrived, share = asyncio.Event(), 0.0
    call.media.on_audio = arrived.set
    try:
        async with asyncio.timeout(SOON_S):
            while share < 0.9:
                arrived.clear()
                await arrived.wait()
                share = tone_share(call.heard.samples(max(0.0, call.heard.end_s - 0.5)), frequency_hz)
    except TimeoutError:
        heard = f"heard until {call.heard.end_s:.1f} of {call.now_s:.1f} s, share {share:.2f}, end {call.end}"
        raise AssertionError(f"no tone of {frequency_hz} Hz: {heard}") from None


def activity(agent: str) -> str:
    return f"select activity from agent_states where agent = '{agent}'"


def last_end(agent: str) -> str:
    return f"select end from offers where agent = '{agent}' order by made_at desc limit 1"


async def test_who_leaves_while_it_rings_stops_the_phone_at_once(stage: Stage) -> None:
    async with agent_at(stage, "lea") as (phone, _):
        async with caller_of(stage, "6107") as call:
            await phone.incoming()
            left_at = time.monotonic()
            await call.hang_up()
            ended = await phone.closed()
        assert ended.closed_at is not None and ended.closed_at - left_at < AT_ONCE_S
        await becomes(stage, last_end("lea"), [("caller_left",)])
        await becomes(stage, activity("lea"), [("idle",)])


async def test_who_leaves_during_the_whisper_stops_the_phone_at_once(stage: Stage) -> None:
    async with agent_at(stage, "lea") as (phone, _):
        async with caller_of(stage, "6107") as call:
            await phone.incoming()
            await phone.answer()
            await becomes(
                stage, "select state from offers where agent = 'lea' and state = 'answered'", [("answered",)]
            )
            await asyncio.sleep(0.5)  # in the middle of the whisper
            left_at = time.monotonic()
            await call.hang_up()
            ended = await phone.closed()
        assert ended.closed_at is not None and ended.closed_at - left_at < AT_ONCE_S
        await becomes(stage, last_end("lea"), [("caller_left",)])
        await becomes(stage, activity("lea"), [("idle",)])
    left = "select left_because from queue_entries where queue = 'leaves' order by entered_at desc limit 1"
    await becomes(stage, left, [("abandoned",)])


async def test_a_blind_transfer_ends_the_talk_for_the_agent_and_not_for_the_caller(stage: Stage) -> None:
    async with agent_at(stage, "tara") as (phone, _), SipPhone("1007", stage.pbx) as colleague:
        async with caller_of(stage, "6106") as call:
            await phone.incoming()
            await phone.answer()
            phone.speak(tone(700, 0.5))
            await hears(call, 700)
            assert await phone.transfer_blind("1007") in (200, 202)
            await colleague.incoming()
            await becomes(stage, activity("tara"), [("idle",)])
            await colleague.answer()
            colleague.speak(tone(900, 0.5))
            await hears(call, 900)
        await colleague.closed()
    await becomes(stage, last_end("tara"), [("served",)])
    await stage.pbx.wait_for_no_channels()
    await becomes(stage, "select count(*) from queue_entries where queue = 'transfers' and state != 'left'", [(0,)])


async def test_an_attended_transfer_frees_the_agent_for_the_next_caller(stage: Stage) -> None:
    async with (
        agent_at(stage, "tara") as (phone, _),
        SipPhone("1007", stage.pbx) as colleague,
        caller_of(stage, "6106") as call,
        caller_of(stage, "6106", "+442079460155") as other,
    ):
        await phone.incoming()
        await phone.answer()
        phone.speak(tone(700, 0.5))
        await hears(call, 700)
        asking = asyncio.create_task(phone.consult("1007"))
        await colleague.incoming()
        await colleague.answer()
        await asking
        assert await phone.transfer_attended() in (200, 202)
        await phone.incoming()  # the other caller, while the first one still talks
        assert call.end is None and colleague.leg.end is None
        await phone.answer()
        phone.speak(tone(700, 0.5))
        await hears(other, 700)
        assert call.end is None and colleague.leg.end is None
    await stage.pbx.wait_for_no_channels()
    await becomes(stage, activity("tara"), [("idle",)])


async def test_an_agent_in_a_direct_call_gets_no_offer(stage: Stage) -> None:
    async with agent_at(stage, "tara") as (phone, desk), SipPhone("1007", stage.pbx) as colleague:
        await colleague.dial("1005")
        await phone.incoming()
        await phone.answer()
        await desk.shows(lambda page: page["me"]["activity"] == "busy_elsewhere")
        before = rows(stage, "select count(*) from offers where agent = 'tara'")
        async with caller_of(stage, "6106"):
            await becomes(
                stage, "select count(*) from queue_entries where queue = 'transfers' and state = 'waiting'", [(1,)]
            )
            await asyncio.sleep(1.5)  # more than one look
            assert rows(stage, "select count(*) from offers where agent = 'tara'") == before
            await colleague.hang_up()
            await phone.incoming()
            assert rows(stage, "select count(*) from offers where agent = 'tara'") == [(before[0][0] + 1,)]
            await phone.answer()
            await becomes(stage, activity("tara"), [("talking",)])


async def test_a_phone_that_is_not_registered_is_a_cause_of_its_own_and_then_no_offer_is_made(stage: Stage) -> None:
    async with stage.desk("nora") as desk:
        await desk.set_presence("available")
        async with caller_of(stage, "6109"):
            await becomes(
                stage, "select count(*) > 1 from offers where agent = 'nora' and end = 'unregistered'", [(1,)]
            )
            assert {
                row[0] for row in rows(stage, "select end from offers where agent = 'nora' and end is not null")
            } == {"unregistered"}
    async with agent_at(stage, "lea") as (phone, desk):
        await phone.unregister()
        await desk.shows(lambda page: page["me"]["activity"] == "unreachable")
        before = rows(stage, "select count(*) from offers where agent = 'lea'")
        async with caller_of(stage, "6107"):
            await becomes(
                stage, "select count(*) from queue_entries where queue = 'leaves' and state = 'waiting'", [(1,)]
            )
            await asyncio.sleep(1.2)
            assert rows(stage, "select count(*) from offers where agent = 'lea'") == before
