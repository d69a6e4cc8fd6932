"""Answering, and playing prompts and music. Called by the phone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agi_scripts import commands
from agi_scripts.replies import Reply
from cordboard.telephony.outcomes import Done, Failed, Outcome
from cordboard.telephony.ports import SoundFile
from cordboard.telephony.verbs import Answer, Hold, Play, Prompt

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
    """Play to the end; keys are ignored."""
    pressed = await play_all(phone, verb.prompts, keys="")
    return pressed if isinstance(pressed, Failed) else Done()


async def hold(phone: AsteriskPhone, verb: Hold) -> Outcome:
    """Have music play. Asterisk plays it by itself: no verb runs, so the next line is carried out at once."""
    if not is_music_class(verb.music):
        return Failed("not the name of a music class")
    reply = await phone.command(commands.set_music_on(verb.music))
    return Done() if reply.number == 0 else await phone.failed("the music could not be begun")


def is_music_class(text: str) -> bool:
    """Whether a text can name a music class, and can do nothing else inside a dialplan."""
    return _MUSIC_CLASS.fullmatch(text) is not None


async def play_all(phone: AsteriskPhone, prompts: tuple[Prompt, ...], keys: str) -> str | Failed:
    """Play prompts until one of `keys` is pressed: that key, "" if none was, or why a prompt cannot be played."""
    sounds = find_all(phone, prompts)
    if isinstance(sounds, Failed):
        return sounds
    await phone.outlast(sum(map(playing_s, sounds)))
    for prompt, sound in zip(prompts, sounds, strict=True):
        reply = await phone.command(commands.stream_file(sound.path, keys), playing_s(sound))
        if was_not_played(reply):
            return await phone.failed(not_played(prompt))
        if reply.number:
            return chr(reply.number)
    return ""


def find_all(phone: AsteriskPhone, prompts: tuple[Prompt, ...]) -> list[SoundFile] | Failed:
    """The files of prompts, or which prompt has none; nothing is played if one is missing."""
    found = []
    for prompt in prompts:
        sound = phone.settings.sounds.find(prompt)
        if sound is None:
            return Failed(f"no sound for prompt {prompt.flow}/{prompt.name}")
        found.append(sound)
    return found


def playing_s(sound: SoundFile) -> float:
    """The longest that playing a file can take."""
    return sound.duration_s + PLAY_SLACK_S


def was_not_played(reply: Reply) -> bool:
    """Asterisk says it "played" nothing of a file which it does not find."""
    return reply.number < 0 or (reply.number == 0 and reply.end_position == 0)


def not_played(prompt: Prompt) -> str:
    """Words for the log: the file was there for us, and not for Asterisk."""
    return f"Asterisk could not play prompt {prompt.flow}/{prompt.name}"
