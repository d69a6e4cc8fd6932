"""Collecting keys. Called by the phone.

While no verb runs Asterisk throws keys away, so the lines are chosen to leave no gap where a key is likely: the
last prompt and the wait for the first key are one line (`GET OPTION`), and after a key, or a value that was spoken,
the next line is there 0.3 ms later, long before the next key. Keys of a secret gather pass through here like all
others: nothing in this package logs a reply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agi_scripts import commands
from agi_scripts.parts import Part, key_of, play_part
from agi_scripts.playing import longest_s, parts_of, play_all, play_parts
from cordboard.edge.key_input import take_key, take_typed
from cordboard.telephony.outcomes import Failed, Gathered, NoInput, Outcome
from cordboard.telephony.verbs import KEYS, Gather

if TYPE_CHECKING:
    from agi_scripts.phone import AsteriskPhone


async def gather(phone: AsteriskPhone, verb: Gather) -> Outcome:
    """Play, then collect until enough keys, the end key, or a pause that is too long."""
    digits = take_typed(verb)
    return digits if isinstance(digits, Gathered) else await _collect(phone, verb, digits)


async def _collect(phone: AsteriskPhone, verb: Gather, digits: str) -> Outcome:
    """Wait for keys behind those that are there."""
    key = await _first_key(phone, verb)
    if not (key or digits):
        return NoInput()
    while key:
        if isinstance(key, Failed):
            return key
        taken = take_key(verb, digits, key)
        if isinstance(taken, Gathered):
            return taken
        digits = taken
        key = await _next_key(phone, verb.inter_digit_s)
    return Gathered(digits, "timeout")


async def _first_key(phone: AsteriskPhone, verb: Gather) -> str | Failed:
    """The key that stops a prompt or comes after the last one; "" if none came in time."""
    wait_s = verb.inter_digit_s if verb.typed else verb.first_digit_s
    if not (verb.prompts and verb.barge_in):
        played = await play_all(phone, verb.prompts, keys="")
        return played or await _next_key(phone, wait_s)
    parts = parts_of(phone, verb.prompts)
    if isinstance(parts, Failed):
        return parts
    await phone.outlast(longest_s(parts) + wait_s)
    played = await play_parts(phone, parts[:-1], KEYS)
    return played or await _last_part(phone, parts[-1], wait_s)


async def _last_part(phone: AsteriskPhone, part: Part, wait_s: float) -> str | Failed:
    """A key in the last part or after it."""
    if not part.path:
        return await play_part(phone, part, KEYS) or await _next_key(phone, wait_s)
    line = commands.get_option(part.path, KEYS, _ms(wait_s))
    key = await key_of(phone, part, await phone.command(line, part.longest_s + wait_s))
    if not key:
        await phone.check_here()  # who hangs up while it waits for the key is told as one who presses none
    return key


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
