"""Speaking values by Asterisk's own rules and sounds for a language. Called by the phone.

Unlike a prompt, a value is spoken to its end even if this worker dies meanwhile: Asterisk 22.10 looks at the AGI
connection only afterwards. The call then goes to the next worker as usual.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from agi_scripts import commands
from agi_scripts.parts import Part, play_part
from cordboard.edge.sayable import longest_s
from cordboard.telephony.outcomes import Done, Failed, Outcome
from cordboard.telephony.verbs import Say, SayKind

if TYPE_CHECKING:
    from agi_scripts.phone import AsteriskPhone

Line = Callable[[str], bytes]  # for the keys that stop it

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
    lasts_s = longest_s(verb)
    if lasts_s is None:
        return Failed(f"not a {verb.kind} that can be spoken")
    line = _LINES[verb.kind](verb)
    return Part(line, lasts_s, f"Asterisk could not say a {verb.kind}", language=asterisk_language(verb.language))


def asterisk_language(tag: str) -> str:
    """Our language tag in Asterisk's spelling: "pt-br" is "pt_BR"."""
    language, _, region = tag.partition("-")
    return f"{language}_{region.upper()}" if region else language


def _moment(verb: Say) -> Line:
    layouts = _LAYOUTS[verb.kind]
    layout = layouts.get(verb.language.partition("-")[0], layouts[""])
    return lambda keys: commands.say_datetime(int(verb.value), layout, verb.zone, keys)


_LINES: dict[SayKind, Callable[[Say], Line]] = {
    "number": lambda verb: lambda keys: commands.say_number(int(verb.value), keys, verb.gender),
    "digits": lambda verb: lambda keys: commands.say_digits(verb.value, keys),
    "spelled": lambda verb: lambda keys: commands.say_alpha(verb.value, keys),
    "date": _moment,
    "time": _moment,
}
