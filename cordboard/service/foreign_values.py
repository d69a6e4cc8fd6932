"""Takes values that come from outside, of a web service or a script, as the types they are declared with.

Strictly: a number in quotes is text, 3.0 is no whole number, and what does not fit is refused. A flow that was
checked with types must meet no other ones in a call. Pure; no words here hold a value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from cordboard.redaction import clean

Value = str | int | float | bool

TEXT_MAX_CHARACTERS = 1_000  # as much as an expression may give


class WrongValue(ValueError):
    """A value that is not of its type. The words name its place and never the value."""


def take_value(place: str, kind: str, raw: Any) -> Value:
    """The value. kind: string, int, double or bool; place: what it is called, for the words. Raises WrongValue."""
    value = _TAKERS[kind](raw)
    if value is None:
        raise WrongValue(f"`{place}` is no {_WANTED[kind]}")
    return value


def _text(raw: Any) -> str | None:
    """What does not print is left out: it could forge a line of a log, or a header."""
    return clean(raw) if isinstance(raw, str) and len(raw) <= TEXT_MAX_CHARACTERS else None


def _whole(raw: Any) -> int | None:
    return raw if type(raw) is int and -(2**63) <= raw < 2**63 else None


def _number(raw: Any) -> float | None:
    if type(raw) not in (int, float) or abs(raw) > 1e300:
        return None
    return float(raw) if math.isfinite(raw) else None


def _yes_no(raw: Any) -> bool | None:
    return raw if isinstance(raw, bool) else None


_TAKERS: Mapping[str, Callable[[Any], Value | None]] = {
    "string": _text,
    "int": _whole,
    "double": _number,
    "bool": _yes_no,
}
_WANTED = {
    "string": f"text of at most {TEXT_MAX_CHARACTERS} characters",
    "int": "whole number",
    "double": "number",
    "bool": "true or false",
}
