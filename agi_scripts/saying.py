"""Speaking values by Asterisk's own rules and sounds for a language. Called by the phone.

Unlike a prompt, a value is spoken to its end even if this worker dies meanwhile: Asterisk 22.10 looks at the AGI
connection only afterwards. The call then goes to the next worker as usual.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from agi_scripts import commands
from agi_scripts.parts import Part, play_part
from cordboard.telephony.outcomes import Done, Failed, Outcome
from cordboard.telephony.verbs import Say, SayKind

if TYPE_CHECKING:
    from agi_scripts.phone import AsteriskPhone

Spoken = tuple[Callable[[str], bytes], float]  # the line for the keys that stop it, and the longest it can take

CHARACTER_S = 1.5  # longer than any language's recording of one digit or letter
PHRASE_S = 30.0  # a nine-figure number or a whole date, spoken slowly
NUMBER_MAX = 999_999_999

_DIGITS = re.compile(r"[0-9*#]{1,64}")
_SPELLED = re.compile(r"[A-Za-z0-9*#!@$=+/.-]{1,64}")  # what Asterisk has a sound for, the space left out
_WHOLE = re.compile(r"-?[0-9]{1,12}")
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")

# Asterisk's letters: A weekday, B month, d day, Y year, I and k hour of 12 and 24, M minute, p am or pm.
_LAYOUTS = {
    "date": {"en": "ABdY", "": "AdBY"},
    "time": {"en": "IMp", "es": "IMp", "": "kM"},
}


async def say(phone: AsteriskPhone, verb: Say) -> Outcome:
    """Speak one value. A value that cannot be spoken is `Failed`: a caller or a CRM may have supplied it."""
    part = saying_part(verb)
    if isinstance(part, Failed):
        return part
    await phone.outlast(part.longest_s)
    spoken = await play_part(phone, part, keys="")
    return spoken if isinstance(spoken, Failed) else Done()


def saying_part(verb: Say) -> Part | Failed:
    """How to speak a value, or that it is none that can be spoken."""
    spoken = _LINES[verb.kind](verb)
    if spoken is None:
        return Failed(f"not a {verb.kind} that can be spoken")
    line, longest_s = spoken
    return Part(line, longest_s, f"Asterisk could not say a {verb.kind}", language=asterisk_language(verb.language))


def asterisk_language(tag: str) -> str:
    """Our language tag in Asterisk's spelling: "pt-br" is "pt_BR"."""
    language, _, region = tag.partition("-")
    return f"{language}_{region.upper()}" if region else language


def _number(verb: Say) -> Spoken | None:
    number = _whole(verb.value)
    if number is None or abs(number) > NUMBER_MAX:
        return None
    return lambda keys: commands.say_number(number, keys, verb.gender), PHRASE_S


def _digits(verb: Say) -> Spoken | None:
    if not _DIGITS.fullmatch(verb.value):
        return None
    return lambda keys: commands.say_digits(verb.value, keys), CHARACTER_S * len(verb.value)


def _spelled(verb: Say) -> Spoken | None:
    if not _SPELLED.fullmatch(verb.value):
        return None
    return lambda keys: commands.say_alpha(verb.value, keys), CHARACTER_S * len(verb.value)


def _moment(verb: Say) -> Spoken | None:
    moment = _whole(verb.value)
    if moment is None or not _ZONE.fullmatch(verb.zone):
        return None
    layouts = _LAYOUTS[verb.kind]
    layout = layouts.get(verb.language.partition("-")[0], layouts[""])
    return lambda keys: commands.say_datetime(moment, layout, verb.zone, keys), PHRASE_S


def _whole(text: str) -> int | None:
    return int(text) if _WHOLE.fullmatch(text) else None


_LINES: dict[SayKind, Callable[[Say], Spoken | None]] = {
    "number": _number,
    "digits": _digits,
    "spelled": _spelled,
    "date": _moment,
    "time": _moment,
}
