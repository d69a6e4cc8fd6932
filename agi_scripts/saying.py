"""Speaking values by Asterisk's own rules and sounds for a language. Called by the phone.

Unlike a prompt, a value is spoken to its end even if this worker dies meanwhile: Asterisk 22.10 looks at the AGI
connection only afterwards. The call then goes to the next worker as usual.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agi_scripts import commands
from cordboard.telephony.outcomes import Done, Failed, Outcome
from cordboard.telephony.verbs import Say

if TYPE_CHECKING:
    from agi_scripts.phone import AsteriskPhone

DIGIT_S = 1.5  # longer than any language's recording of one digit
PHRASE_S = 30.0  # a nine-figure number or a whole date, spoken slowly
NUMBER_MAX = 999_999_999

_DIGITS = re.compile(r"[0-9*#]{1,64}")
_WHOLE = re.compile(r"-?[0-9]{1,12}")
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")

# Asterisk's letters: A weekday, B month, d day, Y year, I and k hour of 12 and 24, M minute, p am or pm.
_LAYOUTS = {
    "date": {"en": "ABdY", "": "AdBY"},
    "time": {"en": "IMp", "es": "IMp", "": "kM"},
}


async def say(phone: AsteriskPhone, verb: Say) -> Outcome:
    """Speak one value. A value that cannot be spoken is `Failed`: a caller or a CRM may have supplied it."""
    spoken = _line(verb)
    if spoken is None:
        return Failed(f"not a {verb.kind} that can be spoken")
    line, longest_s = spoken
    await phone.outlast(longest_s)
    await phone.speak(asterisk_language(verb.language))
    reply = await phone.command(line, longest_s)
    return Done() if reply.number >= 0 else await phone.failed(f"Asterisk could not say a {verb.kind}")


def asterisk_language(tag: str) -> str:
    """Our language tag in Asterisk's spelling: "pt-br" is "pt_BR"."""
    language, _, region = tag.partition("-")
    return f"{language}_{region.upper()}" if region else language


def _line(verb: Say) -> tuple[bytes, float] | None:
    """The command for a value and the longest it can take, or None if it is not such a value."""
    if verb.kind == "digits":
        fits = _DIGITS.fullmatch(verb.value)
        return (commands.say_digits(verb.value), DIGIT_S * len(verb.value)) if fits else None
    if not _WHOLE.fullmatch(verb.value):
        return None
    number = int(verb.value)
    if verb.kind == "number":
        return (commands.say_number(number), PHRASE_S) if abs(number) <= NUMBER_MAX else None
    if not _ZONE.fullmatch(verb.zone):
        return None
    layouts = _LAYOUTS[verb.kind]
    layout = layouts.get(verb.language.partition("-")[0], layouts[""])
    return commands.say_datetime(number, layout, verb.zone), PHRASE_S
