"""When the input of a question is over: after how many keys, after which ones. Pure; used by the phones."""

from __future__ import annotations

from cordboard.telephony.outcomes import Gathered
from cordboard.telephony.verbs import Gather


def take_key(verb: Gather, digits: str, key: str) -> str | Gathered:
    """The digits with one more key, or the outcome if that ends the input."""
    if key == verb.end_key:
        return Gathered(digits, "end_key")
    digits += key
    is_over = len(digits) >= verb.max_digits or digits in verb.ends
    return Gathered(digits, "full") if is_over else digits


def take_typed(verb: Gather) -> str | Gathered:
    """The same for all that was keyed before the question."""
    digits = ""
    for key in verb.typed:
        taken = take_key(verb, digits, key)
        if isinstance(taken, Gathered):
            return taken
        digits = taken
    return digits
