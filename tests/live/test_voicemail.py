"""Callers speak after the beep while workers come and go. What counts is what lies in the folder in the end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from cordboard.lab.hearing import Began, tone_share
from cordboard.lab.journal import Entry
from cordboard.lab.rtp import SAMPLE_RATE_HZ, tone
from cordboard.lab.stage import Stage
from tests.live.crash_kit import Guest, all_workers_ready, guest, holder, strike

pytestmark = [pytest.mark.live, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

SITE = Path(__file__).parent / "site"
DIALS = "6002"
VOICE_HZ = 700.0
BEEP_S = 1.5  # Asterisk's, and some
# The drain is shorter than the messages, so that a worker which waits does so for the caller alone.
SETTINGS = {"CORDBOARD_DRAIN_S": "1", "CORDBOARD_MAIL__SWEEP_S": "1"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bed() -> AsyncIterator[Stage]:
    """One test bed for all tests here."""
    async with Stage(SITE, workers=2, settings=SETTINGS) as bed:
        yield bed


@pytest_asyncio.fixture(loop_scope="module")
async def stage(bed: Stage) -> AsyncIterator[Stage]:
    """The test bed with both workers ready, no channel, no message and a journal of its own."""
    bed.journal.entries = [entry for entry in bed.journal.entries if entry["event"] == "worker_ready"]
    for file in folder(bed).glob("*"):
        file.unlink()
    yield bed
    await bed.journal.wait_until(lambda: [{}] if all_workers_ready(bed) else [], 30)
    await bed.pbx.wait_for_no_channels()


async def test_a_message_is_left_and_noted_with_its_duration(stage: Stage) -> None:
    async with guest(stage, DIALS) as caller:
        spoken_s = await speak(caller, 3.0)
        await caller.call.press("#")
        await caller.hears("thanks")
        note = await noted(stage, "message_left")
    assert (note["caller"], note["caller_name"], note["folder"]) == ("+442079460123", "Ada", "desk")
    assert 3.0 - 0.3 <= note["duration_s"] <= spoken_s + 0.5, (
        "all that was said, and what lies between beep and voice"
    )
    assert voice_s(stage, note) >= 2.0


async def test_a_caller_who_hangs_up_while_speaking_has_left_a_message(stage: Stage) -> None:
    async with guest(stage, DIALS) as caller:
        await speak(caller, 3.0)
        await caller.call.hang_up()
        note = await noted(stage, "message_left")
    assert voice_s(stage, note) >= 2.0


async def test_a_killed_worker_costs_neither_the_message_nor_the_caller_a_second_try(stage: Stage) -> None:
    async with guest(stage, DIALS) as caller:
        await speak(caller, 1.5)
        strike(await holder(stage), signal.SIGKILL)
        await speak(caller, 2.5, has_begun=True)
        await caller.call.press("#")
        await caller.hears("thanks", 5)
        note = await noted(stage, "message_left")
        assert len(caller.events(Began, "please_speak")) == 1, "asked for the message again"
    assert voice_s(stage, note) >= 3.5, "what was said after the worker was lost belongs to it"
    assert len(list(folder(stage).glob("*.wav"))) == 1


async def test_a_killed_worker_and_a_caller_who_hangs_up_leave_a_message_all_the_same(stage: Stage) -> None:
    async with guest(stage, DIALS) as caller:
        await speak(caller, 1.5)
        strike(await holder(stage), signal.SIGKILL)
        await speak(caller, 1.5, has_begun=True)
        await caller.call.hang_up()
    note = await noted(stage, "message_rescued", 20)
    assert voice_s(stage, note) >= 2.0
    assert note["told"] is True, "the box has nobody to tell"


async def test_a_rolling_restart_lets_a_caller_finish(stage: Stage) -> None:
    async with guest(stage, DIALS) as caller:
        await speak(caller, 1.0)
        os.kill(stage.service.pid, signal.SIGUSR1)
        await speak(caller, 4.0, has_begun=True)
        await caller.call.press("#")
        await caller.hears("thanks", 5)
        note = await noted(stage, "message_left")
        assert len(caller.events(Began, "please_speak")) == 1
    await stage.wait_event("service_rolled", 40)
    assert not stage.journal.find("call_resumed", node="desk"), "the worker that began the message ended it"
    assert voice_s(stage, note) >= 4.5, "one message, whole"
    assert len(list(folder(stage).glob("*.json"))) == 1


def folder(stage: Stage) -> Path:
    """Where the messages of the box lie."""
    return stage.state / "voicemail" / "desk"


async def speak(caller: Guest, for_s: float, *, has_begun: bool = False) -> float:
    """Speak in one tone, after the beep; how many seconds of it are in the message at most."""
    if not has_begun:
        await caller.hears("please_speak", 10, whole=True)
        await asyncio.sleep(BEEP_S)
    caller.call.speak(tone(VOICE_HZ, for_s))
    await asyncio.sleep(for_s)  # a voice takes its time
    return for_s + BEEP_S


async def noted(stage: Stage, event: str, deadline_s: float = 5.0) -> dict[str, Any]:
    """The note of the one message, once the log tells of it."""
    entry: Entry = await stage.wait_event(event, deadline_s)
    note = folder(stage) / entry["sound"].replace(".wav", ".json")
    return dict(json.loads(note.read_bytes()))


def voice_s(stage: Stage, note: dict[str, Any]) -> float:
    """How many seconds of the recording are the caller's tone."""
    with wave.open(str(folder(stage) / note["sound"]), "rb") as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), dtype=np.int16)
    step = SAMPLE_RATE_HZ // 10
    parts = [samples[at : at + step] for at in range(0, len(samples) - step + 1, step)]
    loud = [part for part in parts if np.abs(part.astype(float)).max() > 1000 and tone_share(part, VOICE_HZ) > 0.8]
    return len(loud) / 10
