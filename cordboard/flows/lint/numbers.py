"""Digits that are taken for numbers and lose their zeros: `lost-zeros`.

Values of the YAML itself are safe, `0123` and `+44` stay text there; within an expression CEL reads numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cordboard.config.findings import Finding
from cordboard.flows.conditions import CALL_FIELDS
from cordboard.flows.lint.subject import Subject

_Trap = tuple[int, str, str]  # where in an expression, what, and what to write instead

_TEXT = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_LEADING_ZERO = re.compile(rf"{_TEXT}|(?<![\w.])(?P<number>0[0-9]+)(?![\w.])")
_INT = r"int\(\s*[a-z][\w.]*\s*\)"
_COMPARED = re.compile(rf"{_TEXT}|(?P<int>{_INT})\s*[!=]=|[!=]=\s*(?P<other>{_INT})")


def lost_zeros(subject: Subject) -> Iterator[Finding]:
    """Each number written with a leading zero, and each text that is made a number only to be compared."""
    for use in subject.uses.expressions:
        for place, message, hint in (*_leading_zeros(use.name), *_compared_texts(use.name, subject)):
            yield subject.within(("nodes", use.node, *use.keys), place, "lost-zeros", message, hint)


def _leading_zeros(expression: str) -> Iterator[_Trap]:
    for found in _LEADING_ZERO.finditer(expression):
        if number := found["number"]:
            yield found.start(), f"`{number}` is the number {int(number)} here", f"for digits write '{number}'"


def _compared_texts(expression: str, subject: Subject) -> Iterator[_Trap]:
    for found in _COMPARED.finditer(expression):
        formula = found["int"] or found["other"]
        if formula:
            name = formula[4:-1].strip()
            if name in CALL_FIELDS or subject.variables.get(name) == "string":
                message = f"`{formula}` has no leading zeros any more: 0123 and 123 are equal here"
                yield found.start(), message, f"compare the text: {name} == '123'"
