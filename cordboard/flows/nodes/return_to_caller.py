"""`return`: back to the flow that called this one, with a value for each of its `returns`.

paid: {return: {paid: true, amount: {cel: amount}}}
done: {return: {}}
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.node import Node, Return
from cordboard.flows.options import Computed, NodeOptions
from cordboard.flows.passing import Given, compile_given

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun


class ReturnOptions(NodeOptions):
    """Goes back to the flow that called this one."""

    verb: ClassVar[str] = "return"
    fails: ClassVar[bool] = True

    return_: dict[str, Computed] = Field(
        alias="return",
        description="A value, or `{cel: ...}`, for each of the flow's `returns`; `{}` if it has none.",
    )

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node, with its values checked against the flow's frame."""
        returns = compiler.names.returns
        if returns is None:
            hint = "write `returns: {}` into the frame if other flows are to call this one; `hangup` ends the call"
            compiler.report((), "return-to-nobody", "no flow can call this one, so nobody gets this", hint)
        return ReturnNode(compile_given(compiler, "return", self.return_, returns, "returned value"))


@dataclass(frozen=True, slots=True)
class ReturnNode(Node):
    """Goes back."""

    given: Given

    def enter(self, run: FlowRun, now: datetime) -> Return:
        """Work the values out and give them back."""
        return Return(self.given.values(run, now))


OPTIONS = ReturnOptions
