"""Finds out which variables a flow has, and of which type, from the nodes that give them values.

Used by the loader. A gather gives text; a literal says its own type; a formula may name other variables, so
formulas are compiled in rounds until nothing new becomes known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cordboard.config.document import Document, Keys
from cordboard.config.findings import Finding
from cordboard.flows.conditions import ExpressionRefused, Kind, Scope, words_for_kind
from cordboard.flows.options import Declaration


@dataclass(slots=True)
class Variables:
    """kinds: the type of each variable; secrets: those kept in memory only; findings: contradictions.

    is_complete: False where a customer is looked up whose fields are not known.
    """

    kinds: dict[str, Kind] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    is_complete: bool = True


Declared = tuple[str, Declaration]  # the node's name, and what it declares


def infer_variables(
    declared: Sequence[Declared], document: Document, customer_fields: Mapping[str, Kind] | None
) -> Variables:
    """All variables of a flow. Formulas that cannot be compiled are left out here: their node reports them.

    customer_fields: as in `Surroundings`.
    """
    found = Variables()
    found.is_complete = bool(customer_fields) or not any(one.is_customer for _, one in declared)
    declared = [one for written in declared for one in _spelt_out(written, customer_fields or {})]
    found.secrets = {declaration.name for _, declaration in declared if declaration.is_secret}
    for node, declaration in declared:
        if declaration.is_secret:
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


def _spelt_out(written: Declared, fields: Mapping[str, Kind]) -> Iterator[Declared]:
    """A declaration, or those of all that it stands for."""
    node, one = written
    if not one.is_customer:
        yield written
        return
    for name, kind in customer_kinds(one.name, fields).items():
        yield node, replace(one, name=name, kind=kind, is_customer=False)


def _add_formulas(found: Variables, waiting: list[Declared], document: Document) -> None:
    while waiting:
        scope = Scope(found.kinds, frozenset(found.secrets))
        still_waiting = [one for one in waiting if not _add_formula(found, scope, one, document)]
        if len(still_waiting) == len(waiting):
            return
        waiting = still_waiting


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
