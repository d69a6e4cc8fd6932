"""What whoever picks up hears before pressing 1, as the one file that FreeSWITCH plays to a leg then.

Called by `handing_over`. It is played without a worker, so only what is a file can be said: prompts, and digits one
by one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cordboard.telephony.outcomes import Failed
from cordboard.telephony.verbs import Prompt, Utterance
from esl_apps import commands
from esl_apps.playing import file_part

if TYPE_CHECKING:
    from esl_apps.phone import FreeswitchPhone

MAX_SOUNDS = 40  # a sentence with a number in it

_DIGITS = re.compile(r"[0-9*#]{1,20}")
_FILES = re.compile(r"file_string://([A-Za-z0-9_./!-]{1,2000})")


async def screen_file(phone: FreeswitchPhone, utterances: Sequence[Utterance]) -> str | Failed:
    """The file, "" for none."""
    files: list[str] = []
    for one in utterances:
        if isinstance(one, Prompt):
            part = file_part(phone, one)
            found = part if isinstance(part, Failed) else [part.argument]
        elif one.kind == "digits" and _DIGITS.fullmatch(one.value):
            found = await _digit_files(phone, one.language.partition("-")[0], one.value)
        else:
            found = Failed("only prompts and digits can be said to who is called")
        if isinstance(found, Failed):
            return found
        files += found
    if len(files) > MAX_SOUNDS:
        return Failed("too much to say before a call is accepted")
    return f"file_string://{'!'.join(files)}" if files else ""


async def _digit_files(phone: FreeswitchPhone, language: str, digits: str) -> list[str] | Failed:
    """FreeSWITCH's own sounds for digits."""
    words = ("say_string", f"{language}.wav", language, "name_spelled", "pronounced", digits)
    found = _FILES.fullmatch((await phone.api(commands.api_words(*words))).strip())
    return found[1].split("!") if found else Failed(f"FreeSWITCH cannot say digits in {language}")
