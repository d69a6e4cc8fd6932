"""Finds out which variables a flow has, and of which type, from the nodes that give them values.

Used by the loader. A gather gives text; a literal says its own type; a formula may name other variables, so
formulas are compiled in rounds until nothing new becomes known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cordboard.config.document import Document, Keys
from cordboard.config.findings import Finding
from cordboard.flows.conditions import ExpressionRefused, Kind, Scope, words_for_kind
from cordboard.flows.options import Declaration


@dataclass(slots=True)
class Variables:
    """kinds: the type of each variable; secrets: those kept in memory only; findings: contradictions."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


Declared = tuple[str, Declaration]  # the node's name, and what it declares


def infer_variables(declared: Sequence[Declared], document: Document) -> Variables:
    """All variables of a flow. Formulas that cannot be compiled are left out here: their node reports them."""
    found = Variables()
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
