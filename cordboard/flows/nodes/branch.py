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
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from cordboard.config.validation import Many, Section, Text
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.conditions import Expression
from cordboard.flows.node import Go, Node
from cordboard.flows.options import NodeOptions, Target

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun


class Case(Section):
    """One way to go."""

    if_: Text = Field(alias="if", description="A condition: an expression that is true or false.")
    then: Target = Field(description="Where if it holds.")


class BranchOptions(NodeOptions):
    """Goes where the first condition that holds leads."""

    verb: ClassVar[str] = "branch"
    fails: ClassVar[bool] = True

    branch: Many[Case] = Field(min_length=1, description="Conditions, each with where it leads; the first counts.")
    else_: Target = Field(alias="else", description="Where if none holds.")

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its conditions compiled."""
        cases = tuple(self._compile_case(compiler, number) for number in range(len(self.branch)))
        return BranchNode(cases, compiler.way(self.else_, "else"))

    def _compile_case(self, compiler: NodeCompiler, number: int) -> tuple[Expression, Go]:
        case = self.branch[number]
        condition = compiler.expression(case.if_, "branch", number, "if", kinds=("bool",))
        return condition, compiler.way(case.then, "branch", number, "then")


@dataclass(frozen=True, slots=True)
class BranchNode(Node):
    """Decides without a word."""

    cases: tuple[tuple[Expression, Go], ...]
    otherwise: Go

    def enter(self, run: FlowRun, now: datetime) -> Go:
        """Go where the first true condition leads."""
        facts = run.facts(now)
        for condition, way in self.cases:
            if condition.evaluate(facts):
                return way
        return self.otherwise


OPTIONS = BranchOptions
