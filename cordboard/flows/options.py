"""What every node type's options have in common: the base class and the kinds of value a flow's YAML knows.

Used by the files of `nodes/`. Options are what an admin wrote, checked by pydantic; `compile` makes the node.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from cordboard.config.document import Keys
from cordboard.config.scalars import WrittenDecimal
from cordboard.config.validation import Many, Section, Text, fault
from cordboard.flows.conditions import RESERVED_NAMES, Kind
from cordboard.flows.node import Node

if TYPE_CHECKING:
    from cordboard.flows.compiler import NodeCompiler


def _one_or_many(value: object) -> object:
    return value if isinstance(value, list | tuple) or value is None else [value]


def _variable_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", name):
        hint = "small letters, digits and _, at most 32, beginning with a letter"
        raise fault("bad-name", f"`{name}` is no name for a variable", hint)
    if name in RESERVED_NAMES:
        raise fault("bad-name", f"`{name}` has a meaning of its own in expressions", f"write {name}_value, say")
    return name


PromptNames = Annotated[Many[Text], BeforeValidator(_one_or_many)]
"""One prompt's name or a list of them."""

VariableName = Annotated[Text, AfterValidator(_variable_name)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Tries = Annotated[int, Field(ge=1, le=99)]


class Formula(Section):
    """A value worked out when the node is reached: `{cel: "count + 1"}`."""

    cel: Text


Literal = str | int | float | bool
Computed = str | int | float | bool | Formula
"""A value as it stands, or a formula."""


def literal(value: Literal) -> Literal:
    """A value as flows keep it: a plain float instead of one that remembers how it was written."""
    return float(value) if isinstance(value, WrittenDecimal) else value


@dataclass(frozen=True, slots=True)
class Declaration:
    """A variable that a node gives a value to. kind: None if `formula` tells; keys: where, within the node.

    is_customer: stands for all that a look-up tells: `found`, `matches` and each field, as variables `name.field`.
    """

    name: str
    keys: Keys
    kind: Kind | None = None
    formula: str = ""
    is_secret: bool = False
    is_customer: bool = False


class NodeOptions(Section):
    """Options of one node type. verb: the key which makes a node one of this type."""

    verb: ClassVar[str]

    def declares(self) -> Iterator[Declaration]:
        """The variables this node gives values to."""
        return iter(())

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node. Faults are reported to the compiler; the node returned then is never run."""
        raise NotImplementedError
