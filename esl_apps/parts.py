"""One piece of what a caller hears, as FreeSWITCH is asked for it: a file to play or a value to speak.

Made by `playing` and `saying`, from verbs; carried out here. FreeSWITCH itself stops a piece at a key, within one
frame of 20 ms: the keys that do are a channel variable. It sees only keys that come while it plays. One that comes
in the milliseconds between two pieces reaches us as an event when the next one has begun, and is stopped from here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cordboard.telephony.outcomes import Failed

if TYPE_CHECKING:
    from esl_apps.phone import FreeswitchPhone
    from esl_apps.session import Execution

KEY_GRACE_S = 0.1  # within this FreeSWITCH has stopped by itself at a key that came while it played


@dataclass(frozen=True, slots=True)
class Part:
    """application, argument: what is executed; longest_s: what it can take at most; fault: words for the log.

    is_file: FreeSWITCH says whether it could play it; of a value it does not. zone: for moments, "" otherwise.
    language: whose rules a value is spoken by, "" for a file.
    """

    application: str
    argument: str
    longest_s: float
    fault: str
    is_file: bool = True
    language: str = ""
    zone: str = ""


async def play_part(phone: FreeswitchPhone, part: Part, *, keys: bool) -> Failed | None:
    """Play one part to its end or, if keys count, until there is one. Failed if it could not be played."""
    if keys and phone.keys:
        return None
    await phone.outlast(part.longest_s)
    await phone.prepare(keys="any" if keys else "none", zone=part.zone)
    execution = phone.begin(part.application, part.argument, part.longest_s)
    if keys:
        await _end_at_key(phone, execution)
    ended = await execution.done
    was_heard = not part.is_file or ended.response == "FILE PLAYED" or bool(phone.keys)
    return None if was_heard else Failed(part.fault)


async def _end_at_key(phone: FreeswitchPhone, execution: Execution) -> None:
    """Wait for the end, or for a key; what plays on in spite of a key is stopped."""
    pressed = phone.keys.pressed()
    either: list[asyncio.Future[Any]] = [execution.done, pressed]
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    pressed.cancel()
    if execution.done.done():
        return
    await asyncio.wait({execution.done}, timeout=KEY_GRACE_S)
    if not execution.done.done():
        await phone.stop(execution)
