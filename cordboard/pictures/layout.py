"""Where the boxes of a chart go: layers from top to bottom, few crossings, arrows that run round the boxes.

The method of Sugiyama: break cycles, give each box a layer, put stand-ins where an arrow crosses a layer, order
each layer by the middle of its neighbours, then set coordinates. Pure; sizes are pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cordboard.pictures.chart import Chart, ChartEdge

BOX_HEIGHT = 46
LAYER_GAP = 58  # room for the arrows' labels
BOX_GAP = 26
DUMMY_WIDTH = 14
SWEEPS = 12  # rounds of ordering; more change nothing on flows of a hundred nodes
_LETTER = 7.0  # the width of a character, on average

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A node's place: its centre and size."""

    x: float
    y: float
    width: float
    height: float = BOX_HEIGHT


@dataclass(frozen=True, slots=True)
class Arrow:
    """An edge's way, from the border of one box to that of the other. is_back: against the flow of the layers."""

    edge: ChartEdge
    points: tuple[Point, ...]
    is_back: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """All places. width, height: of the whole picture."""

    boxes: Mapping[str, Box]
    arrows: tuple[Arrow, ...]
    width: float
    height: float


@dataclass(slots=True)
class _Cell:
    """A box, or the stand-in of an arrow that crosses a layer."""

    key: str
    layer: int
    width: float
    x: float = 0.0


def lay_out(chart: Chart) -> Layout:
    """The layout of a chart. Linear in arrows times layers; a hundred nodes take milliseconds."""
    names = [node.name for node in chart.nodes]
    back = _back_edges(names, chart.edges)
    forward = [edge for edge in chart.edges if edge not in back and edge.source != edge.target]
    layer_of = _layers(names, forward)
    cells = {
        node.name: _Cell(node.name, layer_of[node.name], _width(node.name, node.detail)) for node in chart.nodes
    }
    chains = {id(edge): _chain(edge, layer_of, cells) for edge in chart.edges if edge.source != edge.target}
    layers = _ordered(cells, list(chains.values()))
    _place(layers, list(chains.values()), cells)
    return _finished(chart, cells, chains, back, len(layers))


def _width(name: str, detail: str) -> float:
    return max(84.0, max(len(name) * _LETTER * 1.1, len(detail) * _LETTER * 0.92) + 26)


def _back_edges(names: Sequence[str], edges: Iterable[ChartEdge]) -> set[ChartEdge]:
    """The edges which close a cycle, met when walking from the start in the order of writing."""
    ways: dict[str, list[ChartEdge]] = {name: [] for name in names}
    for edge in edges:
        ways[edge.source].append(edge)
    back: set[ChartEdge] = set()
    done: set[str] = set()
    for root in names:
        if root not in done:
            _walk(root, ways, done, back)
    return back


def _walk(root: str, ways: Mapping[str, list[ChartEdge]], done: set[str], back: set[ChartEdge]) -> None:
    on_way = {root}
    stack = [(root, iter(ways[root]))]
    while stack:
        name, left = stack[-1]
        edge = next(left, None)
        if edge is None:
            on_way.discard(name)
            done.add(name)
            stack.pop()
        elif edge.target in on_way:
            if edge.target != edge.source:
                back.add(edge)
        elif edge.target not in done:
            on_way.add(edge.target)
            stack.append((edge.target, iter(ways[edge.target])))


def _layers(names: Sequence[str], forward: Sequence[ChartEdge]) -> dict[str, int]:
    """Each node one layer below the lowest of those that lead to it."""
    waiting = dict.fromkeys(names, 0)
    after: dict[str, list[str]] = {name: [] for name in names}
    for edge in forward:
        waiting[edge.target] += 1
        after[edge.source].append(edge.target)
    layer = dict.fromkeys(names, 0)
    ready = [name for name in names if waiting[name] == 0]
    for name in ready:
        for target in after[name]:
            layer[target] = max(layer[target], layer[name] + 1)
            waiting[target] -= 1
            if waiting[target] == 0:
                ready.append(target)
    return layer


