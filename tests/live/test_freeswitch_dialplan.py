"""The dialplan on a real FreeSWITCH, with workers that take calls, hang and die: the loop. Agents' legs are shown
by `test_freeswitch_queueing`, dialling by the contract of all phones.

One FreeSWITCH for all, which takes two seconds to start. The callers' names hold what must not be carried out.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cordboard.lab.call import Call
from cordboard.lab.caller import Caller
from cordboard.lab.freeswitch import LabFreeswitch
from cordboard.lab.ports import find_free_ports
from esl_apps.dialplan.render import CORE, DIALPLAN, render_core_settings, render_dialplan
from tests.doubles.esl_worker import EslCall, EslWorker
from tests.live.freeswitch_kit import freeswitch_running

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

SAFE = "operators,operators"
PATIENCE_S = 1.0
DEADLINE_S = 20.0


@dataclass(frozen=True)
class House:
    """FreeSWITCH, the ports its two workers listen on, and the file that no caller must be able to make."""

    pbx: LabFreeswitch
    ports: tuple[int, int]
    trap: Path

    @contextlib.asynccontextmanager
    async def caller(self) -> AsyncIterator[asyncio.Task[Call]]:
        """Somebody who dials; the call, once it is answered."""
        async with Caller(ani="+442079460123", name=f"${{system(touch {self.trap})}}") as caller:
            dialling = asyncio.create_task(caller.dial("5000", (self.pbx.host, self.pbx.sip_port)))
            yield dialling
            dialling.cancel()
            await asyncio.gather(dialling, return_exceptions=True)
        await self.pbx.wait_for_no_channels()


async def test_the_dialplan_keeps_every_call(tmp_path: Path) -> None:
    first = find_free_ports(2)
    ports = (first, first + 1)
    dialplan = render_dialplan([f"127.0.0.1:{port}" for port in ports], SAFE, PATIENCE_S, token="our-mark")
    files = {DIALPLAN: dialplan, CORE: render_core_settings()}
    async with freeswitch_running(extra_files=files) as pbx:
        house = House(pbx, ports, tmp_path / "trap")
        assert "is off" in await pbx.command("fsctl api_expansion")
        await no_worker_at_all(house)
        await a_worker_that_accepts_and_never_speaks(house)
        await a_worker_that_dies_and_one_that_hangs(house)
        await a_place_that_is_never_left(house)
        assert not house.trap.exists()


async def no_worker_at_all(house: House) -> None:
    """The safe destination answers when the patience is over."""
    async with house.caller() as dialling, asyncio.timeout(DEADLINE_S):
        await dialling


async def a_worker_that_accepts_and_never_speaks(house: House) -> None:
    """The dead-man timer takes the call to the other worker."""
    async with EslWorker(house.ports[0]) as mute, EslWorker(house.ports[1]) as other, house.caller():
        taking = {asyncio.create_task(mute.call()), asyncio.create_task(other.call())}
        (first,), (waiting,) = await asyncio.wait(taking, return_when=asyncio.FIRST_COMPLETED)
        call = await waiting
        await call.take()
        assert call.variable("cordboard_dnis") == "5000"
        assert call.variable("cordboard_token") == "our-mark"
        first.result().die()
        await call.execute_nothing_more("hangup", "NORMAL_CLEARING")


async def a_worker_that_dies_and_one_that_hangs(house: House) -> None:
    """The next one has the checkpoint, though music without an end was playing."""
    async with EslWorker(house.ports[1]) as worker, house.caller() as dialling:
        call = await holding(worker, "first-place")
        assert call.variable("cordboard_tries") != "0"
        await dialling
        call.die()
        call = await holding(worker, "second-place")
        assert call.variable("cordboard_checkpoint") == "first-place"
        await house.pbx.command(f"sched_transfer +1 {call.leg_id} late XML cordboard-call")
        next_call = await worker.taken()
        assert next_call.variable("cordboard_checkpoint") == "second-place"
        call.die()
        await next_call.execute_nothing_more("hangup", "NORMAL_CLEARING")


async def a_place_that_is_never_left(house: House) -> None:
    """Begun ten times, and then given to the safe destination."""
    begun = 0
    async with EslWorker(house.ports[0]) as worker, house.caller() as dialling:
        while not dialling.done():
            taking = asyncio.create_task(worker.taken())
            await asyncio.wait({taking, dialling}, return_when=asyncio.FIRST_COMPLETED)
            if dialling.done():
                taking.cancel()
                break
            call = taking.result()
            await call.set(cordboard_tries="0", cordboard_checkpoint="the-place")
            begun += 1
            call.die()
    assert begun == 11


async def holding(worker: EslWorker, place: str) -> EslCall:
    """The next call of a worker, noted to stand at a place, with music that has no end."""
    call = await worker.taken()
    await call.execute("answer", "")
    await call.set(cordboard_tries="0", cordboard_checkpoint=place, cordboard_returned="")
    await call.begin("playback", "local_stream://music")
    return call
