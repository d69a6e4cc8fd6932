"""Splits a prompt's text into words and the values that stand in it: "You owe {amount|money GBP} by {due|date}."

Pure; used by `prompt_texts`. What a variable is, and whether it can be spoken so, is decided there.

    {amount}            by its type: a number
    {amount|money}      by a kind
    {place|ordinal f}   by a kind and what it wants to know: a gender, a currency
    {{ and }}           the braces themselves
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r"\{\{|\}\}|\{[^{}]*\}|[{}]|[^{}]+")
_VALUE = re.compile(r"\{\s*([a-z]\w*(?:\.[A-Za-z]\w*)*)\s*(?:\|\s*(\w+)(?:\s+(\w+))?\s*)?\}", re.ASCII)
_BRACES = {"{{": "{", "}}": "}"}
_IN_FRONT = " \t\r\n,.;:!?)"  # what remains of a sentence behind a value


class TextRefused(Exception):
    """A text that cannot be split. offset: of the fault within the text, from 0."""

    def __init__(self, message: str, hint: str, offset: int) -> None:
        self.message, self.hint, self.offset = message, hint, offset
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Words:
    """Words as they stand."""

    text: str


@dataclass(frozen=True, slots=True)
class ValueAt:
    """A value. kind, detail: "" if not written; offset: of its brace within the text, from 0."""

    variable: str
    kind: str
    detail: str
    offset: int


def split_text(text: str) -> tuple[Words | ValueAt, ...]:
    """The parts of a text, without stretches of nothing but signs. Raises TextRefused."""
    parts: list[Words | ValueAt] = []
    words = ""
    for part in _tokens(text):
        if isinstance(part, str):
            words += part
        else:
            parts += _spoken(words, is_first=not parts)
            parts.append(part)
            words = ""
    return (*parts, *_spoken(words, is_first=not parts))


def _tokens(text: str) -> Iterator[str | ValueAt]:
    for token in _TOKEN.finditer(text):
        piece = token[0]
        if piece in _BRACES:
            yield _BRACES[piece]
        elif piece[0] in "{}":
            yield _value(piece, token.start())
        else:
            yield piece


def _value(piece: str, offset: int) -> ValueAt:
    found = _VALUE.fullmatch(piece)
    if found:
        return ValueAt(found[1], found[2] or "", found[3] or "", offset)
    hint = "write {amount} or {amount|money}; for a brace itself write {{ or }}"
    if len(piece) == 1:
        raise TextRefused(f"a `{piece}` without its other half", hint, offset)
    raise TextRefused(f"`{piece}` is no variable to be spoken", hint, offset)


def _spoken(words: str, *, is_first: bool) -> list[Words]:
    """The words, if anything in them can be spoken."""
    text = words.strip() if is_first else words.lstrip(_IN_FRONT).rstrip()
    return [Words(text)] if any(one.isalnum() for one in text) else []
