"""Applications of a fake channel that take keys or a voice: gathering, reading, recording."""

from __future__ import annotations

import re
import wave

from tests.doubles.fake_freeswitch.channel import FRAME_S, Channel
from tests.doubles.fake_freeswitch.sounds import duration_s, play

LEAST_WORDS = 9


async def play_and_get_digits(channel: Channel, argument: str) -> None:
    """least, most, tries, wait_ms, terminators, file, bad file, variable, pattern, between_ms"""
    words = argument.split(" ")
    if len(words) < LEAST_WORDS:
        return
    least, most, tries, wait_ms, ends, file, bad, variable, pattern, between_ms = [*words, words[3]][:10]
    for _ in range(int(tries)):
        digits = await _digits(channel, file, int(most), int(wait_ms), int(between_ms), ends)
        if len(digits) >= int(least) and re.fullmatch(pattern, digits):
            channel.variables |= {variable: digits, "read_result": "success"}
            return
        await play(channel, duration_s(bad) or 0.0)
        channel.variables["read_result"] = "success" if digits else "failure"  # of the reading, not of the pattern


async def read(channel: Channel, argument: str) -> None:
    """least, most, file, variable, wait_ms, terminators"""
    _, most, file, variable, wait_ms, ends = argument.split(" ")
    channel.variables[variable] = await _digits(channel, file, int(most), int(wait_ms), int(wait_ms), ends)


async def _digits(channel: Channel, file: str, most: int, wait_ms: int, between_ms: int, ends: str) -> str:
    digits = ""
    left_s = (duration_s(file) or 0.0) + wait_ms / 1000
    while left_s > 0:
        if key := channel.key():
            if key in ends:
                return digits
            digits += key
            left_s = between_ms / 1000
            if len(digits) == most:
                return digits
        else:
            await channel.frame()
            left_s -= FRAME_S
    return digits


async def record(channel: Channel, argument: str) -> None:
    """Silence, or what the caller is said to speak; both are zeros in the file."""
    path, limit_s, _, silence_s = argument.split(" ")
    heard = quiet = 0
    terminators = channel.variables.get("playback_terminators", "").replace("none", "")
    channel.variables |= {"playback_terminator_used": "", "silence_hits_exhausted": "false"}
    channel.recordings[path] = "on"
    try:
        while heard * FRAME_S < float(limit_s) and not channel.broken.is_set():
            key = channel.key()
            if key and key in terminators:
                channel.variables["playback_terminator_used"] = key
                break
            quiet = 0 if channel.speaks else quiet + 1
            if quiet * FRAME_S >= float(silence_s):
                channel.variables["silence_hits_exhausted"] = "true"
                break
            await channel.frame()
            heard += 1
    finally:
        channel.broken.clear()
        _close(channel, path, heard)


def _close(channel: Channel, path: str, frames: int) -> None:
    with wave.open(path, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(int(frames * FRAME_S * 16000)))
    channel.recordings[path] = "stopped"
    channel.variables["record_ms"] = str(round(frames * FRAME_S * 1000))
    channel.tell("RECORD_STOP", [("Record-File-Path", path)])
