"""Which nodes and ways of the flows a set of calls has gone, counted.

Made from the events of played tests; shown by `cordboard test`, written by `--coverage`, drawn by the pictures.
Failure ways (a node that broke, and the call went to `on_failure`) are counted apart: few tests need to take them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cordboard.flows.flow import Flow
from cordboard.simulation.events import Broke, Entered, Event, Left

Way = tuple[str, str]
"""A node, and the label of the exit it was left by: "" where the call ended or left the flow there."""

BROKEN = "on_failure"
"""Stands for the label where a node broke."""


@dataclass(frozen=True, slots=True)
class FlowCoverage:
    """How much of one flow was gone.

    nodes, ways, failures: each that there is, with how often it was entered, gone, or broke.
    """

    flow: str
    nodes: Mapping[str, int]
    ways: Mapping[Way, int]
    failures: Mapping[str, int]

    @property
    def missed_nodes(self) -> list[str]:
        """Nodes that no call has come to."""
        return [node for node, times in self.nodes.items() if not times]

    @property
    def missed_ways(self) -> list[Way]:
        """Ways that no call has gone, out of nodes that some call has come to."""
        return [way for way, times in self.ways.items() if not times and self.nodes[way[0]]]

    @property
    def node_share(self) -> float:
        """0.0 to 1.0; 1.0 for a flow without nodes."""
        return _share(self.nodes.values())

    @property
    def way_share(self) -> float:
        """0.0 to 1.0, without the failure ways."""
        return _share(self.ways.values())


@dataclass(slots=True)
class Coverage:
    """Counts what calls go through."""

    entered: dict[str, Counter[str]] = field(default_factory=dict)
    left: dict[str, Counter[Way]] = field(default_factory=dict)

    def add(self, events: Iterable[Event]) -> None:
        """Count one call."""
        broken = None
        for event in events:
            match event.what:
                case Entered():
                    self.entered.setdefault(event.flow, Counter())[event.node] += 1
                case Broke():
                    broken = event.node
                case Left(passed):
                    label = BROKEN if broken == event.node and not passed.exit else passed.exit
                    self.left.setdefault(event.flow, Counter())[event.node, label] += 1
                    broken = None

    def of(self, flow: Flow) -> FlowCoverage:
        """What of a flow was gone through."""
        entered, left = self.entered.get(flow.name, Counter()), self.left.get(flow.name, Counter())
        return FlowCoverage(
            flow.name,
            nodes={node: entered[node] for node in flow.shapes},
            ways={way: left[way] for way in ways_of(flow)},
            failures={node: left[node, BROKEN] for node in _can_break(flow)},
        )

    def counts(self) -> dict[str, dict[Way, int]]:
        """How often each way was gone, by flow: what a picture of a flow is drawn with."""
        return {flow: dict(ways) for flow, ways in self.left.items()}

    def as_json(self) -> dict[str, dict[str, dict[str, int]]]:
        """The same for a file: flow, node, exit."""
        told: dict[str, dict[str, dict[str, int]]] = {}
        for flow, ways in sorted(self.left.items()):
            for (node, exit_label), times in sorted(ways.items()):
                told.setdefault(flow, {}).setdefault(node, {})[exit_label] = times
        return told


def ways_of(flow: Flow) -> list[Way]:
    """Every way out of every node, in the order of the file; the end of the call is one too."""
    found: list[Way] = []
    for node, shape in flow.shapes.items():
        found += [(node, one.label) for one in shape.exits]
        if shape.ends:
            found.append((node, ""))
    return found


def _can_break(flow: Flow) -> list[str]:
    """Nodes whose failure has nowhere to go but `on_failure`."""
    if not flow.on_failure:
        return []
    return [node for node, shape in flow.shapes.items() if shape.fails and node != flow.on_failure]


def _share(counts: Iterable[int]) -> float:
    all_of_them = list(counts)
    return sum(1 for one in all_of_them if one) / len(all_of_them) if all_of_them else 1.0
