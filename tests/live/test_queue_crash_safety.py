"""Workers and the desk are killed, stopped, and lose their database under queued calls in every state.

What people hear comes first: nobody is cut off, music and talks go on. Then what is written: places are kept, no
agent has two offers, and the ledger tells everything once, with the times at which it happened.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import pytest_asyncio

from cordboard.lab.stage import Stage
from cordboard.store.reader import StoreReader
from tests.live.crash_kit import strike
from tests.live.queue_crash_kit import (
    GAP_S,
    SOON_S,
    Books,
    Line,
    Seat,
    desk_pid,
    line,
    locked,
    made_whole,
    observer,
    other,
    seats,
    unwritable,
    waiters,
    wall,
    worker_pid,
)
from tests.live.queue_crash_laws import check_books

pytestmark = [pytest.mark.live, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

SITE = Path(__file__).parent / "queue_crash_site"
TOLD_S = 0.1  # between what a phone knows and what Asterisk tells, on a machine with much to do
TALK_GAP_S = 0.4  # the tones are made here, by a process that has much else to do; a call that is cut has no more
TAKEN_OVER_S = 5.0  # an observer's lease is over, and another one has looked


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bed() -> AsyncIterator[Stage]:
    """One test bed for all tests here."""
    async with Stage(SITE, workers=2) as bed:
        yield bed


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def reader(bed: Stage) -> AsyncIterator[StoreReader]:
    """What a desk has open all the time."""
    reader = StoreReader(bed.configuration.database)
    yield reader
    reader.close()


@pytest_asyncio.fixture(loop_scope="module")
async def stage(bed: Stage, reader: StoreReader) -> AsyncIterator[Stage]:
    """The test bed, whole again after each test, and its books in order."""
    yield bed
    await made_whole(bed)
    await check_books(Books(bed), reader, bed.configuration.plan)
    lost = [entry for entry in bed.journal.entries if entry["event"] in ("fact_lost", "fact_refused", "facts_left")]
    assert not lost


async def test_an_agent_hangs_up_while_no_worker_lives(stage: Stage) -> None:
    books = Books(stage)
    async with seats(stage, "tom") as (tom,), line(stage, "talks") as caller:
        await tom.ready()
        await pick_up(tom, caller)
        for pid in stage.worker_pids():
            strike(pid, signal.SIGKILL)
        hung_up_at = await tom.hang_up()
        ended_at = await books.told(caller, "talk_ended", 30)
        await caller.hung_up(10)
        # The dialplan tells when it was, if it is the first to tell: if a worker is back within its patience of 3 s
        # and takes the call before the new observer misses the leg. Else the leg tells, when it is missed.
        assert hung_up_at - TOLD_S <= ended_at <= hung_up_at + 10.0
        assert await books.told(caller, "wrap_up_ended", 6) >= ended_at + 2 - TOLD_S


@pytest.mark.parametrize("role", ["observer", "other"])
async def test_a_killed_worker_costs_nobody_a_place_an_offer_or_a_talk(stage: Stage, role: str) -> None:
    books = Books(stage)
    victim = observer(stage) if role == "observer" else other(observer(stage))
    names = ("wendy", "rita", "will", "tom", "lea")
    async with seats(stage, *names) as (wendy, rita, will, tom, lea), contextlib.AsyncExitStack() as stack:
        await asyncio.gather(*(seat.ready() for seat in (rita, will, tom, lea)))
        queues = ("rings", "whispers", "talks", "leaves")
        rung, whispered, talking, leaving = [await stack.enter_async_context(line(stage, one)) for one in queues]
        waiting = await waiters(stage, books, stack)
        await asyncio.gather(rita.rings(), lea.rings(), pick_up(tom, talking), answer(will, whispered, books))
        talking.listen()
        places = [place(books, caller) for caller in waiting]
        heard_s = [caller.call.now_s for caller in (*waiting, rung, whispered, talking)]
        struck_at = time.monotonic()

        strike(worker_pid(stage, victim), signal.SIGKILL)
        await leaving.call.hang_up()
        left_at = time.monotonic()
        await lea.phone.closed()
        assert lea.phone.call.closed_at - left_at < 0.3
        await asyncio.sleep(1.0)
        assert talking.gap_s(heard_s[-1]) < TALK_GAP_S and tom.gap_s(struck_at) < TALK_GAP_S
        hung_up_at = await tom.hang_up()
        await talking.hears("served", within_s=6)
        await will.phone.press("1")
        await asyncio.gather(will.talks(whispered), pick_up(rita, rung, key="1"))
        await talking.hung_up()

        assert [place(books, caller) for caller in waiting] == places
        await wendy.ready()
        for caller in waiting:
            assert await wendy.rings(TAKEN_OVER_S + SOON_S) == caller.ani
            await wendy.phone.answer()
            await wendy.talks(caller)
            await wendy.hang_up()
            await caller.hung_up()
        for caller, since_s in zip(waiting, heard_s, strict=False):
            joined_s = await books.told(caller, "joined") - caller.dialled_at
            assert caller.gap_s(since_s, joined_s) < GAP_S
        await asyncio.gather(rita.hang_up(), will.hang_up())
        await asyncio.gather(rung.hung_up(), whispered.hung_up())
        assert await books.told(talking, "talk_ended") == pytest.approx(hung_up_at, abs=TOLD_S)
        assert await books.told(talking, "wrap_up_ended") >= hung_up_at + 2 - TOLD_S
        assert await books.told(leaving, "left_queue") == pytest.approx(wall(left_at), abs=TOLD_S)
        assert [books.entry(one)["left_because"] for one in (leaving, rung)] == ["abandoned", "served"]
        for one in (rung, whispered, talking):
            assert len(books.rows("select 1 from offers where call_id = ?", books.entry(one)["call_id"])) == 1


async def test_a_killed_desk_is_not_noticed_by_any_call(stage: Stage) -> None:
    books = Books(stage)
    async with (
        seats(stage, "tom", "rita") as (tom, rita),
        line(stage, "talks") as talking,
        line(stage, "rings") as rung,
    ):
        await asyncio.gather(tom.ready(), rita.ready())
        await asyncio.gather(pick_up(tom, talking), rita.rings())
        since_s, struck_at = talking.call.now_s, time.monotonic()
        before = len(stage.journal.find("desk_ready"))
        strike(desk_pid(stage), signal.SIGKILL)
        await pick_up(rita, rung, key="1")
        await asyncio.sleep(1.0)
        assert talking.gap_s(since_s) < TALK_GAP_S and tom.gap_s(struck_at) < TALK_GAP_S
        await tom.hang_up()
        await stage.journal.wait_until(lambda: stage.journal.find("desk_ready")[before:], 15)
        await rita.desk.shows(lambda page: page["call"] and page["call"]["state"] == "talking")
        await rita.hang_up()
        await rita.desk.shows(lambda page: not page["call"])
        await asyncio.gather(talking.hung_up(), rung.hung_up())
    await books.told(talking, "wrap_up_ended")


async def test_a_worker_that_hangs_gives_its_callers_up_within_twelve_seconds(stage: Stage) -> None:
    books = Books(stage)
    async with seats(stage, "wendy") as (wendy,), contextlib.AsyncExitStack() as stack:
        waiting = await waiters(stage, books, stack)
        places = [place(books, caller) for caller in waiting]
        heard_s = [caller.call.now_s for caller in waiting]
        hanging = books.entry(waiting[0])["owner"]
        os.kill(worker_pid(stage, hanging), signal.SIGSTOP)
        await books.until(lambda: all(books.entry(one)["owner"] != hanging for one in waiting), 12.5)
        os.kill(worker_pid(stage, hanging), signal.SIGCONT)
        await asyncio.sleep(1.5)  # what it believed when it was stopped must not take their places away
        assert [place(books, caller) for caller in waiting] == places
        await wendy.ready()
        for caller, since_s in zip(waiting, heard_s, strict=True):
            assert await wendy.rings(TAKEN_OVER_S) == caller.ani
            assert caller.gap_s(since_s) < GAP_S
            await wendy.phone.answer()
            await wendy.talks(caller)
            await wendy.hang_up()
            await caller.hung_up()


@pytest.mark.parametrize("outage", [locked, unwritable])
async def test_twenty_seconds_without_a_database_cut_nobody_off(
    stage: Stage, outage: Callable[[Stage], AbstractContextManager[None]]
) -> None:
    books = Books(stage)
    names = ("wendy", "rita", "will", "tom")
    async with seats(stage, *names) as (wendy, rita, will, tom), contextlib.AsyncExitStack() as stack:
        await asyncio.gather(*(seat.ready() for seat in (rita, will, tom)))

        async def dials(queue: str) -> Line:
            return await stack.enter_async_context(line(stage, queue))

        talking = await dials("talks")
        await pick_up(tom, talking)
        queues = ("rings", "whispers", "talks", "waits")
        rung, refused, after_tom, leaving = [await dials(queue) for queue in queues]
        await asyncio.gather(rita.rings(), will.rings(), after_tom.hears_music(), leaving.hears_music())
        with outage(stage):
            out_at, since_s = time.monotonic(), after_tom.call.now_s
            arriving, giving_up = await asyncio.gather(dials("waits"), dials("waits"))
            await asyncio.gather(arriving.hears_music(4), giving_up.hears_music(4))
            music_s = arriving.call.now_s
            await pick_up(rita, rung, key="1")
            joined_at = time.time()
            await will.phone.reject(486)
            refused_at, refused_s = time.time(), refused.call.now_s
            await tom.talks(talking)
            hung_up_at = await tom.hang_up()
            await leaving.call.hang_up()
            left_at = time.time()
            await giving_up.call.hang_up()
            gave_up_at = time.time()
            await asyncio.sleep(20 - (time.monotonic() - out_at))
            assert rung.gap_s(rung.call.now_s - 5) < TALK_GAP_S
        over_at = time.monotonic()
        await wendy.ready()
        rings = await asyncio.gather(tom.rings(), will.rings(), wendy.rings())
        resumed_s = time.monotonic() - over_at
        assert rings == [after_tom.ani, refused.ani, arriving.ani]
        assert resumed_s < 2.5
        for caller, heard_s in ((after_tom, since_s), (refused, refused_s), (arriving, music_s)):
            assert caller.gap_s(heard_s) < GAP_S
        await asyncio.gather(pick_up(tom, after_tom), pick_up(will, refused, key="1"), pick_up(wendy, arriving))
        await asyncio.gather(*(seat.hang_up() for seat in (tom, will, wendy, rita)))
        await asyncio.gather(*(one.hung_up() for one in (after_tom, refused, arriving, rung, talking)))

        assert await books.told(talking, "talk_ended") == pytest.approx(hung_up_at, abs=TOLD_S)
        assert await books.told(talking, "wrap_up_ended") == pytest.approx(hung_up_at + 2, abs=TOLD_S)
        assert await books.told(rung, "joined") == pytest.approx(joined_at, abs=1.5)
        assert await books.told(leaving, "left_queue") == pytest.approx(left_at, abs=TOLD_S)
        # Who could not be entered yet is seen to leave between two tries.
        assert await books.told(giving_up, "left_queue") == pytest.approx(gave_up_at, abs=1.5)
        for one in (arriving, giving_up):
            assert await books.told(one, "entered_queue") == pytest.approx(one.dialled_at, abs=1.5)
        busy = books.rows("select max(ended_at) as at from offers where agent = 'will' and end = 'busy'")
        assert busy[0]["at"] == pytest.approx(refused_at, abs=TOLD_S)


async def pick_up(seat: Seat, caller: Line, key: str = "") -> None:
    """The agent takes the call, and both hear each other."""
    await seat.rings()
    await seat.phone.answer()
    if key:
        await asyncio.sleep(0.3)
        await seat.phone.press(key)
    await seat.talks(caller)


async def answer(seat: Seat, caller: Line, books: Books) -> None:
    """The agent hears the whisper, and has not decided yet."""
    await seat.rings()
    await seat.phone.answer()
    await books.offer_is(caller, "answered")


def place(books: Books, caller: Line) -> tuple[str, float, str]:
    """What must not change while a caller waits."""
    entry = books.entry(caller)
    assert entry is not None
    return entry["entry_id"], entry["entered_at"], entry["state"]
