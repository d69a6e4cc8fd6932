"""Conditions that are the same in every call: `constant-condition`, `repeated-condition`.

Both make another line of the branch unreachable, or are unreachable themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cordboard.config.document import Keys
from cordboard.config.findings import Finding
from cordboard.flows.conditions import ExpressionFailed, ExpressionRefused, Scope
from cordboard.flows.lint.subject import Subject
from cordboard.flows.uses import Use

_TEXT_OR_NAME = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|(?P<name>[A-Za-z_]\w*)""")
_WORDS = {"true", "false", "size", "int", "double", "string", "in"}
_NO_NAMES = Scope({})


def constant_conditions(subject: Subject) -> Iterator[Finding]:
    """Each condition of a branch that always holds, or never does."""
    for use in _conditions(subject):
        value = _constant_value(use.name)
        if value is not None:
            word, effect = (
                ("always", "what is below it is never looked at") if value else ("never", "it leads nowhere")
            )
            message = f"`{use.name}` {word} holds: {effect}"
            yield subject.at(_way(use), "constant-condition", message, "write a condition, or take it out")


def repeated_conditions(subject: Subject) -> Iterator[Finding]:
    """Each condition that stands further up in the same branch already."""
    seen: dict[tuple[str, str], Use] = {}
    for use in _conditions(subject):
        first = seen.setdefault((use.node, _squeezed(use.name)), use)
        if first is not use:
            line, _ = subject.document.place(_way(first))
            message = f"this condition is that of line {line}: nothing is left for it here"
            yield subject.at(_way(use), "repeated-condition", message, "take one of them out")


def _conditions(subject: Subject) -> Iterator[Use]:
    return (use for use in subject.uses.expressions if use.keys[0] == "branch")


def _constant_value(expression: str) -> bool | None:
    """The value of a condition that names nothing; None for all others, and for what is no condition."""
    if any(found["name"] and found["name"] not in _WORDS for found in _TEXT_OR_NAME.finditer(expression)):
        return None
    try:
        value = _NO_NAMES.compile(expression).evaluate({})
    except (ExpressionRefused, ExpressionFailed):  # told by the node, or broken in every call
        return None
    return value if isinstance(value, bool) else None


def _squeezed(expression: str) -> str:
    return " ".join(expression.split())


def _way(use: Use) -> Keys:
    return ("nodes", use.node, *use.keys)
