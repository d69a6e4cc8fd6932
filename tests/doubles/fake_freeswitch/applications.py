"""What applications do on a fake channel, and what they leave in its variables."""

from __future__ import annotations

import re
import wave
from collections.abc import Awaitable, Callable

from tests.doubles.fake_freeswitch.channel import FRAME_S, Channel

SAID_S = 0.3  # any value that is spoken
LANGUAGES = ("en", "es")
STREAMS = ("default",)

_TONE = re.compile(r"tone_stream://%\((\d+),(\d+)[^)]*\)(?:;loops=(\d+))?")


async def run(channel: Channel, application: str, argument: str) -> bool:
    """Run one to its end; False if there is none of this name. Raises Gone when it cannot go on."""
    function = _APPLICATIONS.get(application)
    if function is None:
        return False
    channel.broken.clear()
    channel.variables.pop("current_application_response", None)
    await function(channel, argument)
    return True


async def _answer(channel: Channel, argument: str) -> None:
    if not channel.is_answered:
        channel.is_answered = True
        channel.tell("CHANNEL_ANSWER")


async def _hangup(channel: Channel, argument: str) -> None:
    channel.hang_up(argument or "NORMAL_CLEARING")


async def _set(channel: Channel, argument: str) -> None:
    name, _, value = argument.partition("=")
    channel.variables[name] = value


async def _multiset(channel: Channel, argument: str) -> None:
    mark, pairs = (argument[2], argument[3:]) if argument.startswith("^^") else (" ", argument)
    for pair in pairs.split(mark):
        await _set(channel, pair)


async def _playback(channel: Channel, argument: str) -> None:
    lasts_s = _duration_s(argument)
    if lasts_s is None:
        channel.variables["current_application_response"] = "FILE NOT FOUND"
        return
    channel.variables["current_application_response"] = "PLAYBACK ERROR"
    channel.variables["playback_terminator_used"] = ""
    path = [("Playback-File-Path", argument)]
    channel.tell("PLAYBACK_START", path)
    status = "done"
    try:
        status = await _play(channel, lasts_s)
    finally:
        channel.tell("PLAYBACK_STOP", [*path, ("Playback-Status", status)])
    channel.variables["current_application_response"] = "FILE PLAYED"


async def _say(channel: Channel, argument: str) -> None:
    """As the real one it does not say whether it spoke."""
    if argument.split(" ")[0] in LANGUAGES:
        await _play(channel, SAID_S)


async def _play(channel: Channel, lasts_s: float) -> str:
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


def _duration_s(file: str) -> float | None:
    if tone := _TONE.match(file):
        return (int(tone[1]) + int(tone[2])) / 1000 * int(tone[3] or 1)
    if file.startswith("silence_stream://"):
        return int(file.partition("//")[2]) / 1000
    if file.startswith("local_stream://"):
        return 1e9 if STREAMS else None
    try:
        with wave.open(file, "rb") as sound:
            return sound.getnframes() / sound.getframerate()
    except OSError:
        return None


async def _record(channel: Channel, argument: str) -> None:
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


async def _play_and_get_digits(channel: Channel, argument: str) -> None:
    """least, most, tries, wait_ms, terminators, file, bad file, variable, pattern, between_ms"""
    least, most, tries, wait_ms, ends, file, bad, variable, pattern, between_ms = argument.split(" ")
    for _ in range(int(tries)):
        digits = await _digits(channel, file, int(most), int(wait_ms), int(between_ms), ends)
        if len(digits) >= int(least) and re.fullmatch(pattern, digits):
            channel.variables |= {variable: digits, "read_result": "success"}
            return
        await _play(channel, _duration_s(bad) or 0.0)
    channel.variables["read_result"] = "failure"


async def _read(channel: Channel, argument: str) -> None:
    """least, most, file, variable, wait_ms, terminators"""
    _, most, file, variable, wait_ms, ends = argument.split(" ")
    channel.variables[variable] = await _digits(channel, file, int(most), int(wait_ms), int(wait_ms), ends)


async def _digits(channel: Channel, file: str, most: int, wait_ms: int, between_ms: int, ends: str) -> str:
    digits = ""
    left_s = (_duration_s(file) or 0.0) + wait_ms / 1000
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


async def _park(channel: Channel, argument: str) -> None:
    while not channel.broken.is_set():
        await channel.frame()


_APPLICATIONS: dict[str, Callable[[Channel, str], Awaitable[None]]] = {
    "answer": _answer,
    "hangup": _hangup,
    "set": _set,
    "multiset": _multiset,
    "playback": _playback,
    "say": _say,
    "record": _record,
    "play_and_get_digits": _play_and_get_digits,
    "read": _read,
    "park": _park,
}
