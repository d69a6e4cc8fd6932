"""One piece of what a caller hears, as Asterisk is asked for it: a file to play or a value to speak.

Made by `playing` and `saying`, from verbs; sent from here. Both kinds are stopped by a key in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agi_scripts.replies import Reply
from cordboard.telephony.outcomes import Failed

if TYPE_CHECKING:
    from agi_scripts.phone import AsteriskPhone


@dataclass(frozen=True, slots=True)
class Part:
    """line: the command, for the keys that stop it; longest_s: what it can take at most.

    path: of a file, "" for a value; language: the switch's name of a value's, "" for a file.
    fault: words for the log if Asterisk cannot.
    """

    line: Callable[[str], bytes]
    longest_s: float
    fault: str
    path: str = ""
    language: str = ""

    def was_heard(self, reply: Reply) -> bool:
        """Whether Asterisk did it. It says it "played" nothing of a file which it does not find."""
        return reply.number > 0 or (reply.number == 0 and not (self.path and reply.end_position == 0))


async def play_part(phone: AsteriskPhone, part: Part, keys: str) -> str | Failed:
    """Play one part until one of `keys` is pressed: that key, "" if none was, or why it could not be played."""
    if part.language:
        await phone.speak(part.language)
    reply = await phone.command(part.line(keys), part.longest_s)
    return await key_of(phone, part, reply)


async def key_of(phone: AsteriskPhone, part: Part, reply: Reply) -> str | Failed:
    """What the reply to a part's line says, as `play_part` does."""
    if not part.was_heard(reply):
        return await phone.failed(part.fault)
    return chr(reply.number) if reply.number else ""
