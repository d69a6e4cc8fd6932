"""Flows that call each other: what each wants and gives, and in which order they are loaded.

Used by the loader, on files as they were written, before any of them is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from cordboard.config.document import Document
from cordboard.config.findings import Finding
from cordboard.config.kinds import KINDS, FieldName, KindWord
from cordboard.flows.calling import MAX_DEPTH
from cordboard.flows.conditions import Kind
from cordboard.flows.flow import Flow
from cordboard.flows.surroundings import SubflowShape

_DECLARED = TypeAdapter(dict[FieldName, KindWord])


def written_name(document: Document) -> str:
    """The name a flow file gives its flow, as far as it can be read."""
    return str(_mapping(document.data).get("flow", ""))


def written_shape(document: Document) -> SubflowShape | None:
    """What a flow that can be called wants and gives; faulty parts are left out, as they are reported elsewhere."""
    data = _mapping(document.data)
    if "params" not in data and "returns" not in data:
        return None
    languages = data.get("languages", ["en"])
    return SubflowShape(
        params=_kinds(data.get("params")),
        returns=_kinds(data.get("returns")),
        languages=tuple(one for one in languages if isinstance(one, str)) if isinstance(languages, list) else (),
    )


def shape_of(flow: Flow) -> SubflowShape:
    """The same of a flow that has been loaded."""
    return SubflowShape(flow.params or {}, flow.returns or {}, flow.languages)


def called_by(document: Document) -> Iterator[tuple[str, str]]:
    """The nodes of a flow which call another one, and its name."""
    for node, written in _mapping(_mapping(document.data).get("nodes")).items():
        called = _mapping(written).get("subflow")
        if isinstance(called, str):
            yield node, called


def in_order(documents: Sequence[Document]) -> tuple[list[Document], list[Finding]]:
    """Each file behind those that it calls; findings where flows call each other in a circle, or too deep."""
    by_name = {written_name(document): document for document in reversed(documents)}
    calls = {
        name: {called for _, called in called_by(document) if called in by_name}
        for name, document in by_name.items()
    }
    findings: list[Finding] = []
    while True:
        try:
            order = list(TopologicalSorter(calls).static_order())
            break
        except CycleError as error:
            called, caller, *_ = circle = cast("list[str]", error.args[1])
            findings.append(_circle(by_name[caller], called, circle))
            calls[caller].discard(called)
    findings += _too_deep(order, calls, by_name)
    place = {name: number for number, name in enumerate(order)}
    return sorted(documents, key=lambda document: place[written_name(document)]), findings


def _circle(caller: Document, called: str, circle: list[str]) -> Finding:
    way = " calls ".join(f"`{name}`" for name in reversed(circle))
    message = f"flows cannot call each other in a circle: {way}"
    return _at_call(caller, called, "subflow-cycle", message, "use `goto: {flow: ...}` where nothing comes back")


def _too_deep(
    order: Sequence[str], calls: Mapping[str, set[str]], by_name: Mapping[str, Document]
) -> Iterator[Finding]:
    """Only the flow that goes one too deep, none of those around it."""
    depths: dict[str, int] = {}
    for name in order:
        deepest = max(calls[name], key=lambda called: depths[called], default=None)
        depths[name] = 0 if deepest is None else depths[deepest] + 1
        if deepest is not None and depths[name] == MAX_DEPTH + 1:
            message = f"more than {MAX_DEPTH} flows would wait for each other here"
            yield _at_call(by_name[name], deepest, "subflow-depth", message, "let one of them do more by itself")


def _at_call(document: Document, called: str, code: str, message: str, hint: str) -> Finding:
    node = next(node for node, other in called_by(document) if other == called)
    return document.finding(("nodes", node, "subflow"), code, message, hint)


def _kinds(written: Any) -> dict[str, Kind]:
    try:
        return {name: KINDS[word] for name, word in _DECLARED.validate_python(written).items()}
    except ValidationError:
        return {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