def _chain(edge: ChartEdge, layer_of: Mapping[str, int], cells: dict[str, _Cell]) -> list[str]:
    """The cells an edge runs through, from its upper end to its lower one; makes the stand-ins between."""
    upper, lower = sorted((edge.source, edge.target), key=lambda name: layer_of[name])
    keys = [upper]
    for layer in range(layer_of[upper] + 1, layer_of[lower]):
        key = f"{edge.source}\0{edge.target}\0{layer}"
        cells[key] = _Cell(key, layer, DUMMY_WIDTH)
        keys.append(key)
    return [*keys, lower]


def _ordered(cells: Mapping[str, _Cell], chains: Sequence[Sequence[str]]) -> list[list[str]]:
    """The cells of each layer from left to right, with few crossings."""
    count = max(cell.layer for cell in cells.values()) + 1
    layers: list[list[str]] = [[] for _ in range(count)]
    for cell in cells.values():
        layers[cell.layer].append(cell.key)
    above, below = _neighbours(cells, chains)
    best, fewest = [list(layer) for layer in layers], _crossings(layers, below)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for number in range(count) if down else reversed(range(count)):
            _order_by_middle(layers, number, above if down else below, -1 if down else 1)
        crossings = _crossings(layers, below)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _neighbours(
    cells: Mapping[str, _Cell], chains: Sequence[Sequence[str]]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    above: dict[str, list[str]] = {key: [] for key in cells}
    below: dict[str, list[str]] = {key: [] for key in cells}
    for chain in chains:
        for upper, lower in pairwise(chain):
            below[upper].append(lower)
            above[lower].append(upper)
    return above, below


def _order_by_middle(layers: list[list[str]], number: int, beside: Mapping[str, list[str]], step: int) -> None:
    """Sort one layer by where its neighbours in the next one stand; what has none there keeps its place."""
    if not 0 <= number + step < len(layers):
        return
    position = {key: place for place, key in enumerate(layers[number + step])}
    own = {key: place for place, key in enumerate(layers[number])}

    def middle(key: str) -> tuple[float, int]:
        places = sorted(position[other] for other in beside[key] if other in position)
        if not places:
            return float(own[key]), own[key]
        half = len(places) // 2
        return (places[half] if len(places) % 2 else (places[half - 1] + places[half]) / 2), own[key]

    layers[number].sort(key=middle)


def _crossings(layers: Sequence[Sequence[str]], below: Mapping[str, list[str]]) -> int:
    total = 0
    for upper, lower in pairwise(layers):
        position = {key: place for place, key in enumerate(lower)}
        ends = [sorted(position[other] for other in below[key] if other in position) for key in upper]
        passed: list[int] = []
        for one in ends:
            total += sum(1 for place in one for earlier in passed if earlier > place)
            passed += one
    return total


def _place(layers: Sequence[Sequence[str]], chains: Sequence[Sequence[str]], cells: Mapping[str, _Cell]) -> None:
    """Give every cell its x: packed at first, then drawn towards its neighbours without pushing anybody over."""
    above, below = _neighbours(cells, chains)
    for layer in layers:
        _pack(layer, cells)
    for round_ in range(SWEEPS):
        beside = above if round_ % 2 == 0 else below
        for layer in layers if round_ % 2 == 0 else reversed(layers):
            wanted = {key: _mean([cells[other].x for other in beside[key]], cells[key].x) for key in layer}
            _settle(layer, wanted, cells)
    left = min(cell.x - cell.width / 2 for cell in cells.values())
    for cell in cells.values():
        cell.x -= left


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _pack(layer: Sequence[str], cells: Mapping[str, _Cell]) -> None:
    x = 0.0
    for key in layer:
        cells[key].x = x + cells[key].width / 2
        x += cells[key].width + BOX_GAP


def _settle(layer: Sequence[str], wanted: Mapping[str, float], cells: Mapping[str, _Cell]) -> None:
    """Put a layer's cells as near to where they want to be as the gaps allow, in their order.

    Cells that would overlap become one block, which stands at the mean of what its members want.
    """
    blocks: list[tuple[list[str], list[float]]] = []  # members, and the block's left as each of them wants it
    for key in layer:
        members, lefts = [key], [wanted[key] - cells[key].width / 2]
        while blocks and _mean(blocks[-1][1], 0) + _span(blocks[-1][0], cells) + BOX_GAP > _mean(lefts, 0):
            earlier, earlier_lefts = blocks.pop()
            shift = _span(earlier, cells) + BOX_GAP
            members, lefts = earlier + members, earlier_lefts + [left - shift for left in lefts]
        blocks.append((members, lefts))
    for members, lefts in blocks:
        x = _mean(lefts, 0)
        for key in members:
            cells[key].x = x + cells[key].width / 2
            x += cells[key].width + BOX_GAP


def _span(members: Sequence[str], cells: Mapping[str, _Cell]) -> float:
    return sum(cells[key].width for key in members) + BOX_GAP * (len(members) - 1)


def _finished(
    chart: Chart,
    cells: Mapping[str, _Cell],
    chains: Mapping[int, Sequence[str]],
    back: set[ChartEdge],
    layer_count: int,
) -> Layout:
    boxes = {
        node.name: Box(cells[node.name].x, _y(cells[node.name].layer), cells[node.name].width)
        for node in chart.nodes
    }
    courses = {id(edge): _course(edge, chains[id(edge)], cells) for edge in chart.edges if id(edge) in chains}
    ports = _Ports(chart.edges, boxes, courses)
    arrows = tuple(
        Arrow(edge, _way(edge, courses.get(id(edge)), boxes, ports), edge in back) for edge in chart.edges
    )
    right = max(
        max(box.x + box.width / 2 for box in boxes.values()),
        max((x for arrow in arrows for x, _ in arrow.points), default=0.0),
    )
    return Layout(boxes, arrows, right, layer_count * (BOX_HEIGHT + LAYER_GAP) - LAYER_GAP)


def _y(layer: int) -> float:
    return layer * (BOX_HEIGHT + LAYER_GAP) + BOX_HEIGHT / 2


def _course(edge: ChartEdge, chain: Sequence[str], cells: Mapping[str, _Cell]) -> list[Point]:
    """Where an edge crosses the layers between its boxes, from its source to its target."""
    between = [(cells[key].x, _y(cells[key].layer)) for key in chain[1:-1]]
    return between if chain[0] == edge.source else between[::-1]


class _Ports:
    """Where on a box each of its arrows begins or ends: side by side, in the order of where they go."""

    def __init__(
        self, edges: Sequence[ChartEdge], boxes: Mapping[str, Box], courses: Mapping[int, Sequence[Point]]
    ) -> None:
        self._boxes = boxes
        self._at_side: dict[tuple[str, bool], list[tuple[float, int]]] = {}
        for edge in edges:
            if edge.source != edge.target:
                source, target, course = boxes[edge.source], boxes[edge.target], courses[id(edge)]
                goes_down = source.y <= target.y
                self._note(edge.source, goes_down, course[0][0] if course else target.x, edge)
                self._note(edge.target, not goes_down, course[-1][0] if course else source.x, edge)
        for several in self._at_side.values():
            several.sort()

    def _note(self, name: str, is_below: bool, towards: float, edge: ChartEdge) -> None:
        self._at_side.setdefault((name, is_below), []).append((towards, id(edge)))

    def at(self, name: str, is_below: bool, edge: ChartEdge) -> float:
        """The x at which an arrow meets the upper or the lower side of a box."""
        several = [one for _, one in self._at_side[name, is_below]]
        box = self._boxes[name]
        share = (several.index(id(edge)) + 1) / (len(several) + 1)
        return box.x + (share - 0.5) * min(box.width * 0.8, 34.0 * len(several))


def _way(
    edge: ChartEdge, course: Sequence[Point] | None, boxes: Mapping[str, Box], ports: _Ports
) -> tuple[Point, ...]:
    source, target = boxes[edge.source], boxes[edge.target]
    if course is None:  # a box that leads to itself: a small loop at its right
        x, y = source.x + source.width / 2, source.y
        return ((x, y - 9), (x + 22, y - 9), (x + 22, y + 9), (x, y + 9))
    goes_down = source.y <= target.y
    half = BOX_HEIGHT / 2 if goes_down else -BOX_HEIGHT / 2
    begin = (ports.at(edge.source, goes_down, edge), source.y + half)
    end = (ports.at(edge.target, not goes_down, edge), target.y - half)
    return (begin, *course, end)
