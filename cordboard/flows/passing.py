"""Values passed from one flow to another, by name: the arguments of `subflow`, the values of `return`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from cordboard.config.suggestions import closest
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.conditions import Expression, Kind, Value, words_for_kind
from cordboard.flows.options import Computed, Formula, literal

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

What = Literal["parameter", "returned value"]
_CODES: Mapping[What, tuple[str, str]] = {
    "parameter": ("missing-parameter", "unknown-parameter"),
    "returned value": ("missing-returned-value", "unknown-returned-value"),
}
_STANDS_FOR: Mapping[type, Kind] = {str: "string", bool: "bool", int: "int", float: "double"}


@dataclass(frozen=True, slots=True)
class Given:
    """Values and formulas by name. decimals: the names whose whole numbers become decimal ones."""

    plain: Mapping[str, Value]
    formulas: Mapping[str, Expression]
    decimals: frozenset[str]

    def values(self, run: FlowRun, now: datetime) -> Mapping[str, Value]:
        """All of them now. Raises ExpressionFailed."""
        if not self.formulas:
            return self.plain
        facts = run.facts(now)
        values = {name: formula.evaluate(facts) for name, formula in self.formulas.items()}
        return {**self.plain, **{name: self._typed(name, value) for name, value in values.items()}}

    def _typed(self, name: str, value: Value) -> Value:
        return float(value) if name in self.decimals else value


def compile_given(
    compiler: NodeCompiler, key: str, written: Mapping[str, Computed], wanted: Mapping[str, Kind] | None, what: What
) -> Given:
    """The values of a node's key `key`, checked by name and type.

    wanted: what has to be given; None if that is not known: then only the formulas themselves are checked.
    what: what one of them is called.
    """
    missing, unknown = _CODES[what]
    for name, kind in (wanted or {}).items():
        if name not in written:
            hint = f"add `{name}`: {words_for_kind(kind)}"
            compiler.report((key,), missing, f"the {what} `{name}` is missing", hint)
    plain: dict[str, Value] = {}
    formulas: dict[str, Expression] = {}
    for name, value in written.items():
        if wanted is not None and name not in wanted:
            hint = closest(name, wanted) or f"known: {', '.join(wanted) or 'none'}"
            compiler.report((key, name), unknown, f"there is no {what} `{name}`", hint)
        kinds = _accepted(wanted.get(name)) if wanted is not None else _ANY
        if isinstance(value, Formula):
            formulas[name] = compiler.expression(value.cel, key, name, "cel", kinds=kinds)
        else:
            plain[name] = _checked(compiler, (key, name), literal(value), kinds)
    decimals = frozenset(name for name, kind in (wanted or {}).items() if kind == "double")
    return Given(
        {name: float(value) if name in decimals and type(value) is int else value for name, value in plain.items()},
        formulas,
        decimals,
    )


_ANY: tuple[Kind, ...] = ("string", "int", "double", "bool")


def _accepted(kind: Kind | None) -> tuple[Kind, ...]:
    if kind is None:
        return _ANY
    return ("double", "int") if kind == "double" else (kind,)


def _checked(compiler: NodeCompiler, keys: tuple[str, ...], value: Value, kinds: tuple[Kind, ...]) -> Value:
    kind = _STANDS_FOR[type(value)]
    if kind not in kinds:
        message = f"expected {words_for_kind(kinds[0])}, found {words_for_kind(kind)}"
        compiler.report(keys, "wrong-type", message, "put it in quotes" if kinds == ("string",) else "")
    return value
