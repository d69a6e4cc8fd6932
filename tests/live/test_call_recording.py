"""Calls that are recorded, on a real Asterisk: both sides are in the file, secret digits never are.

The caller's phone sends each key twice: as an event, which is what Asterisk counts, and as the tone that a phone on
an analogue line makes. The tones are what must not be found in the recording.
"""

from __future__ import annotations

import asyncio
import os
import signal
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from cordboard.lab.rtp import SAMPLE_RATE_HZ, Samples, tone
from cordboard.lab.sip_phone import SipPhone
from cordboard.lab.stage import Stage
from tests.live.crash_kit import Guest, all_workers_ready, guest, holder, strike

pytestmark = [pytest.mark.live, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="module")]

SITE = Path(__file__).parent / "dial_site"
RECORDED, MESSAGE = "6108", "6109"
CALLER_HZ, CALLED_HZ = 1100.0, 500.0
KEY_S = 0.12
# The two tones of each key.
ROWS = {key: hertz for keys, hertz in (("123", 697), ("456", 770), ("789", 852), ("*0#", 941)) for key in keys}
COLUMNS = {key: hertz for keys, hertz in (("147*", 1209), ("2580", 1336), ("369#", 1477)) for key in keys}
ACCOUNT, PIN = "2580", "7391"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bed() -> AsyncIterator[Stage]:
    async with Stage(SITE, workers=2) as bed:
        yield bed


@pytest_asyncio.fixture(loop_scope="module")
async def stage(bed: Stage) -> AsyncIterator[Stage]:
    """The test bed with both workers ready, no channel and a journal of its own."""
    bed.journal.entries = [entry for entry in bed.journal.entries if entry["event"] == "worker_ready"]
    yield bed
    await bed.journal.wait_until(lambda: [{}] if all_workers_ready(bed) else [], 30)
    await bed.pbx.wait_for_no_channels()


@pytest_asyncio.fixture(loop_scope="module")
async def alice(stage: Stage) -> AsyncIterator[SipPhone]:
    async with SipPhone("1001", stage.pbx) as phone:
        yield phone


async def test_a_call_is_recorded_from_both_sides_and_its_secret_is_not(stage: Stage, alice: SipPhone) -> None:
    async with guest(stage, RECORDED) as caller:
        await caller.hears("recorded/recorded", whole=True)
        await caller.hears("recorded/account", 10, whole=True)
        await key_in(caller, ACCOUNT)
        await caller.hears("recorded/pin")
        await key_in(caller, PIN)
        await caller.hears("recorded/ringing")
        await talk(caller, alice, 1.5)
        await alice.hang_up()
        await caller.hears("recorded/unheard", 10, whole=True)
        await asyncio.wait_for(caller.call.ended, 15)
    sound = await recording(stage, 1)
    assert keys_in(sound) == set(ACCOUNT), "the account is heard, the secret code is not"
    assert loud_s(sound, CALLER_HZ) > 0.8 and loud_s(sound, CALLED_HZ) > 0.8
    assert played(stage, sound, "recorded/account") and played(stage, sound, "recorded/ringing")
    assert not played(stage, sound, "recorded/unheard"), "the flow had paused it"


async def test_a_worker_that_is_killed_in_a_secret_question_leaves_no_tone_and_costs_no_recording(
    stage: Stage, alice: SipPhone
) -> None:
    async with guest(stage, RECORDED) as caller:
        await caller.hears("recorded/account", 10, whole=True)
        await key_in(caller, ACCOUNT)
        await caller.hears("recorded/pin")
        await key_in(caller, PIN[:2])
        strike(await holder(stage), signal.SIGKILL)
        for key in PIN[2:]:  # nobody counts them now, but they sound
            caller.call.speak(dual_tone(key))
            await asyncio.sleep(KEY_S)
        await caller.hears("recorded/pin", after=1)
        await key_in(caller, PIN)
        await caller.hears("recorded/ringing")
        await talk(caller, alice, 1.5)
        await caller.call.hang_up()
    sound = await recording(stage, 1)
    assert keys_in(sound) == set(ACCOUNT)
    assert loud_s(sound, CALLER_HZ) > 0.8 and loud_s(sound, CALLED_HZ) > 0.8


async def test_a_caller_who_hangs_up_in_a_secret_question_leaves_no_tone(stage: Stage) -> None:
    async with guest(stage, RECORDED) as caller:
        await caller.hears("recorded/account", 10, whole=True)
        await key_in(caller, ACCOUNT)
        await caller.hears("recorded/pin")
        await key_in(caller, PIN[:3])
        await caller.call.hang_up()
    assert keys_in(await recording(stage, 1)) == set(ACCOUNT)


