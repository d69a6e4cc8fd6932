"""Answering, and playing prompts, values and music. Called by the phone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cordboard.telephony.outcomes import Done, Failed, Interrupted, Outcome
from cordboard.telephony.verbs import Answer, Hold, Play, Prompt, Say, Utterance
from esl_apps.parts import Part, play_part
from esl_apps.saying import saying_part

if TYPE_CHECKING:
    from esl_apps.phone import FreeswitchPhone

ANSWER_S = 5.0  # a caller's own SIP stack has to confirm it
PLAY_SLACK_S = 1.0  # a file takes a little longer than it lasts: opening, the last frame
MUSIC_S = 2.0  # a stream that is there begins within a frame

_STREAM = re.compile(r"[A-Za-z0-9_-]{1,80}")
_PATH = re.compile(r"/[^,;!@:|~\\\"'()\[\]{}$\r\n\0]{1,250}")  # one file, whatever FreeSWITCH does with the text


async def answer(phone: FreeswitchPhone, verb: Answer) -> Outcome:
    """Pick up."""
    await phone.execute("answer", "", ANSWER_S)
    phone.keys.forget()
    return Done()


async def play(phone: FreeswitchPhone, verb: Play) -> Outcome:
    """Play to the end, or until a key, if keys count."""
    fault = await play_all(phone, verb.prompts, keys=verb.keys)
    if fault is not None:
        return fault
    if verb.keys and phone.keys:
        return Interrupted(phone.keys.take())
    phone.keys.forget()
    return Done()


async def hold(phone: FreeswitchPhone, verb: Hold) -> Outcome:
    """Have music play: a stream that does not end, until the next verb, or the loss of our connection, stops it."""
    if not is_stream(verb.music):
        return Failed("not the name of a music stream")
    await phone.outlast(0.0)
    await phone.prepare(keys="none")
    phone.keys.forget()
    began = phone.await_event("PLAYBACK_START")
    execution = phone.begin("playback", f"local_stream://{verb.music}", None)
    await phone.while_here((began, execution.done), MUSIC_S)
    if not began.done() or execution.done.done():
        await phone.stop(execution)
        return Failed(f"FreeSWITCH has no music {verb.music}, and no default (is mod_local_stream loaded?)")
    phone.note_hold(execution, verb.music, are_keys_heard=verb.keys)
    return Done()


def is_stream(text: str) -> bool:
    """Whether a text can name a stream of music, and can do nothing else in a command."""
    return _STREAM.fullmatch(text) is not None


async def play_all(phone: FreeswitchPhone, utterances: Sequence[Utterance], *, keys: bool) -> Failed | None:
    """Play all, or until there is a key, if keys count. Failed, and nothing played, if one cannot be found."""
    parts = parts_of(phone, utterances)
    if isinstance(parts, Failed):
        return parts
    await phone.outlast(sum(part.longest_s for part in parts))
    for part in parts:
        if fault := await play_part(phone, part, keys=keys):
            return fault
    return None


def parts_of(phone: FreeswitchPhone, utterances: Sequence[Utterance]) -> list[Part] | Failed:
    """How to play each, or which one cannot be played."""
    parts: list[Part] = []
    for one in utterances:
        found = saying_part(one) if isinstance(one, Say) else [file_part(phone, one)]
        if isinstance(found, Failed):
            return found
        for part in found:
            if isinstance(part, Failed):
                return part
            parts.append(part)
    return parts


def file_part(phone: FreeswitchPhone, prompt: Prompt) -> Part | Failed:
    """A recording, with its extension: FreeSWITCH converts the rate."""
    name = f"prompt {prompt.flow}/{prompt.name}"
    sound = phone.settings.sounds.find(prompt)
    if sound is None or not _PATH.fullmatch(sound.path):
        return Failed(f"no sound for {name}")
    return Part(
        "playback", f"{sound.path}.wav", sound.duration_s + PLAY_SLACK_S, f"FreeSWITCH could not play {name}"
    )
