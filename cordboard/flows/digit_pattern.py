"""Patterns for digits, as `gather` takes them: regular expressions that cannot run for ever.

They are matched by RE2 within CEL, in time that grows with the digits alone: what would need more (back
references, looking ahead) is refused when the flow loads. A pattern is one for all of the digits, as if it stood
between ^ and $.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from cordboard.flows.conditions import Expression, ExpressionFailed, ExpressionRefused, Scope

MAX_CHARACTERS = 200

_NAME = "digits"


class PatternRefused(Exception):
    """A text that is no pattern; the message says why."""


@dataclass(frozen=True, slots=True)
class DigitPattern:
    """A compiled pattern."""

    _matches: Expression

    def fits(self, digits: str) -> bool:
        """Whether all of these digits are what the pattern describes."""
        return bool(self._matches.evaluate({_NAME: digits}))


def compile_pattern(text: str) -> DigitPattern:
    """The pattern of a text. Raises PatternRefused."""
    if len(text) > MAX_CHARACTERS:
        raise PatternRefused(f"a pattern has at most {MAX_CHARACTERS} characters")
    whole = json.dumps(f"^(?:{text})$")  # a JSON text is a CEL text too
    try:
        pattern = DigitPattern(Scope({_NAME: "string"}).compile(f"{_NAME}.matches({whole})"))
        pattern.fits("")  # RE2 reads it now, and not before
    except (ExpressionRefused, ExpressionFailed) as refused:
        raise PatternRefused(_words(str(refused))) from refused
    return pattern


def _words(complaint: str) -> str:
    """RE2's own words, without what CEL says around them: "missing ]: [1-9)$"."""
    return complaint.rpartition("invalid regular expression: ")[2].strip()
