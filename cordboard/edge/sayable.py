"""Which values can be spoken, and how long that takes at most. Pure; used by the phones before they ask a switch.

A caller or a CRM may have supplied a value, so what does not fit is no fault of ours: the verb fails, with a word.
"""

from __future__ import annotations

import re

from cordboard.telephony.verbs import Say

CHARACTER_S = 1.5  # longer than any language's recording of one digit or letter
PHRASE_S = 30.0  # a nine-figure number or a whole date, spoken slowly
NUMBER_MAX = 999_999_999

_DIGITS = re.compile(r"[0-9*#]{1,64}")
_SPELLED = re.compile(r"[A-Za-z0-9*#!@$=+/.-]{1,64}")  # what switches have a sound for, the space left out
_WHOLE = re.compile(r"-?[0-9]{1,12}")
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")


def longest_s(say: Say) -> float | None:
    """The longest it can take to speak the value; None if it is none that can be spoken."""
    if say.kind in ("digits", "spelled"):
        pattern = _DIGITS if say.kind == "digits" else _SPELLED
        return CHARACTER_S * len(say.value) if pattern.fullmatch(say.value) else None
    value = whole(say.value)
    if value is None:
        return None
    fits = abs(value) <= NUMBER_MAX if say.kind == "number" else _ZONE.fullmatch(say.zone)
    return PHRASE_S if fits else None


def whole(text: str) -> int | None:
    """A whole number of at most twelve digits; None if it is none."""
    return int(text) if _WHOLE.fullmatch(text) else None
