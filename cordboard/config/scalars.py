"""What an unquoted word of YAML means: almost always text.

Only what nobody can mean otherwise is a number or a truth value. YAML 1.1 reads `9:30` as 570, `0123` as 83,
`+442079460123` as a number and `no` as false; here all of them stay text.
"""

from __future__ import annotations

import re

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")  # 18 digits fit 64 bits; longer ones are account numbers: text
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "": None}


class WrittenDecimal(float):
    """A decimal number which remembers how it was written, so that a version `1.10` can still be read as text."""

    __slots__ = ("text",)

    def __new__(cls, text: str) -> WrittenDecimal:
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


def plain_value(word: str) -> str | int | float | bool | None:
    """The value of a word written without quotes."""
    if word in _WORDS:
        return _WORDS[word]
    if _WHOLE.fullmatch(word):
        return int(word)
    if _DECIMAL.fullmatch(word):
        return WrittenDecimal(word)
    return word


def as_written(value: object) -> object:
    """The text of a scalar as it stands in the file; anything else unchanged."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, WrittenDecimal):
        return value.text
    return str(value) if isinstance(value, int) else value
