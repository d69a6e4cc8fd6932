"""Workers die, hang and restart under live calls. What the caller hears is what counts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import statistics
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
import pytest_asyncio

from cordboard.lab.baresip import BaresipPhone
from cordboard.lab.hearing import Heard
from cordboard.lab.journal import Entry
from cordboard.lab.stage import SAFE_PROMPT, Stage
from tests.live.crash_kit import all_workers_ready, guest, holder, logged_with, strike

pytestmark = [pytest.mark.live, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

SITE = Path(__file__).parent / "site"
KILL, STOP = signal.SIGKILL, signal.SIGSTOP
BOTH = pytest.mark.parametrize("how", [KILL, STOP], ids=["killed", "stopped"])
ASKED = "6005"  # begins with the question, not with the story
KILLED_TIMES = 3
# A killed worker is noticed at once; a stopped one when the dead-man timer runs out: the verb's longest time + 2 s.
NOTICED_WITHIN_S = {KILL: 5.0, STOP: 14.0}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bed() -> AsyncIterator[Stage]:
    """One test bed for all tests here."""
    async with Stage(SITE, workers=2) as bed:
        yield bed


@pytest_asyncio.fixture(loop_scope="module")
async def stage(bed: Stage) -> AsyncIterator[Stage]:
    """The test bed, whole again after each test: both workers ready, no channel left, a journal of its own."""
    bed.journal.entries = [entry for entry in bed.journal.entries if entry["event"] == "worker_ready"]
    yield bed
    for pid in (bed.service.pid, *bed.worker_pids()):
        _wake(pid)
    await bed.journal.wait_until(lambda: [{}] if all_workers_ready(bed) else [], 30)
    await bed.pbx.wait_for_no_channels()


def _wake(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


async def test_a_prompt_is_begun_again_by_another_worker_when_one_hangs(stage: Stage) -> None:
    async with guest(stage) as caller:
        await caller.hears("story")
        strike(await holder(stage), STOP)
        await caller.hears("story", NOTICED_WITHIN_S[STOP], after=1)
        await caller.hears("question", 12)
    assert len(stage.journal.find("call_resumed", node="story", how="restarted")) == 1


async def test_a_killed_worker_costs_less_than_a_quarter_of_a_second(stage: Stage) -> None:
    """One call, whose worker is killed again and again: what it hears is begun again by the other one."""
    delays_s = []
    async with guest(stage) as caller:
        await caller.hears("story")
        for _ in range(KILLED_TIMES):
            delays_s.append(await _resumed_after_s(stage))
            await caller.hears("story", NOTICED_WITHIN_S[KILL], after=1)
            await stage.journal.wait_until(lambda: [{}] if all_workers_ready(stage) else [], 30)
        await caller.hears("question", 12)
    print(f"resumed after {[round(1000 * delay) for delay in delays_s]} ms")
    assert len(stage.journal.find("call_resumed", how="restarted")) == KILLED_TIMES
    assert statistics.median(delays_s) <= 0.25


async def _resumed_after_s(stage: Stage) -> float:
    """Kill the worker that has the call; how long it takes until the call has another one."""
    pid, before = await holder(stage), len(stage.journal.find("call_resumed"))
    began = time.monotonic()
    strike(pid, KILL)
    await stage.journal.wait_until(lambda: stage.journal.find("call_resumed")[before:], 10)
    return time.monotonic() - began


@BOTH
async def test_digits_are_asked_for_again(stage: Stage, how: signal.Signals) -> None:
    async with guest(stage, ASKED) as caller:
        await caller.hears("question", whole=True)
        await caller.call.press("1")
        strike(await holder(stage), how)
        await caller.hears("question", NOTICED_WITHIN_S[how], after=1)
        await caller.call.press("1234")
        await caller.hears("ringing", 5)


@BOTH
async def test_what_was_entered_before_is_not_lost_and_a_secret_is_asked_for_again(
    stage: Stage, how: signal.Signals
) -> None:
    async with BaresipPhone("1001", stage.pbx) as alice, guest(stage, ASKED) as caller:
        await caller.hears("question")
        await caller.call.press("9999")
        await caller.hears("pin")
        await caller.call.press("4711")
        await caller.hears("right_pin")
        strike(await holder(stage), how)
        await caller.hears("pin", NOTICED_WITHIN_S[how], after=1)
        await caller.call.press("4711")
        await caller.hears("ringing", 10)
        await alice.answer_after(0.1, timeout_s=10)
        await caller.hears_somebody()  # who hangs up before has not talked
        await alice.hang_up()
        await caller.hears("goodbye", whole=True)  # the branch behind the call saw account 9999
    assert not logged_with(stage, "4711")


@BOTH
async def test_a_phone_goes_on_ringing_with_one_worker_and_a_conversation_without_any(
    stage: Stage, how: signal.Signals
) -> None:
    async with BaresipPhone("1001", stage.pbx) as alice, guest(stage, ASKED) as caller:
        await _come_to_the_dial(caller)
        await alice.incoming()
        one, other = stage.worker_pids()
        strike(one, how)
        await asyncio.sleep(1.0)
        await alice.answer()
        began_s = caller.call.now_s
        await asyncio.sleep(1.0)
        strike(other, how)
        await asyncio.sleep(2.5)
        assert caller.longest_silence_s(began_s + 0.5, caller.call.now_s - 0.3) < 0.1
        for pid in (one, other):
            _wake(pid)
        await stage.journal.wait_until(lambda: [{}] if all_workers_ready(stage) else [], 30)
        await alice.hang_up()
        await caller.hears("goodbye", 8, whole=True)


@BOTH
async def test_without_any_worker_callers_reach_the_safe_destination(stage: Stage, how: signal.Signals) -> None:
    async with guest(stage) as caller:
        await caller.hears("story")
        os.kill(stage.service.pid, signal.SIGSTOP)  # so that nobody starts the workers again
        for pid in stage.worker_pids():
            strike(pid, how)
        # stopped: the story's timer, then each worker's three seconds; killed: the patience of 3 s
        await caller.hears(SAFE_PROMPT, 30)
        for pid in (stage.service.pid, *stage.worker_pids()):
            _wake(pid)
    await stage.journal.wait_until(lambda: [{}] if all_workers_ready(stage) else [], 20)
    async with guest(stage, host="127.0.0.3") as late:
        await late.hears("story", 20)


async def test_a_rolling_restart_cuts_no_call(stage: Stage) -> None:
    """A stream of calls; both workers are restarted by SIGTERM, one after the other, under it."""

    async def one_call(number: int) -> list[str]:
        await asyncio.sleep(number * 0.4)
        async with guest(stage, "6001", host=f"127.0.0.{2 + number % 14}", ani=f"+4420794601{number:02}") as caller:
            end = await asyncio.wait_for(caller.call.ended, 25)
            assert end.by == "pbx"
            return [event.prompts[0] for event in caller.listener.events if isinstance(event, Heard)]

    calls = [asyncio.create_task(one_call(number)) for number in range(28)]
    await asyncio.sleep(3)
    os.kill(stage.service.pid, signal.SIGUSR1)
    await stage.wait_event("service_rolled", 40)
    heard = await asyncio.gather(*calls)
    whole = [stage.book.resolve(name, "en") for name in ("one", "two", "three")]
    wrong = {number: parts for number, parts in enumerate(heard) if parts != whole}
    assert not wrong, f"not every caller heard every part once, in order, whole: {wrong}; {_told_of(stage, wrong)}"
    assert stage.journal.find("call_handed_over", result="drained"), "no call was there to be handed over"
    assert len(stage.journal.find("worker_stopped")) == 2


async def test_asterisk_killed_and_restarted(stage: Stage) -> None:
    async with guest(stage, ASKED) as caller:
        await _come_to_the_dial(caller)
        await stage.pbx.kill()
    connected = len(stage.journal.find("ami_connected"))
    await stage.pbx.restart()
    began = time.monotonic()
    await stage.journal.wait_until(lambda: stage.journal.find("ami_connected")[connected + 1 :], 5)
    async with guest(stage, host="127.0.0.3") as caller:
        await caller.hears("story", 5)
        assert time.monotonic() - began < 5
    await stage.journal.wait_until(lambda: stage.journal.find("reconciled", ghosts=1), 5)
    assert rows(stage) == 0, "the call that Asterisk lost is still in the books"


async def test_a_live_call_stays_in_the_books_when_the_manager_link_breaks(stage: Stage) -> None:
    async with guest(stage, ASKED) as caller:
        await _come_to_the_dial(caller)
        assert rows(stage) == 1
        for session in (await stage.pbx.command("manager show connected")).splitlines():
            if session.split()[:1] == ["cordboard"]:
                await stage.pbx.command(f"manager kick session {session.split()[4]}")
        await stage.wait_event("reconciled")
        assert rows(stage) == 1


def _told_of(stage: Stage, numbers: Iterable[int]) -> list[Entry]:
    """What the service said of these calls of the stream."""
    anis = {f"+4420794601{number:02}" for number in numbers}
    calls = {entry["call_id"] for entry in stage.journal.find("call_arrived") if entry["ani"] in anis}
    return [entry for entry in stage.journal.entries if entry.get("call_id") in calls]


def rows(stage: Stage) -> int:
    """How many calls the database holds."""
    with contextlib.closing(sqlite3.connect(stage.state / "cordboard.db")) as database:
        return int(database.execute("SELECT count(*) FROM flow_runs").fetchone()[0])


async def _come_to_the_dial(caller) -> None:  # type: ignore[no-untyped-def]
    await caller.hears("question")
    await caller.call.press("1234")
    await caller.hears("ringing")
