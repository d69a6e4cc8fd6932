"""Twenty callers in one line while workers are killed, PostgreSQL is away, or one worker cannot reach it.

What they hear goes on, each of them talks to one agent once, and the history of it all obeys every law: nobody
loses a place, no agent and no caller has two offers, everything is told once, the first in line is served first.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.live.faults_kit import LONG_S, SOON_S, House, Shift, house
from tests.live.queue_crash_kit import Line, all_serve, line, observer, other, seats

pytestmark = [pytest.mark.live, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]

AGENTS = ("wendy", "rita", "will")
CALLERS = 20
SLOW_S, QUICK_S = 2.0, 0.2  # how long agents talk: while something goes on, and to be done with it
KILLING_S = 10.0
LEAST_KILLS = 3  # also on a machine that is slow to start a worker again
CUT_S = 6.0  # longer than leases, and than the server bears with who is silent in the middle of a transaction
GAP_S = 1.5  # of music, where calls change their workers again and again
HEARD_S = 1.0  # after the answer there is music
TOLD_S = 2.0  # between what happens and what is written of it; a try to enter takes a second
JOINED = "select 1 from ledger where kind = 'joined'"
LEFT_IN_ORDER = 5  # offers at least that are made when nobody has an excuse


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bed() -> AsyncIterator[House]:
    """One house for all tests here."""
    async with house() as bed:
        yield bed


@pytest.mark.parametrize(
    "for_s", [KILLING_S, pytest.param(300.0, marks=[pytest.mark.soak, pytest.mark.timeout(900)])]
)
async def test_a_line_of_callers_outlives_its_workers_again_and_again(bed: House, for_s: float) -> None:
    async with floor(bed) as (callers, shift), contextlib.AsyncExitStack() as stack:
        until, kills = time.monotonic() + for_s, 0
        while kills < LEAST_KILLS or time.monotonic() < until:
            await bed.lose(f"worker-{kills % 2}")
            callers += await bed.callers(stack, CALLERS - bed.waiting())
            await all_serve(bed.stage)
            kills += 1
        await all_are_served(bed, callers, shift)


@pytest.mark.parametrize("for_s", [7.0, pytest.param(30.0, marks=pytest.mark.soak)])
async def test_a_line_of_callers_outlives_a_restart_of_the_server(bed: House, for_s: float) -> None:
    workers = bed.stage.worker_pids()
    async with floor(bed) as (callers, shift), contextlib.AsyncExitStack() as stack:
        await someone_talks(bed, 1)
        async with bed.server_away():
            leaving, arriving = callers.pop(), await stack.enter_async_context(line(bed.stage, "waits"))
            await leaving.call.hang_up()
            left_at = time.time()
            await arriving.hears_music(SOON_S)
            await asyncio.sleep(for_s)
        assert bed.stage.worker_pids() == workers, "they have lived on"
        await all_are_served(bed, [*callers, arriving], shift)
        assert await bed.books.told(leaving, "left_queue") == pytest.approx(left_at, abs=TOLD_S)
        assert await bed.books.told(arriving, "entered_queue") == pytest.approx(arriving.dialled_at, abs=TOLD_S)


@pytest.mark.parametrize("role", ["observer", pytest.param("other", marks=pytest.mark.soak)])
async def test_a_worker_without_the_server_keeps_its_callers_and_the_other_serves_on(bed: House, role: str) -> None:
    victim = observer(bed.stage) if role == "observer" else other(observer(bed.stage))
    workers = bed.stage.worker_pids()
    async with floor(bed) as (callers, shift):
        async with bed.cut_off(victim):
            served = len(bed.books.rows(JOINED))
            waiting = len(bed.held_by(other(victim)))
            await asyncio.gather(someone_talks(bed, served + min(waiting, 5)), asyncio.sleep(CUT_S))
        assert bed.stage.worker_pids() == workers, "it has lived on"
        await all_are_served(bed, callers, shift)


@contextlib.asynccontextmanager
async def floor(bed: House) -> AsyncIterator[tuple[list[Line], Shift]]:
    """Callers who wait, and agents who have just come to work. Afterwards the history is checked."""
    before = await bed.check()
    async with seats(bed.stage, *AGENTS) as agents, contextlib.AsyncExitStack() as stack:
        callers = await bed.callers(stack, CALLERS)
        async with bed.shift(agents, SLOW_S) as shift:
            yield callers, shift
    assert await bed.check() - before >= LEFT_IN_ORDER
    lost = [one for one in bed.stage.journal.entries if one["event"] in ("fact_lost", "fact_refused", "facts_left")]
    assert not lost


async def all_are_served(bed: House, callers: list[Line], shift: Shift) -> None:
    """Each of them by one agent, once, and all heard music until then."""
    shift.talk_s = QUICK_S
    await asyncio.gather(*(caller.hung_up(LONG_S) for caller in callers))
    served = Counter(shift.talked_with())
    assert served == Counter(caller.ani for caller in callers)
    for caller in callers:
        joined_s = await bed.books.told(caller, "joined") - caller.dialled_at
        assert caller.gap_s(HEARD_S, joined_s) < GAP_S, caller.ani


async def someone_talks(bed: House, count: int) -> None:
    """Wait until so many have been joined with an agent, ever."""
    await bed.books.until(lambda: len(bed.books.rows(JOINED)) >= count, SOON_S, f"{count} have an agent")
