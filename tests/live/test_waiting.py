"""What callers live through in queues, with real calls: keys, places that are kept, overflow, announcements.

Every scenario has queues of its own (waiting_site), so they are played side by side on one test bed.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from agi_scripts.switch import AsteriskSwitch
from cordboard.lab.call import Call
from cordboard.lab.caller import Caller
from cordboard.lab.sip_phone import SipPhone
from cordboard.lab.stage import Stage
from tests.live.scenarios_of_site import play_all

pytestmark = [pytest.mark.live, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

SITE = Path(__file__).parent / "waiting_site"
SCENARIOS = sorted((SITE / "scenarios").glob("*.yaml"))
SOON_S = 20.0
SESSION = (("Supported", "timer"), ("Session-Expires", "90;refresher=uac"), ("Min-SE", "90"))
KEPT = "select state, kind from queue_entries where queue = 'timed'"
FREED_AFTER_S = (0.3, 2.0, 2.5, 3.0)  # of waiting: once there is music, then the message


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with Stage(SITE, workers=2) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def keys_told(stage: Stage) -> AsyncIterator[list[str]]:
    """The keys that Asterisk tells our manager user, of whatever call."""
    ami = stage.configuration.settings.asterisk.ami
    told: list[str] = []
    switch = AsteriskSwitch(ami.host, ami.port, ami.user, stage.configuration.ami_secret)
    switch.link.on_event("DTMFEnd", lambda _, event: told.append(str(event.digit)))
    await switch.connect()
    await switch.wait_connected(SOON_S)
    yield told
    await switch.aclose()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def results(stage: Stage, keys_told: list[str]) -> dict[str, tuple[str, ...]]:
    """Every scenario's faults, by name: all are played at once."""
    return await play_all(stage, SCENARIOS, 120)


@pytest.mark.parametrize("name", [file.stem for file in SCENARIOS])
async def test_scenario(results: dict[str, tuple[str, ...]], name: str) -> None:
    assert not results[name]


async def test_only_keys_of_callers_on_hold_with_keys_offered_are_told(
    results: dict[str, tuple[str, ...]], keys_told: list[str]
) -> None:
    """In all of the scenarios a secret number of four digits was entered, too."""
    assert results
    assert sorted(set(keys_told)) == ["1", "5", "9"]
    assert keys_told.count("1") == 1, "the one that steps out, not the one of the secret number"


async def test_each_way_out_is_in_the_ledger_once(stage: Stage, results: dict[str, tuple[str, ...]]) -> None:
    assert results
    left = rows(
        stage, "select queue, json_extract(data, '$.because') from ledger where kind in ('left_queue', 'refused')"
    )
    assert sorted(left) == [
        ("empty", "empty"),
        ("first", "overflow"),
        ("full", "abandoned"),
        ("full", "full"),
        ("keyed", "exit_key"),
        ("outside", "overflow"),
        ("second", "served"),
        ("steps", "abandoned"),
        ("steps", "served"),
    ]
    times = rows(stage, "select distinct entered_at from queue_entries where queue in ('first', 'second')")
    assert len(times) == 1, "who has gone on to another queue stands there by the time of the first"


async def test_the_service_logged_no_error_in_all_of_them(
    stage: Stage, results: dict[str, tuple[str, ...]]
) -> None:
    assert results
    assert not [entry for entry in stage.journal.entries if entry.get("level") in ("error", "critical")]


async def test_an_agent_who_becomes_free_waits_for_no_message_to_end(stage: Stage) -> None:
    extension = stage.configuration.plan.agents["lena"].device.removeprefix("PJSIP/")
    async with (
        SipPhone(extension, stage.pbx) as phone,
        stage.desk("lena") as desk,
        Caller(ani="+442079460310", name="Ada") as caller,
    ):
        call = await caller.dial("6207", (stage.pbx.host, stage.pbx.sip_port))
        await stage.wait_event("entered_queue", queue="long")
        await asyncio.sleep(2.5)  # in the middle of a message of more than ten seconds
        ready_at = time.monotonic()
        await desk.set_presence("available")
        await phone.incoming()
        rang_after_s = time.monotonic() - ready_at
        await phone.answer()
        await call.hang_up()
        await phone.closed()
    assert rang_after_s < 4.0
    assert rows(stage, "select count(*) from queue_entries where queue = 'long'") == [(1,)], "in the same place"


async def test_an_agent_who_hangs_up_is_joined_with_the_next_one_whatever_is_playing(stage: Stage) -> None:
    """By Asterisk's clock, from the end of one talk to the beginning of the next. The phone picks up at once."""
    extension = stage.configuration.plan.agents["lena"].device.removeprefix("PJSIP/")
    began = time.time()
    async with (
        SipPhone(extension, stage.pbx) as phone,
        stage.desk("lena") as desk,
        contextlib.AsyncExitStack() as callers,
    ):
        await desk.set_presence("available")
        talking = await waits(stage, callers, "+442079460320")
        await phone.answer()
        for number, after_s in enumerate(FREED_AFTER_S, 321):
            following = await waits(stage, callers, f"+442079460{number}")
            await asyncio.sleep(after_s)
            await talking.hang_up()
            await phone.answer()
            talking = following
        joined = await told(stage, "joined", began, len(FREED_AFTER_S) + 1)
    ended = await told(stage, "talk_ended", began, len(FREED_AFTER_S))
    took_s = sorted(begins - ends for ends, begins in zip(ended, joined[1:], strict=False))
    assert len(took_s) == len(FREED_AFTER_S)
    print(f"agent free to joined: median {statistics.median(took_s):.3f} s, longest {took_s[-1]:.3f} s")
    assert took_s[-1] < SOON_S / 4, "not after the message, which goes on for more than ten seconds"


@pytest.mark.soak  # no session can be shorter than 90 s, and Asterisk ends it 30 s before that
async def test_a_session_that_is_not_renewed_is_cut_off_and_not_hung_up(stage: Stage) -> None:
    """The queue takes cause 18 for a cut-off, and no other."""
    async with Caller(ani="+442079460308", name="Ida") as caller, asyncio.timeout(90):
        call = caller.place("6208", (stage.pbx.host, stage.pbx.sip_port), SESSION)
        end = await call.ended
        while rows(stage, KEPT) != [("away", "cut_off")]:
            await asyncio.sleep(0.05)
    assert end.by == "pbx" and end.at_s > 50


async def told(stage: Stage, kind: str, since: float, count: int) -> list[float]:
    """When so many of these things have happened to callers of the long message, once they have."""
    sql = f"select at from ledger where queue = 'long' and kind = '{kind}' and at > {since} order by at"
    async with asyncio.timeout(SOON_S):
        while len(rows(stage, sql)) < count:
            await asyncio.sleep(0.05)
    return [at for (at,) in rows(stage, sql)]


async def waits(stage: Stage, callers: contextlib.AsyncExitStack, ani: str) -> Call:
    """One more caller of the long message, who has a place."""
    caller = await callers.enter_async_context(Caller(ani=ani, name="Ada"))
    before = len(stage.journal.find("entered_queue", queue="long"))
    call = await caller.dial("6207", (stage.pbx.host, stage.pbx.sip_port))
    await stage.journal.wait_until(lambda: stage.journal.find("entered_queue", queue="long")[before:], SOON_S)
    return call


def rows(stage: Stage, sql: str) -> list[tuple[Any, ...]]:
    """What the service's database says."""
    database = stage.configuration.database
    assert isinstance(database, Path)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql).fetchall()
