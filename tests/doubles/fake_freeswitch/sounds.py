"""What a fake channel hears: how long files and streams last, and how a key or a break ends them."""

from __future__ import annotations

import re
import wave

from tests.doubles.fake_freeswitch.channel import FRAME_S, Channel, Gone

STREAMS = ("default",)
ENDLESS_S = 1e9

_TONE = re.compile(r"tone_stream://%\((\d+),(\d+)[^)]*\)(?:;loops=(-?\d+))?")


async def playback(channel: Channel, file: str) -> None:
    """The application, with what it leaves in the channel. Raises Gone."""
    lasts_s = duration_s(file)
    if lasts_s is None:
        channel.variables["current_application_response"] = "FILE NOT FOUND"
        return
    channel.variables["playback_terminator_used"] = ""
    path = [("Playback-File-Path", file)]
    channel.tell("PLAYBACK_START", path)
    status = "done"
    said = "FILE PLAYED"
    try:
        status = await play(channel, lasts_s)
    except Gone:
        said = "FILE PLAYED" if channel.is_ended_by_us else "PLAYBACK ERROR"
        raise
    finally:
        channel.variables["current_application_response"] = said
        channel.tell("PLAYBACK_STOP", [*path, ("Playback-Status", status)])


async def play(channel: Channel, lasts_s: float) -> str:
    """So much sound; "break" if a key or a break ended it, else "done". Raises Gone."""
    terminators = channel.variables.get("playback_terminators") or "*"
    terminators = {"any": "1234567890*#", "none": ""}.get(terminators, terminators)
    left_s = lasts_s
    while left_s > 0:
        if channel.broken.is_set():
            channel.broken.clear()
            return "break"
        key = channel.key()
        if key and key in terminators:
            channel.variables["playback_terminator_used"] = key
            return "break"
        await channel.frame()
        left_s -= FRAME_S
    return "done"


def duration_s(file: str) -> float | None:
    """How long it lasts; None if it is not there."""
    if tone := _TONE.match(file):
        loops = int(tone[3] or 1)
        return ENDLESS_S if loops < 0 else (int(tone[1]) + int(tone[2])) / 1000 * loops
    if file.startswith("silence_stream://"):
        lasts_ms = int(file.partition("//")[2])
        return ENDLESS_S if lasts_ms < 0 else lasts_ms / 1000
    if file.startswith("local_stream://"):
        return ENDLESS_S if STREAMS else None
    try:
        with wave.open(file, "rb") as sound:
            return sound.getnframes() / sound.getframerate()
    except (OSError, EOFError, wave.Error):
        return None
