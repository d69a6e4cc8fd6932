"""Collecting keys. Called by the phone.

While no verb runs Asterisk throws keys away, so the lines are chosen to leave no gap where a key is likely: the
last prompt and the wait for the first key are one line (`GET OPTION`), and after a key the next line is there
0.3 ms later, long before the next key. Keys of a secret gather pass through here like all others: nothing in this
package logs a reply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agi_scripts import commands
from agi_scripts.playing import find_all, not_played, play_all, playing_s, was_not_played
from cordboard.telephony.outcomes import Failed, Gathered, NoInput, Outcome
from cordboard.telephony.ports import SoundFile
from cordboard.telephony.verbs import KEYS, Gather

if TYPE_CHECKING:
    from agi_scripts.phone import AsteriskPhone


async def gather(phone: AsteriskPhone, verb: Gather) -> Outcome:
    """Play, then collect until enough keys, the end key, or a pause that is too long."""
    first = await _first_key(phone, verb)
    if isinstance(first, Failed):
        return first
    if not first:
        return NoInput()
    digits = ""
    key = first
    while key:
        if key == verb.end_key:
            return Gathered(digits, "end_key")
        digits += key
        if len(digits) >= verb.max_digits:
            return Gathered(digits, "full")
        waited = await _next_key(phone, verb.inter_digit_s)
        if isinstance(waited, Failed):
            return waited
        key = waited
    return Gathered(digits, "timeout")


async def _first_key(phone: AsteriskPhone, verb: Gather) -> str | Failed:
    """The key that stops a prompt or comes after the last one; "" if none came in time."""
    if not (verb.prompts and verb.barge_in):
        played = await play_all(phone, verb.prompts, keys="")
        return played or await _next_key(phone, verb.first_digit_s)
    sounds = find_all(phone, verb.prompts)
    if isinstance(sounds, Failed):
        return sounds
    await phone.outlast(sum(map(playing_s, sounds)) + verb.first_digit_s)
    played = await play_all(phone, verb.prompts[:-1], keys=KEYS)
    return played or await _last_prompt(phone, verb, sounds[-1])


async def _last_prompt(phone: AsteriskPhone, verb: Gather, sound: SoundFile) -> str | Failed:
    line = commands.get_option(sound.path, KEYS, _ms(verb.first_digit_s))
    reply = await phone.command(line, playing_s(sound) + verb.first_digit_s)
    if was_not_played(reply):
        return await phone.failed(not_played(verb.prompts[-1]))
    return chr(reply.number) if reply.number else ""


async def _next_key(phone: AsteriskPhone, wait_s: float) -> str | Failed:
    """One key, or "" after `wait_s`. Keys A to D, which no telephone has, do not count."""
    until = phone.now() + wait_s
    while True:
        left_s = max(0.0, until - phone.now())
        reply = await phone.command(commands.wait_for_digit(_ms(left_s)), left_s)
        if reply.number < 0:
            return await phone.failed("Asterisk could not wait for a key")
        key = chr(reply.number) if reply.number else ""
        if not key or key in KEYS:
            return key


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
