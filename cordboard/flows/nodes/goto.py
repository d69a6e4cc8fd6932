"""`goto`: another node, or the start of another flow.

again:   {goto: menu}
billing: {goto: {flow: billing}}
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from cordboard.config.validation import Section, Text
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.node import Go, LeaveTo, Move, Node
from cordboard.flows.options import NodeOptions, Target

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun


class OtherFlow(Section):
    """A flow instead of a node."""

    flow: Text = Field(description="The flow's name.")


class GotoOptions(NodeOptions):
    """Goes to another node, or to another flow from its start, for good. The other flow keeps the language and has
    variables of its own.
    """

    verb: ClassVar[str] = "goto"

    goto: Target | OtherFlow = Field(description="A node, or `{flow: ...}` with the name of a flow.")

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its target looked up."""
        if isinstance(self.goto, OtherFlow):
            return GotoNode(LeaveTo(compiler.flow(self.goto.flow, "goto", "flow")))
        return GotoNode(compiler.way(self.goto, "goto"))


@dataclass(frozen=True, slots=True)
class GotoNode(Node):
    """Goes there."""

    move: Go | LeaveTo

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Always the same."""
        return self.move


OPTIONS = GotoOptions