async def test_who_objects_is_not_recorded(stage: Stage) -> None:
    async with guest(stage, RECORDED) as caller:
        await caller.hears("recorded/recorded")
        await caller.call.press("9")
        await caller.hears("recorded/account", 10)
    await stage.pbx.wait_for_no_channels()
    assert not stage.journal.find("call_recorded")


async def test_a_message_is_kept_where_the_flow_says(stage: Stage) -> None:
    async with guest(stage, MESSAGE) as caller:
        await caller.hears("message/speak", whole=True)
        await asyncio.sleep(1.5)  # the tone
        caller.call.speak(tone(CALLER_HZ, 2.0))
        await asyncio.sleep(2.0)
        await caller.call.press("#")
        await caller.hears("message/kept")
    (file,) = (stage.state / "voicemail" / "flow.messages").glob("*.wav")
    assert loud_s(read(file), CALLER_HZ) > 1.2


async def test_who_says_nothing_has_left_no_message(stage: Stage) -> None:
    async with guest(stage, MESSAGE) as caller:
        await caller.hears("message/speak", whole=True)
        await caller.hears("message/nothing")


# -- what callers do, and what is in a file --


async def key_in(caller: Guest, keys: str) -> None:
    """Press keys, each as an event and, at the same time, as the tone it makes."""
    for key in keys:
        caller.call.speak(dual_tone(key))
        await asyncio.sleep(KEY_S)  # the tone is in the audio before the event ends the question
        await caller.call.press(key, tone_ms=60, gap_ms=20)


async def talk(caller: Guest, phone: SipPhone, for_s: float) -> None:
    await phone.answer()
    caller.call.speak(tone(CALLER_HZ, for_s))
    phone.speak(tone(CALLED_HZ, for_s), repeat=False)
    await asyncio.sleep(for_s)  # a talk takes its time


def dual_tone(key: str) -> Samples:
    row, column = tone(ROWS[key], KEY_S), tone(COLUMNS[key], KEY_S)
    return (row // 2 + column // 2).astype(np.int16)


async def recording(stage: Stage, number: int) -> Samples:
    """The file of the so-manieth recorded call, after its end."""
    entry = (await stage.journal.wait_until(lambda: stage.journal.find("call_recorded"), 5))[number - 1]
    await stage.pbx.wait_for_no_channels()
    path = stage.state / "recordings" / entry["file"]
    async with asyncio.timeout(5):
        while not os.path.exists(path):  # Asterisk closes it after the channel has gone
            await asyncio.sleep(0.02)
    return read(path)


def read(path: Path) -> Samples:
    with wave.open(str(path), "rb") as sound:
        return np.frombuffer(sound.readframes(sound.getnframes()), dtype=np.int16)


def keys_in(sound: Samples) -> set[str]:
    """The keys whose two tones stand above everything else somewhere, for 40 ms."""
    frame = SAMPLE_RATE_HZ // 25
    found = set()
    for at in range(0, len(sound) - frame + 1, frame // 2):
        piece = sound[at : at + frame].astype(float)
        if np.abs(piece).max() < 300:
            continue
        total = float((piece**2).sum())
        for key in ROWS:
            if (
                goertzel(piece, ROWS[key]) + goertzel(piece, COLUMNS[key]) > 0.8 * total
                and min(goertzel(piece, ROWS[key]), goertzel(piece, COLUMNS[key])) > 0.2 * total
            ):
                found.add(key)
    return found


def goertzel(piece: np.ndarray, hertz: float) -> float:
    """The energy at one frequency, on the scale of the sum of squares."""
    angle = 2 * np.pi * hertz / SAMPLE_RATE_HZ * np.arange(len(piece))
    return float(2 * ((piece @ np.cos(angle)) ** 2 + (piece @ np.sin(angle)) ** 2) / len(piece))


def loud_s(sound: Samples, hertz: float) -> float:
    """For how many seconds a tone has a good part of the sound: the other side may be speaking at the same time."""
    frame = SAMPLE_RATE_HZ // 10
    pieces = [sound[at : at + frame].astype(float) for at in range(0, len(sound) - frame + 1, frame)]
    return sum(np.abs(one).max() > 1000 and goertzel(one, hertz) > 0.3 * (one**2).sum() for one in pieces) / 10


def played(stage: Stage, sound: Samples, prompt: str) -> bool:
    """Whether a prompt is in the recording: its middle half second, found by correlation."""
    samples = stage.book[stage.book.resolve(prompt, "en")]
    middle = samples[len(samples) // 2 : len(samples) // 2 + SAMPLE_RATE_HZ // 2].astype(float)
    correlated = np.correlate(sound.astype(float), middle, "valid")
    energy = np.convolve(sound.astype(float) ** 2, np.ones(len(middle)), "valid")
    return bool((correlated / np.sqrt(energy * (middle**2).sum() + 1.0)).max() > 0.8)
