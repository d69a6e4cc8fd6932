"""What to write instead of an expression that CEL cannot read, guessed from the slips people make.

Used by `conditions` when an expression is refused. Pure.
"""

from __future__ import annotations

import re

_TEXT = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_SLIPS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), hint)
    for pattern, hint in (
        (r"[‘’“”]", "use straight quotes: ' or \""),
        (r"\b(and|AND)\b", "write && for `and`"),
        (r"\b(or|OR)\b", "write || for `or`"),
        (r"\b(not|NOT)\b", "write ! for `not`"),
        (r"(?<![=!<>])=(?!=)", "write == to compare"),
        (r"<>", "write != for `not equal`"),
        (r"(?<![\w)\]])\+\s*[0-9]", "a phone number is text: '+44...' in quotes"),
        (r"[0-9]{1,2}:[0-9]{2}", "a time is compared by its parts: now.getHours('Europe/London') < 9"),
        (r"[0-9]{19,}", "digits as long as that are text: put them in quotes"),
    )
)


def syntax_hint(expression: str) -> str:
    """What to write, for the first slip that is seen; "" for none. What stands in quotes is left alone."""
    bare = _TEXT.sub("''", expression)
    return next((hint for pattern, hint in _SLIPS if pattern.search(bare)), "")
