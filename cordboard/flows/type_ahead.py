"""Keys that came before a question was asked: how much of them answers it.

Used by `question`. They are read as a phone would have read them, key by key, had they come while the question was
asked. Nothing here waits: what is not complete yet is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cordboard.telephony.verbs import Gather


@dataclass(frozen=True, slots=True)
class TypedAhead:
    """digits: the input; rest: the keys behind it, for the next question; is_complete: it is over."""

    digits: str = field(repr=False)
    rest: str = field(default="", repr=False)
    is_complete: bool = False


def read_typed(verb: Gather, typed: str) -> TypedAhead:
    """What `verb` would have gathered of these keys."""
    digits = ""
    for number, key in enumerate(typed, start=1):
        if key == verb.end_key:
            return TypedAhead(digits, typed[number:], is_complete=True)
        digits += key
        if len(digits) >= verb.max_digits or digits in verb.ends:
            return TypedAhead(digits, _without_end_key(typed[number:], verb.end_key), is_complete=True)
    return TypedAhead(digits)


def _without_end_key(rest: str, end_key: str) -> str:
    """Whoever types ahead ends a number with the key, whether or not it was full by then."""
    return rest[1:] if end_key and rest.startswith(end_key) else rest
