"""Workers, links and FreeSWITCH itself die, hang and restart under live calls. What people hear is what counts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from cordboard.lab.freeswitch_stage import FreeswitchStage
from cordboard.lab.hearing import Heard
from cordboard.lab.rtp import tone
from cordboard.lab.stage import SAFE_PROMPT
from cordboard.store.reader import StoreReader
from esl_apps.variables import ACCEPT_S
from tests.live.crash_kit import Guest, guest, logged_with, strike
from tests.live.freeswitch_crash_kit import (
    CLOCKS_S,
    DIGITS,
    MESSAGE,
    QUICK,
    SECRET,
    STORY,
    Callers,
    CuttableLink,
    crash_stage,
)
from tests.live.freeswitch_kit import why_none
from tests.live.queue_crash_kit import GAP_S, Books, Line, Seat, line, made_whole, seats
from tests.live.queue_crash_laws import check_books

pytestmark = [pytest.mark.live, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

KILL, STOP = signal.SIGKILL, signal.SIGSTOP
TALK_GAP_S = 0.4
# A killed worker is noticed at once. One that hangs when the timer runs out, a verb's longest time and 3 s or 10 s,
# and once more after 3 s if the caller is given to it again.
NOTICED_WITHIN_S = {KILL: 5.0, STOP: 20.0}
SAFE_WITHIN_S = 30.0  # 10 s of the timer, 3 s for each worker that hangs, 3 s of patience, and a loaded machine
CLOSED_WITHIN_S = 30.0  # a place whose caller left while nobody served: the next observer misses the leg

Bed = tuple[FreeswitchStage, CuttableLink]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bed]:
    """One test bed for all tests here."""
    if reason := why_none():
        pytest.skip(reason)
    async with crash_stage(tmp_path_factory.mktemp("crash")) as bed:
        yield bed


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def reader(bed: Bed) -> AsyncIterator[StoreReader]:
    """What a desk has open all the time."""
    reader = StoreReader(bed[0].configuration.database)
    yield reader
    reader.close()


@pytest_asyncio.fixture(loop_scope="module")
async def stage(bed: Bed, reader: StoreReader) -> AsyncIterator[FreeswitchStage]:
    """The test bed, whole again after each test: no channel, no open place, no busy agent, books in order."""
    stage = bed[0]
    yield stage
    await made_whole(stage)
    books, left = Books(stage), "select entry_id from queue_entries where state <> 'left'"
    await books.until(lambda: not books.rows(left), CLOSED_WITHIN_S, "nobody waits")
    await check_books(books, reader, stage.configuration.plan, answers_may_miss=True, clocks_s=CLOCKS_S)
    lost = [entry for entry in stage.journal.entries if entry["event"] in ("fact_lost", "fact_refused")]
    assert not lost


async def test_a_killed_worker_costs_nobody_what_they_had(stage: FreeswitchStage) -> None:
    async with (
        seats(stage, "wendy", "rita", "will", "tom") as (wendy, rita, will, tom),
        AsyncExitStack() as stack,
    ):
        callers = Callers(stage, 0, stack)
        queues = ("waits", "rings", "whispers", "talks")
        waiting, rung, whispered, talking = await asyncio.gather(*(callers.line(queue) for queue in queues))
        numbers = (DIGITS, SECRET, MESSAGE)
        digits, secret, message = await asyncio.gather(*(callers.guest(number) for number in numbers))
        await asyncio.gather(*(seat.ready() for seat in (rita, will, tom)))
        await asyncio.gather(
            rita.rings(),
            pick_up(tom, talking),
            whisper(will),
            waiting.hears_music(),
            digits.hears("number", whole=True),
            secret.hears("code", whole=True),
            message.hears("please_speak", whole=True),
        )
        story, _ = await asyncio.gather(callers.guest(STORY), asyncio.sleep(1.5))  # the beep
        await story.hears("story")
        message.call.speak(tone(700, 3.0))
        await asyncio.gather(digits.call.press("1"), secret.call.press("47"))
        place, music_s, struck_at = place_of(stage, waiting), waiting.call.now_s, time.monotonic()

        strike(stage.worker_pids()[0], KILL)
        await asyncio.gather(
            story.hears("story", NOTICED_WITHIN_S[KILL], after=1),
            asked_again(digits, "number", "1234", KILL),
            asked_again(secret, "code", "4711", KILL),
            accept(will, whispered),
            pick_up(rita, rung, key="1"),
            left_a_message(message),
        )
        assert tom.gap_s(struck_at) < TALK_GAP_S
        assert place_of(stage, waiting) == place
        assert waiting.gap_s(music_s) < GAP_S
        talking.listen()
        await asyncio.gather(tom.hang_up(), will.hang_up(), rita.hang_up(), wendy.ready())
        await asyncio.gather(talking.hears("served"), pick_up(wendy, waiting))
        await wendy.hang_up()
        await asyncio.gather(*(one.hung_up() for one in (talking, whispered, rung, waiting)))
    assert not logged_with(stage, "4711"), "a secret was logged"
    assert len(stage.journal.find("ringing_taken_up")) >= 1


async def test_a_worker_that_hangs_and_then_no_worker_at_all(stage: FreeswitchStage) -> None:
    async with (
        seats(stage, "rita", "will", "tom") as (rita, will, tom),
        AsyncExitStack() as stack,
    ):
        callers = Callers(stage, 0, stack)
        queues = ("waits", "rings", "whispers", "talks")
        waiting, rung, whispered, talking = await asyncio.gather(*(callers.line(queue) for queue in queues))
        numbers = (DIGITS, SECRET)
        digits, secret = await asyncio.gather(*(callers.guest(number) for number in numbers))
        await asyncio.gather(*(seat.ready() for seat in (rita, will, tom)))
        await asyncio.gather(
            rita.rings(),
            pick_up(tom, talking),
            whisper(will),
            waiting.hears_music(),
            digits.hears("number", whole=True),
            secret.hears("code", whole=True),
        )
        story = await callers.guest(STORY)
        await story.hears("story")
        place, music_s = place_of(stage, waiting), waiting.call.now_s
        taken_up = len(stage.journal.find("ringing_taken_up"))
        talking.listen()

        hanging, other = stage.worker_pids()
        strike(hanging, STOP)
        await asyncio.gather(
            story.hears("story", NOTICED_WITHIN_S[STOP], after=1),
            asked_again(digits, "number", "1234", STOP),
            asked_again(secret, "code", "4711", STOP),
            accept(will, whispered),
            tom.hang_up(),
            talking.hears("served", 15),
            stage.journal.wait_until(lambda: stage.journal.find("ringing_taken_up")[taken_up:], 20),
            owned_by(stage, waiting, "worker-1"),
        )
        await pick_up(rita, rung, key="1")
        assert place_of(stage, waiting) == place
        assert waiting.gap_s(music_s) < GAP_S
        talks_at = time.monotonic()

        strike(stage.service.pid, STOP)  # so that nobody starts the workers again
        strike(other, KILL)
        async with guest(stage, STORY, host="127.0.0.3", deadline_s=SAFE_WITHIN_S) as late:
            await asyncio.gather(hears_safe(waiting), late.hears(SAFE_PROMPT, SAFE_WITHIN_S))
        for pid in (stage.service.pid, hanging):
            strike(pid, signal.SIGCONT)
        await made_ready(stage)
        await asyncio.sleep(1.0)  # what the worker believed when it was stopped must not touch the talks
        assert rita.gap_s(talks_at) < TALK_GAP_S and will.gap_s(talks_at) < TALK_GAP_S
        rung.listen()
        await asyncio.gather(rita.hang_up(), will.hang_up())
        await rung.hears("served")
        await asyncio.gather(rung.hung_up(), whispered.hung_up())


async def test_a_worker_that_wakes_leaves_the_calls_that_others_have_by_then(stage: FreeswitchStage) -> None:
    """Their connections wait in its kernel until it wakes, while the other worker plays to the callers."""
    stopped = stage.worker_pids()[0]
    late = len(stage.journal.find("esl_call_too_late"))
    strike(stopped, STOP)
    try:
        calls = [asyncio.create_task(quick_call(stage, number, 0.0)) for number in range(12)]
        await asyncio.sleep(ACCEPT_S + 1.5)
    finally:
        strike(stopped, signal.SIGCONT)
    heard = await asyncio.gather(*calls)
    assert heard == [whole_call(stage)] * len(calls), "every caller hears every part once, in order, whole"
    assert stage.journal.find("esl_call_too_late")[late:], "no call was the stopped worker's"


async def test_a_rolling_restart_cuts_no_call(stage: FreeswitchStage) -> None:
    """A stream of calls, one who waits and one who talks; both workers are restarted under them."""

    async with (
        seats(stage, "tom", "wendy") as (tom, wendy),
        line(stage, "talks") as talking,
        line(stage, "waits") as waiting,
    ):
        await tom.ready()
        await asyncio.gather(pick_up(tom, talking), waiting.hears_music())
        place, music_s, since = place_of(stage, waiting), waiting.call.now_s, time.monotonic()
        rolled = len(stage.journal.find("service_rolled"))
        calls = [asyncio.create_task(quick_call(stage, number, number * 0.4)) for number in range(12)]
        await asyncio.sleep(1.5)
        strike(stage.service.pid, signal.SIGUSR1)
        await stage.journal.wait_until(lambda: stage.journal.find("service_rolled")[rolled:], 40)
        heard = await asyncio.gather(*calls)
        assert heard == [whole_call(stage)] * len(calls), "every caller hears every part once, in order, whole"
        assert tom.gap_s(since) < TALK_GAP_S
        assert place_of(stage, waiting) == place
        assert waiting.gap_s(music_s) < GAP_S
        await asyncio.gather(tom.hang_up(), wendy.ready())
        await pick_up(wendy, waiting)
        await wendy.hang_up()
        await asyncio.gather(talking.hung_up(), waiting.hung_up())
    assert stage.journal.find("call_handed_over"), "no call was there to be handed over"


async def test_without_its_link_a_service_keeps_every_call(stage: FreeswitchStage, bed: Bed) -> None:
    _, link = bed
    async with (
        seats(stage, "tom", "rita") as (tom, rita),
        line(stage, "talks") as talking,
        line(stage, "rings") as rung,
        line(stage, "waits") as waiting,
    ):
        await asyncio.gather(tom.ready(), rita.ready())
        await asyncio.gather(pick_up(tom, talking), rita.rings(), waiting.hears_music())
        connected, lost = (len(stage.journal.find(event)) for event in ("esl_connected", "esl_lost"))
        await link.cut()
        await stage.journal.wait_until(lambda: stage.journal.find("esl_lost")[lost + 1 :], 10)
        await pick_up(rita, rung, key="1")
        since = time.monotonic()
        await tom.hang_up()
        await waiting.call.hang_up()
        await asyncio.sleep(0.5)
        await link.mend()
        await stage.journal.wait_until(lambda: stage.journal.find("esl_connected")[connected + 1 :], 10)
        await talking.hung_up()
        await asyncio.sleep(1.0)
        assert rita.gap_s(since) < TALK_GAP_S
        await rita.hang_up()
        await rung.hung_up()


async def test_freeswitch_is_killed_and_comes_back(stage: FreeswitchStage) -> None:
    """Calls that are lost with it are closed in the books and their agents free: `stage` looks."""
    connected = len(stage.journal.find("esl_connected"))
    async with (
        seats(stage, "tom", "rita") as (tom, rita),
        line(stage, "talks") as talking,
        line(stage, "rings"),
        line(stage, "waits") as waiting,
        guest(stage, STORY, host="127.0.0.3"),
    ):
        await asyncio.gather(tom.ready(), rita.ready())
        await asyncio.gather(pick_up(tom, talking), rita.rings(), waiting.hears_music())
        await stage.pbx.restart()
    await stage.journal.wait_until(lambda: stage.journal.find("esl_connected")[connected + 1 :], 10)
    async with guest(stage, QUICK) as caller:
        await caller.hears("one")
        await asyncio.wait_for(caller.call.ended, 20)


async def quick_call(stage: FreeswitchStage, number: int, after_s: float) -> list[str]:
    """A short call; what was heard from beginning to end."""
    await asyncio.sleep(after_s)
    host, ani = f"127.0.0.{2 + number}", f"+4420794601{number:02}"
    async with guest(stage, QUICK, host=host, ani=ani, deadline_s=15) as caller:
        end = await asyncio.wait_for(caller.call.ended, 25)
        assert end.by == "pbx"
        return [event.prompts[0] for event in caller.listener.events if isinstance(event, Heard)]


def whole_call(stage: FreeswitchStage) -> list[str]:
    return [stage.book.resolve(name, "en") for name in ("one", "two", "three")]


async def pick_up(seat: Seat, caller: Line, key: str = "") -> None:
    """The agent takes the call, and both hear each other."""
    await seat.rings()
    await seat.phone.answer()
    if key:
        await asyncio.sleep(0.3)
        await seat.phone.press(key)
    await seat.talks(caller)


async def whisper(seat: Seat) -> None:
    """The agent hears the whisper, and has not decided yet."""
    await seat.rings()
    await seat.phone.answer()


async def accept(seat: Seat, caller: Line) -> None:
    await seat.phone.press("1")
    await seat.talks(caller)


async def asked_again(caller: Guest, prompt: str, keys: str, how: signal.Signals) -> None:
    """The question is put once more, and what was typed before does not count."""
    await caller.hears(prompt, NOTICED_WITHIN_S[how], after=1)
    await caller.call.press(keys)
    await caller.hears("done")


async def left_a_message(caller: Guest) -> None:
    """Who speaks when the worker is lost is not interrupted, and not asked again."""
    await asyncio.sleep(2.0)
    await caller.call.press("#")
    await caller.hears("thanks")


def place_of(stage: FreeswitchStage, caller: Line) -> tuple[str, float, str]:
    """What must not change while a caller waits."""
    entry = Books(stage).entry(caller)
    assert entry is not None
    return entry["entry_id"], entry["entered_at"], entry["state"]


async def owned_by(stage: FreeswitchStage, caller: Line, worker: str) -> None:
    books = Books(stage)
    await books.until(lambda: (books.entry(caller) or {"owner": ""})["owner"] == worker, 20, f"{worker} has it")


async def hears_safe(caller: Line) -> None:
    caller.listen()
    await caller.hears(SAFE_PROMPT, SAFE_WITHIN_S)


async def made_ready(stage: FreeswitchStage) -> None:
    """Wait until the workers serve again."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(stage.service.pid, signal.SIGCONT)
    await stage.journal.wait_until(lambda: stage.journal.find("worker_ready")[2:], 30)
