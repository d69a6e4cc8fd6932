"""`subflow`: goes through another flow and comes back with what that returns.

    confirm: {subflow: confirm_number, with: {number: {cel: call.ani}}, save: confirmed, next: book}
    book:    {branch: [{if: confirmed.ok, then: callback}], else: ask_number}

The other flow has `params` or `returns` in its frame, and nodes with `return`. Its parameters are variables there,
and it sees no others of this flow; what it returns is kept here behind a dot: `confirmed.ok`. It begins in the
language that is spoken, and leaves the one it ends with. Where it breaks, and has no `on_failure` of its own that
helps, this node breaks. Flows that are called can call others, up to ten deep, but not in a circle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from cordboard.config.validation import Text
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.conditions import Value
from cordboard.flows.node import CallFlow, Go, Move, Node, NodeFailed, unexpected
from cordboard.flows.options import Computed, Declaration, NodeOptions, Target, VariableName
from cordboard.flows.passing import Given, compile_given
from cordboard.telephony.outcomes import Failed, FlowReturned, Outcome

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun


class SubflowOptions(NodeOptions):
    """Goes through another flow and comes back with what that returns."""

    verb: ClassVar[str] = "subflow"
    asks: ClassVar[bool] = True
    fails: ClassVar[bool] = True

    subflow: Text = Field(description="The name of the flow to go through.")
    with_: dict[str, Computed] = Field(
        default_factory=dict, alias="with", description="A value, or `{cel: ...}`, for each of its parameters."
    )
    save: VariableName | None = Field(
        default=None, description="The name that what it returns is kept under; nothing is kept without one."
    )
    next: Target = Field(description="Where when it has returned.")
    on_failure: Target | None = Field(
        default=None, description="Where when it broke; without one, the `on_failure` of this flow."
    )

    def declares(self) -> Iterator[Declaration]:
        """What the other flow returns."""
        if self.save is not None:
            yield Declaration(self.save, ("save",), returned_by=("flow", self.subflow), on=("next",))

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node, with its arguments checked against what the other flow wants."""
        shape = compiler.subflow(self.subflow, "subflow")
        return SubflowNode(
            flow=self.subflow,
            given=compile_given(compiler, "with", self.with_, shape.params if shape else None, "parameter"),
            prefix=f"{self.save}." if self.save is not None and shape else "",
            next=compiler.way(self.next, "next"),
            on_failure=compiler.way(self.on_failure, "on_failure"),
        )


@dataclass(frozen=True, slots=True)
class SubflowNode(Node):
    """Calls a flow. prefix: of the variables that its returns are kept in, "" to keep none."""

    flow: str
    given: Given
    prefix: str
    next: Go
    on_failure: Go | None

    def enter(self, run: FlowRun, now: datetime) -> CallFlow:
        """Work the arguments out and go there."""
        return CallFlow(self.flow, self.given.values(run, now))

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """Go on with what came back."""
        match outcome:
            case FlowReturned(values):
                return self.next.keeping(self._kept(values))
            case Failed(reason):
                if self.on_failure is None:
                    raise NodeFailed(reason)
                return self.on_failure
        raise unexpected(outcome)

    def _kept(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return {f"{self.prefix}{name}": value for name, value in values.items()} if self.prefix else {}


OPTIONS = SubflowOptions
