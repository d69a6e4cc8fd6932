"""Finds out which variables a flow has, and of which type, from the nodes that give them values.

Used by the loader. A gather gives text; a literal says its own type; a formula may name other variables, so
formulas are compiled in rounds until nothing new becomes known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from cordboard.config.document import Document, Keys
from cordboard.config.findings import Finding
from cordboard.flows.conditions import ECHO, ExpressionRefused, Kind, Scope, words_for_kind
from cordboard.flows.options import Declaration
from cordboard.flows.surroundings import Surroundings


@dataclass(slots=True)
class Variables:
    """kinds: the type of each variable; secrets: those kept in memory only; findings: contradictions.

    unclear: those whose formulas cannot be compiled, which their nodes report;
    is_complete: False where something is asked whose answers are not known: a CRM with a faulty file, a script that
    is not in the settings.
    """

    kinds: dict[str, Kind] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    unclear: frozenset[str] = frozenset()
    is_complete: bool = True


Declared = tuple[str, Declaration]  # the node's name, and what it declares


def infer_variables(
    declared: Sequence[Declared],
    document: Document,
    surroundings: Surroundings,
    params: Mapping[str, Kind] = MappingProxyType({}),
) -> Variables:
    """All variables of a flow. Formulas that cannot be compiled are left out here: their node reports them.

    params: what the flow is given by those that call it.
    """
    found = Variables(dict(params))
    found.is_complete = all(_stands_for(one, surroundings) is not None for _, one in declared)
    declared = [one for written in declared for one in _spelt_out(written, surroundings)]
    found.secrets = {declaration.name for _, declaration in declared if declaration.is_secret}
    for node, declaration in declared:
        if declaration.is_secret:
            if declaration.name in params:
                message = f"`{declaration.name}` is a parameter of the flow, which is no secret"
                found.findings.append(_finding(document, node, declaration, "secret-overwritten", message))
            continue
        if declaration.name in found.secrets:
            message = f"`{declaration.name}` is a secret gather's; nothing else may set it"
            found.findings.append(_finding(document, node, declaration, "secret-overwritten", message))
        elif declaration.kind is not None:
            _note(found, document, node, declaration, declaration.kind)
    _add_formulas(found, [one for one in declared if one[1].formula], document)
    return found


def customer_kinds(name: str, fields: Mapping[str, Kind]) -> dict[str, Kind]:
    """The variables of a look-up's result, with types: `customer.found`, `customer.matches`, `customer.tier`."""
    own: dict[str, Kind] = {f"{name}.found": "bool", f"{name}.matches": "int"}
    return own | {f"{name}.{field}": kind for field, kind in fields.items()}


def returned_kinds(name: str, returns: Mapping[str, Kind]) -> dict[str, Kind]:
    """The variables of what a script or a called flow returns, with types: `quote.price`."""
    return {f"{name}.{field}": kind for field, kind in returns.items()}


def _spelt_out(written: Declared, surroundings: Surroundings) -> Iterator[Declared]:
    """A declaration, or those of all that it stands for."""
    node, one = written
    if not (one.is_customer or one.returned_by):
        yield written
        return
    for name, kind in (_stands_for(one, surroundings) or {}).items():
        yield node, replace(one, name=name, kind=kind, is_customer=False, returned_by=None)


def _stands_for(one: Declaration, surroundings: Surroundings) -> Mapping[str, Kind] | None:
    """The variables that a declaration stands for, {} if for itself; None if they cannot be told."""
    if one.is_customer:
        fields = surroundings.customer_fields
        return customer_kinds(one.name, fields) if fields else None
    if one.returned_by:
        source, called = one.returned_by
        shape = (surroundings.scripts if source == "script" else surroundings.subflows).get(called)
        return returned_kinds(one.name, shape.returns) if shape is not None else None
    return {}


def _add_formulas(found: Variables, waiting: list[Declared], document: Document) -> None:
    while waiting:
        scope = Scope(found.kinds, frozenset(found.secrets))
        still_waiting = [one for one in waiting if not _add_formula(found, scope, one, document)]
        if len(still_waiting) == len(waiting):
            found.unclear = _unclear(found, waiting)
            return
        waiting = still_waiting


def _unclear(found: Variables, waiting: Sequence[Declared]) -> frozenset[str]:
    """The variables whose formulas have a fault of their own, and those that need such a one.

    Formulas that only wait for each other, as `tries + 1` does for `tries`, are none: nothing ever sets those.
    """
    names = {one.name for _, one in waiting} - found.kinds.keys()
    unclear: frozenset[str] = frozenset()
    while True:
        scope = Scope(found.kinds, frozenset(found.secrets), unclear)
        now = frozenset(one.name for _, one in waiting if one.name in names and _is_faulty(scope, one, names))
        if now == unclear:
            return unclear
        unclear = now


def _is_faulty(scope: Scope, one: Declaration, waiting: set[str]) -> bool:
    try:
        scope.compile(one.formula)
    except ExpressionRefused as refused:
        return refused.code == ECHO or refused.unknown not in waiting
    return False


def _add_formula(found: Variables, scope: Scope, one: Declared, document: Document) -> bool:
    """Whether the formula's type is known now."""
    node, declaration = one
    try:
        kind = scope.compile(declaration.formula).kind
    except ExpressionRefused:
        return False
    if kind != "timestamp":  # reported by the node: a moment cannot be kept
        _note(found, document, node, declaration, kind)
    return True


def _note(found: Variables, document: Document, node: str, declaration: Declaration, kind: Kind) -> None:
    known = found.kinds.setdefault(declaration.name, kind)
    if known != kind:
        message = f"`{declaration.name}` is {words_for_kind(known)} elsewhere, and {words_for_kind(kind)} here"
        found.findings.append(_finding(document, node, declaration, "variable-type", message))


def _finding(document: Document, node: str, declaration: Declaration, code: str, message: str) -> Finding:
    way: Keys = ("nodes", node, *declaration.keys)
    return document.finding(way, code, message, "use another name for one of them")
