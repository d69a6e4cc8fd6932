"""Answering, and playing prompts, values and music. Called by the phone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from agi_scripts import commands
from agi_scripts.hold_keys import CONTEXT
from agi_scripts.parts import Part, play_part
from agi_scripts.saying import saying_part
from cordboard.telephony.outcomes import Done, Failed, Interrupted, Outcome
from cordboard.telephony.verbs import KEYS, Answer, Hold, Play, Prompt, Say, Utterance

if TYPE_CHECKING:
    from agi_scripts.phone import AsteriskPhone

ANSWER_S = 1.0  # ANSWER waits up to 0.5 s for the first media
PLAY_SLACK_S = 1.0  # a file takes a little longer than it lasts: opening, the last frame

_MUSIC_CLASS = re.compile(r"[A-Za-z0-9_-]{1,80}")


async def answer(phone: AsteriskPhone, verb: Answer) -> Outcome:
    """Pick up."""
    reply = await phone.command(commands.answer(), ANSWER_S)
    return Done() if reply.number == 0 else await phone.failed("ANSWER was refused")


async def play(phone: AsteriskPhone, verb: Play) -> Outcome:
    """Play to the end, or until a key, if keys count."""
    pressed = await play_all(phone, verb.prompts, KEYS if verb.keys else "")
    if isinstance(pressed, Failed):
        return pressed
    return Interrupted(pressed) if pressed else Done()


async def hold(phone: AsteriskPhone, verb: Hold) -> Outcome:
    """Have music play. Asterisk plays it by itself: no verb runs, so the next line is carried out at once."""
    if not is_music_class(verb.music):
        return Failed("not the name of a music class")
    await phone.have_keys_heard(are_heard=verb.keys and await _can_be_heard(phone))
    reply = await phone.command(commands.set_music_on(verb.music))
    return Done() if reply.number == 0 else await phone.failed("the music could not be begun")


async def _can_be_heard(phone: AsteriskPhone) -> bool:
    """Whether the dialplan has the context for it; one that was written by an earlier release has not."""
    reply = await phone.command(commands.get_variable(f"DIALPLAN_EXISTS({CONTEXT},s,1)"))
    return reply.rest != "(0)"


def is_music_class(text: str) -> bool:
    """Whether a text can name a music class, and can do nothing else inside a dialplan."""
    return _MUSIC_CLASS.fullmatch(text) is not None


async def play_all(phone: AsteriskPhone, utterances: Sequence[Utterance], keys: str) -> str | Failed:
    """Play until one of `keys` is pressed: that key, "" if none was, or why something cannot be played."""
    parts = parts_of(phone, utterances)
    return parts if isinstance(parts, Failed) else await play_parts(phone, parts, keys)


async def play_parts(phone: AsteriskPhone, parts: Sequence[Part], keys: str) -> str | Failed:
    """The same for parts that have been found."""
    await phone.outlast(longest_s(parts))
    for part in parts:
        pressed = await play_part(phone, part, keys)
        if pressed:
            return pressed
    return ""


def parts_of(phone: AsteriskPhone, utterances: Sequence[Utterance]) -> list[Part] | Failed:
    """How to play each, or which one cannot be played; nothing is played then."""
    parts = []
    for one in utterances:
        part = saying_part(one) if isinstance(one, Say) else _file_part(phone, one)
        if isinstance(part, Failed):
            return part
        parts.append(part)
    return parts


def longest_s(parts: Sequence[Part]) -> float:
    """The longest that all of them can take."""
    return sum(part.longest_s for part in parts)


def _file_part(phone: AsteriskPhone, prompt: Prompt) -> Part | Failed:
    name = f"prompt {prompt.flow}/{prompt.name}"
    sound = phone.settings.sounds.find(prompt)
    if sound is None:
        return Failed(f"no sound for {name}")
    line = partial(commands.stream_file, sound.path)
    return Part(line, sound.duration_s + PLAY_SLACK_S, f"Asterisk could not play {name}", path=sound.path)
