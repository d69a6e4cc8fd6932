"""What a phone does that a fake FreeSWITCH rings; its parts are listed in `dialling`."""

from __future__ import annotations

import asyncio

from tests.doubles.fake_freeswitch.channel import FRAME_S, Channel


async def play(leg: Channel, part: str, pace: float) -> None:
    """From the first ring to where a test, or nobody, goes on."""
    await asyncio.sleep(FRAME_S / pace)
    word, _, seconds = part.partition(" ")
    if word.isupper():
        leg.hang_up(word)
    elif word == "rings":
        leg.tell("CHANNEL_PROGRESS")
    elif word == "presses":
        key, before_s, after_s = seconds.split()
        leg.pick_up()
        await asyncio.sleep(float(before_s) / pace)
        leg.press(key)
        await asyncio.sleep(float(after_s) / pace)
        leg.hang_up()
    elif word == "late":
        await asyncio.sleep(float(seconds) / pace)
        leg.pick_up()
    else:
        leg.pick_up()
        await asyncio.sleep(float(seconds or 60) / pace)
        leg.hang_up()
