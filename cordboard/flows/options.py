"""What every node type's options have in common: the base class and the kinds of value a flow's YAML knows.

Used by the files of `nodes/`. Options are what an admin wrote, checked by pydantic; `compile` makes the node.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Union, get_args, get_origin
from typing import Literal as Literals

from pydantic import AfterValidator, BeforeValidator, Field

from cordboard.config.document import Keys
from cordboard.config.scalars import WrittenDecimal
from cordboard.config.validation import ITEM, Many, Section, Text, also_written, fault
from cordboard.flows.conditions import RESERVED_NAMES, Kind
from cordboard.flows.node import Node

if TYPE_CHECKING:
    from cordboard.flows.compiler import NodeCompiler


@also_written(ITEM)
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

_IS_TARGET = "names a node"
Target = Annotated[Text, _IS_TARGET]
"""The name of a node to go to. Everything typed so is one of the node's exits."""

VariableName = Annotated[Text, AfterValidator(_variable_name)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Tries = Annotated[int, Field(ge=1, le=99)]


class Formula(Section):
    """A value worked out when the node is reached: `{cel: "count + 1"}`."""

    cel: Text = Field(description="A formula in CEL: `rounds + 1`.")


Literal = str | int | float | bool
Computed = str | int | float | bool | Formula
"""A value as it stands, or a formula."""


def literal(value: Literal) -> Literal:
    """A value as flows keep it: a plain float instead of one that remembers how it was written."""
    return float(value) if isinstance(value, WrittenDecimal) else value


@dataclass(frozen=True, slots=True)
class Exit:
    """One way out of a node. label: unique within the node, as `Go.exit` tells it: "next", "keys.1", "else".

    keys: where it is written, within the node; node: as written, perhaps no node at all.
    """

    label: str
    node: str
    keys: Keys


def exit_label(keys: Keys) -> str:
    """What the way that is written there is called."""
    return ".".join(map(str, keys))


ReturnsFrom = Literals["script", "flow"]


@dataclass(frozen=True, slots=True)
class Declaration:
    """A variable that a node gives a value to. kind: None if `formula` tells; keys: where, within the node.

    is_customer: stands for all that a look-up tells: `found`, `matches` and each field, as variables `name.field`.
    returned_by: stands for all that a script of the settings, or a flow that is called, returns: its kind and name.
    on: the exits on which it has a value, by label; () for all of them.
    is_extra: it comes with something else that the node does, so nobody needs to use it.
    """

    name: str
    keys: Keys
    kind: Kind | None = None
    formula: str = ""
    is_secret: bool = False
    is_customer: bool = False
    returned_by: tuple[ReturnsFrom, str] | None = None
    on: tuple[str, ...] = ()
    is_extra: bool = False


class NodeOptions(Section):
    """Options of one node type. verb: the key which makes a node one of this type."""

    verb: ClassVar[str]
    asks: ClassVar[bool] = False  # as in `NodeShape`, like the next two
    fails: ClassVar[bool] = False
    needs_call: ClassVar[bool] = False

    def declares(self) -> Iterator[Declaration]:
        """The variables this node gives values to."""
        return iter(())

    def exits(self) -> Iterator[Exit]:
        """Every way out that an admin has written, in the order of the options."""
        for keys, node in _targets_in(self, ()):
            yield Exit(exit_label(keys), node, keys)

    def left_out(self) -> Iterator[Keys]:
        """The ways for what may well happen that are not written: the flow's `on_failure` takes over there."""
        return _left_out_of(self, ())

    @property
    def ends(self) -> bool:
        """Whether the call may end here, or leave the flow, by none of the exits: see `NodeShape`."""
        return not any(True for _ in self.exits())

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node. Faults are reported to the compiler; the node returned then is never run."""
        raise NotImplementedError


_FOR_FAILURES = frozenset(["otherwise", "on_error", "on_failure", "then"])


def _left_out_of(section: Section, way: Keys) -> Iterator[Keys]:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, Section):
            yield from _left_out_of(value, (*way, field.alias or name))
        elif value is None and name in _FOR_FAILURES:
            yield (*way, name)


def _targets_in(section: Section, way: Keys) -> Iterator[tuple[Keys, str]]:
    for name, key, kind in _holders(type(section)):
        value = getattr(section, name)
        if value is None:
            continue
        if kind is None:
            yield (*way, key), value
        else:
            yield from _targets_of(kind, value, (*way, key))


@cache
def _holders(section: type[Section]) -> tuple[tuple[str, str, Any], ...]:
    """The fields of a section that may hold targets: name, key, and type, None for a target itself. Found once for
    each type: a flow has thousands of nodes, and most of their options hold none.
    """
    return tuple(
        (name, field.alias or name, None if _IS_TARGET in field.metadata else field.annotation)
        for name, field in section.model_fields.items()
        if _IS_TARGET in field.metadata or _may_hold(field.annotation)
    )


def _may_hold(kind: Any) -> bool:
    if isinstance(kind, type) and issubclass(kind, Section):
        return bool(_holders(kind))
    return any(part == _IS_TARGET or _may_hold(part) for part in get_args(kind))


def _targets_of(kind: Any, value: Any, keys: Keys) -> Iterator[tuple[Keys, str]]:
    """The targets in a value. kind: its annotation, which alone tells a node's name from any other text."""
    if isinstance(value, Section):
        yield from _targets_in(value, keys)
    elif get_origin(kind) is Annotated:
        base, *marks = get_args(kind)
        if _IS_TARGET in marks and isinstance(value, str):
            yield keys, value
        else:
            yield from _targets_of(base, value, keys)
    elif get_origin(kind) in (Union, UnionType):
        for member in get_args(kind):
            yield from _targets_of(member, value, keys)
            if isinstance(value, Section):
                return
    elif isinstance(value, Mapping) and get_origin(kind) is dict:
        for key, inner in value.items():
            yield from _targets_of(get_args(kind)[1], inner, (*keys, key))
    elif isinstance(value, tuple) and get_origin(kind) is tuple:
        for number, inner in enumerate(value):
            yield from _targets_of(get_args(kind)[0], inner, (*keys, number))
