"""`branch`: the first condition that holds decides where to go.

route:
  branch:
    - {if: "call.language == 'es'", then: spanish}
    - {if: "account.startsWith('9') && tries < 3", then: gold}
  else: menu
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from cordboard.config.validation import Many, Section, Text
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.conditions import Expression
from cordboard.flows.node import Go, Node
from cordboard.flows.options import NodeOptions

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun


class Case(Section):
    """One way to go."""

    if_: Text = Field(alias="if")
    then: Text


class BranchOptions(NodeOptions):
    """See the module."""

    verb: ClassVar[str] = "branch"

    branch: Annotated[Many[Case], Field(min_length=1)]
    else_: Text = Field(alias="else")

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its conditions compiled."""
        cases = tuple(self._compile_case(compiler, number) for number in range(len(self.branch)))
        return BranchNode(cases, compiler.target(self.else_, "else"))

    def _compile_case(self, compiler: NodeCompiler, number: int) -> tuple[Expression, str]:
        case = self.branch[number]
        condition = compiler.expression(case.if_, "branch", number, "if", kinds=("bool",))
        return condition, compiler.target(case.then, "branch", number, "then")


@dataclass(frozen=True, slots=True)
class BranchNode(Node):
    """Decides without a word."""

    cases: tuple[tuple[Expression, str], ...]
    otherwise: str

    def enter(self, run: FlowRun, now: datetime) -> Go:
        """Go where the first true condition leads."""
        facts = run.facts(now)
        for condition, node in self.cases:
            if condition.evaluate(facts):
                return Go(node)
        return Go(self.otherwise)


OPTIONS = BranchOptions
