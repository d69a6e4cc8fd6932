"""`set`: gives values to variables, one after the other.

    count: {set: {tries: {cel: "tries + 1"}, vip: false, note: "from the web"}, next: menu}

The first value a variable gets in the flow decides its type: text, whole number, decimal, true or false.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.conditions import Expression, Kind, Value
from cordboard.flows.node import Go, Node
from cordboard.flows.options import Computed, Declaration, Formula, NodeOptions, Target, VariableName, literal

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

_KEPT: tuple[Kind, ...] = ("string", "int", "double", "bool")


def _kind_of(value: str | int | float | bool) -> Kind:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    return "double" if isinstance(value, float) else "string"


class SetOptions(NodeOptions):
    """Gives values to variables, from top to bottom. A variable keeps the type of its values in the whole flow."""

    verb: ClassVar[str] = "set"
    fails: ClassVar[bool] = True

    set: dict[VariableName, Computed] = Field(
        min_length=1, description="Names and values; a value as it stands, or worked out: `{cel: ...}`."
    )
    next: Target = Field(description="Where then.")

    def declares(self) -> Iterator[Declaration]:
        """A variable per value."""
        for name, value in self.set.items():
            if isinstance(value, Formula):
                yield Declaration(name, ("set", name), formula=value.cel)
            else:
                yield Declaration(name, ("set", name), kind=_kind_of(value))

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its formulas compiled."""
        values = {name: self._compile_value(compiler, name) for name in self.set}
        return SetNode(values, compiler.way(self.next, "next"))

    def _compile_value(self, compiler: NodeCompiler, name: str) -> Value | Expression:
        value = self.set[name]
        if isinstance(value, Formula):
            return compiler.expression(value.cel, "set", name, "cel", kinds=_KEPT)
        return literal(value)


@dataclass(frozen=True, slots=True)
class SetNode(Node):
    """Works values out and goes on."""

    values: Mapping[str, Value | Expression]
    next: Go

    def enter(self, run: FlowRun, now: datetime) -> Go:
        """Each formula sees the values above it."""
        facts = run.facts(now)
        changed: dict[str, Value] = {}
        for name, value in self.values.items():
            changed[name] = value.evaluate(facts) if isinstance(value, Expression) else value
            facts[name] = changed[name]
        return self.next.keeping(changed)


OPTIONS = SetOptions
