"""What whoever picks up hears before pressing 1, as the sounds that the dialplan's `Read` plays.

Called by `handing_over`. The dialplan plays it without a worker, so only what is a file can be said: prompts, and
digits one by one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agi_scripts.saying import asterisk_language
from cordboard.telephony.outcomes import Failed
from cordboard.telephony.verbs import Prompt, Say, Utterance

if TYPE_CHECKING:
    from agi_scripts.phone import AsteriskPhone

MAX_SOUNDS = 40  # a sentence with a number in it

_PATH = re.compile(r"/[^,&^;~:\\\"'()\[\]{}|$\r\n\0]{1,250}")  # one file, whatever the dialplan does with the text
_DIGITS = re.compile(r"[0-9*#]{1,20}")
_NAMES = {"*": "star", "#": "pound"}


async def screen_sounds(phone: AsteriskPhone, utterances: Sequence[Utterance]) -> str | Failed:
    """The sounds, joined with "&"; "" for none."""
    sounds: list[str] = []
    for one in utterances:
        found = _prompt_sound(phone, one) if isinstance(one, Prompt) else await _digit_sounds(phone, one)
        if isinstance(found, Failed):
            return found
        sounds += found
    return "&".join(sounds) if len(sounds) <= MAX_SOUNDS else Failed("too much to say before a call is accepted")


def _prompt_sound(phone: AsteriskPhone, prompt: Prompt) -> list[str] | Failed:
    sound = phone.settings.sounds.find(prompt)
    if sound is None or not _PATH.fullmatch(sound.path):
        return Failed(f"no sound for prompt {prompt.flow}/{prompt.name}")
    return [sound.path]


async def _digit_sounds(phone: AsteriskPhone, say: Say) -> list[str] | Failed:
    """Asterisk's own sounds, in the language that the called leg inherits from the caller's."""
    if say.kind != "digits" or not _DIGITS.fullmatch(say.value):
        return Failed("only prompts and digits can be said to who is called")
    await phone.speak(asterisk_language(say.language))
    return [f"digits/{_NAMES.get(digit, digit)}" for digit in say.value]
