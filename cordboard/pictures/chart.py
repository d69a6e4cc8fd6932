"""A flow as boxes and arrows, in words for people: what every picture of it is drawn from.

Made from `Flow.shapes`; knows nothing of coordinates. Counts (coverage, or calls of today) are laid over it here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cordboard.flows.flow import Flow
from cordboard.flows.options import Exit
from cordboard.flows.shape import NodeShape

Counts = Mapping[tuple[str, str], int]
"""How often each way was taken: by node and exit label; the label "" for calls that ended there."""

Look = Literal["start", "ask", "act", "decide", "end"]
_DECIDE = frozenset(["branch", "hours"])
_ASK = frozenset(["menu", "gather", "survey", "callback"])
_MAX_DETAIL = 34  # characters in a box
_MAX_LABEL = 26  # characters on an arrow
_LABELS = {"next": "", "goto": "", "no_input.then": "no input", "no_match.then": "no match", "on_error": "fails"}


@dataclass(frozen=True, slots=True)
class ChartNode:
    """A box. detail: what it does, "menu: main_menu"; count: calls that left it, None without an overlay."""

    name: str
    verb: str
    detail: str
    look: Look
    count: int | None = None


@dataclass(frozen=True, slots=True)
class ChartEdge:
    """An arrow. label: "1", "no input", a condition; count: as in `ChartNode`."""

    source: str
    target: str
    label: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """All of it. nodes: the start first, then as written; several ways between two boxes are one arrow."""

    name: str
    nodes: tuple[ChartNode, ...]
    edges: tuple[ChartEdge, ...]


def chart_of(flow: Flow, counts: Counts | None = None) -> Chart:
    """The chart of a flow; with counts, those of nodes and ways that nobody took are 0."""
    names = [flow.start, *(name for name in flow.shapes if name != flow.start)]
    nodes = tuple(_box(flow, name, counts) for name in names)
    edges = tuple(_arrows(flow, names, counts))
    return Chart(flow.name, nodes, edges)


def _box(flow: Flow, name: str, counts: Counts | None) -> ChartNode:
    shape = flow.shapes[name]
    count = None if counts is None else sum(n for (node, _), n in counts.items() if node == name)
    detail = " · ".join(filter(None, [_entry(flow, name), _detail(shape)]))
    return ChartNode(name, shape.verb, detail, _look(flow, name, shape), count)


def _entry(flow: Flow, name: str) -> str:
    """How calls come to a node besides the arrows."""
    ways = {"on failure": flow.on_failure, "on hang-up": flow.on_hangup}
    return ", ".join(words for words, node in ways.items() if node == name)


def _look(flow: Flow, name: str, shape: NodeShape) -> Look:
    if name == flow.start:
        return "start"
    if not shape.exits:
        return "end"
    if shape.verb in _DECIDE:
        return "decide"
    return "ask" if shape.verb in _ASK else "act"


def _arrows(flow: Flow, names: list[str], counts: Counts | None) -> Iterator[ChartEdge]:
    for name in names:
        ways: dict[str, list[Exit]] = {}
        for way in flow.shapes[name].exits:
            if way.node in flow.shapes:
                ways.setdefault(way.node, []).append(way)
        for target, several in ways.items():
            labels = [label for way in several if (label := way_in_words(way.label, flow.shapes[name].written))]
            count = None if counts is None else sum(counts.get((name, way.label), 0) for way in several)
            yield ChartEdge(name, target, _short(", ".join(labels), _MAX_LABEL), count)


def way_in_words(label: str, written: Mapping[str, Any]) -> str:
    """An exit for people: "keys.1" is "1", a case of a branch its condition, "next" needs no words."""
    if label in _LABELS:
        return _LABELS[label]
    first, _, rest = label.partition(".")
    if first == "branch":
        number = int(rest.partition(".")[0])
        return str(written["branch"][number].get("if", ""))
    if first in ("keys", "on_status"):
        return rest
    return label.removesuffix(".then").replace("_", " ").replace(".", " ")


def _detail(shape: NodeShape) -> str:
    value = shape.written.get(shape.verb)
    if isinstance(value, list):
        value = ", ".join(str(one) for one in value if not isinstance(one, dict))
    if isinstance(value, dict):
        value = ", ".join(map(str, value))
    return _short(f"{shape.verb}: {value}" if value not in (None, "") else shape.verb, _MAX_DETAIL)


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"
