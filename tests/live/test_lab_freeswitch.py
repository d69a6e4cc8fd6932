"""The lab's own FreeSWITCH: callers hear it, phones are rung, values are spoken, and nothing of it is left. That it
comes back after a crash is shown by `test_esl_wire`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cordboard.lab.call import Call
from cordboard.lab.caller import Caller
from cordboard.lab.freeswitch import LabFreeswitch
from cordboard.lab.hearing import tone_share
from cordboard.lab.music import Music
from cordboard.lab.rtp import Samples, tone
from cordboard.lab.sip_phone import SipPhone
from tests.live.freeswitch_kit import extension, freeswitch_running

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

DEADLINE_S = 10.0
EXTENSIONS = (
    extension("7001", "answer", "playback local_stream://music")
    + extension("7002", "answer", "bridge user/1003")
    + extension("7003", "answer", "say en number pronounced 21", "hangup NORMAL_CLEARING")
)


async def test_callers_and_phones_of_the_lab_talk_through_it() -> None:
    async with freeswitch_running(extra_dialplan=EXTENSIONS, log_level="debug") as pbx:
        await a_caller_hears_the_music(pbx)
        await a_phone_is_rung_and_both_are_heard(pbx)
        await a_value_is_spoken(pbx)
        pid = pbx.pid()
        await asyncio.to_thread(no_thread_runs_before_all_others, pid)
    assert not pid or not Path(f"/proc/{pid}").exists()
    assert not pbx.run_dir.exists()


def no_thread_runs_before_all_others(pid: int) -> None:
    for thread in os.listdir(f"/proc/{pid}/task") if pid else ():
        assert os.sched_getscheduler(int(thread)) == os.SCHED_OTHER


async def a_caller_hears_the_music(pbx: LabFreeswitch) -> None:
    music = Music.from_file(pbx.music_sound)
    async with Caller(ani="+442079460123") as caller:
        call = await caller.dial("7001", (pbx.host, pbx.sip_port))
        await heard(call, lambda: music.is_in(call.heard.samples(max(0.0, call.heard.end_s - 0.5))))
        await call.hang_up()
    await pbx.wait_for_no_channels()


async def a_phone_is_rung_and_both_are_heard(pbx: LabFreeswitch) -> None:
    async with SipPhone("1003", pbx) as alice, Caller(ani="+442079460123") as caller:
        call = await caller.dial("7002", (pbx.host, pbx.sip_port))
        await alice.answer()
        alice.speak(tone(700, 0.5))
        call.speak(tone(1100, 0.5), repeat=True)
        await heard(call, lambda: tone_share(latest(call), 700) > 0.9)
        await heard(alice.leg, lambda: tone_share(latest(alice.leg), 1100) > 0.9)
        assert await pbx.live_channels() == 2
        await call.hang_up()
        assert (await alice.closed()).reason == "BYE"
    await pbx.wait_for_no_channels()


async def a_value_is_spoken(pbx: LabFreeswitch) -> None:
    async with Caller(ani="+442079460123") as caller:
        call = await caller.dial("7003", (pbx.host, pbx.sip_port))
        async with asyncio.timeout(DEADLINE_S):
            assert (await call.ended).by == "pbx"
        assert abs(call.heard.samples()).max() > 3000
    assert "Error Opening File" not in pbx.logs()


def latest(call: Call) -> Samples:
    return call.heard.samples(max(0.0, call.heard.end_s - 0.5))


async def heard(call: Call, is_heard: Callable[[], bool]) -> None:
    """Wait until what has arrived is what it should be."""
    arrived = asyncio.Event()
    call.media.on_audio = arrived.set
    async with asyncio.timeout(DEADLINE_S):
        while not is_heard():
            arrived.clear()
            await arrived.wait()
