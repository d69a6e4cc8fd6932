"""Collecting keys. Called by the phone.

Keys come as events, whatever FreeSWITCH does, so the times between them are measured here and nothing is asked of
FreeSWITCH but to play. Keys of a secret gather pass through here like all others: nothing in this package logs one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cordboard.edge.key_input import take_key, take_typed
from cordboard.telephony.outcomes import Gathered, NoInput, Outcome
from cordboard.telephony.verbs import Gather
from esl_apps.playing import play_all

if TYPE_CHECKING:
    from esl_apps.phone import FreeswitchPhone


async def gather(phone: FreeswitchPhone, verb: Gather) -> Outcome:
    """Play, then collect until enough keys, the end key, or a pause that is too long."""
    digits = take_typed(verb)
    if isinstance(digits, Gathered):
        return digits
    if fault := await play_all(phone, verb.prompts, keys=verb.barge_in):
        return fault
    if not verb.barge_in:
        phone.keys.forget()
    return await _collect(phone, verb, digits)


async def _collect(phone: FreeswitchPhone, verb: Gather, digits: str) -> Outcome:
    """Wait for keys behind those that are there."""
    key = await _next_key(phone, verb.inter_digit_s if digits else verb.first_digit_s, phone.now())
    if not (key or digits):
        return NoInput()
    while key:
        taken = take_key(verb, digits, key)
        if isinstance(taken, Gathered):
            return taken
        digits = taken
        key = await _next_key(phone, verb.inter_digit_s, phone.keys.last_at)
    return Gathered(digits, "timeout")


async def _next_key(phone: FreeswitchPhone, wait_s: float, since: float) -> str:
    """One key, or "" when `wait_s` have passed since a moment of the loop's clock."""
    if phone.keys:
        return phone.keys.take()
    left_s = max(0.0, since + wait_s - phone.now())
    await phone.outlast(left_s)
    pressed = phone.keys.pressed()
    try:
        await phone.while_here({pressed}, left_s)
    finally:
        pressed.cancel()
    return phone.keys.take()
