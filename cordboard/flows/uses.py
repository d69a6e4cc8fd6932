"""What the nodes of a flow use, noted while they are compiled: prompts and variables, each with its place.

Filled in by `NodeCompiler`, read by `lint`: what is never used, and what is used before it has a value.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from cordboard.config.document import Keys


@dataclass(frozen=True, slots=True)
class Use:
    """A name used by a node. keys: the way to the place within the node; offset: where the name begins in an
    expression that stands there, from 0.
    """

    node: str
    keys: Keys
    name: str
    offset: int = 0


@dataclass(slots=True)
class Uses:
    """Everything that the nodes of one flow use. expressions: their whole texts.

    is_complete: False once something was named that is not there: what was meant may be anything.
    """

    prompts: list[Use] = field(default_factory=list)
    expressions: list[Use] = field(default_factory=list)
    variables: list[Use] = field(default_factory=list)
    is_complete: bool = True


_TEXT_OR_NAME = re.compile(
    r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?<![\w.])([a-z][A-Za-z0-9_]*(?:\s*\.\s*[a-z][A-Za-z0-9_]*)*)"""
)


def names_in(expression: str, *known: Collection[str]) -> Iterator[tuple[str, int]]:
    """The known names an expression mentions, each with its place in the text; texts in quotes do not count."""
    for found in _TEXT_OR_NAME.finditer(expression):
        if found[1]:
            parts = re.split(r"\s*\.\s*", found[1])
            name = next((one for one in _beginnings(parts) if any(one in names for names in known)), None)
            if name is not None:
                yield name, found.start(1)


def _beginnings(parts: list[str]) -> Iterator[str]:
    """`a.b.c`, `a.b`, `a`: a method's name may follow that of a variable."""
    for length in range(len(parts), 0, -1):
        yield ".".join(parts[:length])
