"""`tag`: notes what a call was about, for reports.

    about_billing: {tag: {reason: billing, tier: {cel: customer.tier}}, next: billing}

A tag has a name and a value, 64 characters at most; what is longer is cut. A call can have many: several of a name
too, and one that it has already counts once. They may be noted after the caller has left. They are kept without any
number or name of the caller, and `cordboard kpi --tags` counts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from string import ascii_lowercase
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.conditions import Expression, Kind
from cordboard.flows.node import Ask, Go, Move, Node, unexpected
from cordboard.flows.options import Computed, Formula, NodeOptions, Target, VariableName, literal
from cordboard.telephony.outcomes import Done, Outcome
from cordboard.telephony.verbs import Note

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

MAX_CHARACTERS = 64
MAX_TAGS = len(ascii_lowercase)  # one phase for each

_KINDS: tuple[Kind, ...] = ("string", "int", "double", "bool")


class TagOptions(NodeOptions):
    """Notes what a call was about, for reports."""

    verb: ClassVar[str] = "tag"
    fails: ClassVar[bool] = True

    tag: Annotated[dict[VariableName, Computed], Field(min_length=1, max_length=MAX_TAGS)] = Field(
        description="Tags by name; the values as written, or worked out: `{cel: ...}`."
    )
    next: Target = Field(description="Where then.")

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its formulas compiled."""
        return TagNode(tuple(self._tags(compiler)), compiler.way(self.next, "next"))

    def _tags(self, compiler: NodeCompiler) -> Iterator[tuple[str, str | Expression]]:
        for name, value in self.tag.items():
            if isinstance(value, Formula):
                yield name, compiler.expression(value.cel, "tag", name, "cel", kinds=_KINDS)
            else:
                text = _as_text(literal(value))
                if not 0 < len(text) <= MAX_CHARACTERS:
                    message = f"a tag has 1 to {MAX_CHARACTERS} characters; this has {len(text)}"
                    compiler.report(("tag", name), "bad-tag", message, "write a short code")
                yield name, text


def _as_text(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class TagNode(Node):
    """Notes one tag after the other. tags: names, and values as they stand or to be worked out."""

    tags: tuple[tuple[str, str | Expression], ...]
    next: Go

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Begin with the first; after a crash too, as a tag told again counts once."""
        return self._note(0, run, now)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """The next one, if there is one."""
        if not isinstance(outcome, Done):
            raise unexpected(outcome)
        return self._note(ascii_lowercase.index(run.phase) + 1, run, now)

    def _note(self, number: int, run: FlowRun, now: datetime) -> Move:
        """Note the tag of this number, or the first behind it that is not empty."""
        for place in range(number, len(self.tags)):
            name, value = self.tags[place]
            text = value if isinstance(value, str) else _as_text(value.evaluate(run.facts(now)))
            if text.strip():
                return Ask(Note("tag", name, text.strip()[:MAX_CHARACTERS]), ascii_lowercase[place])
        return self.next


OPTIONS = TagOptions
