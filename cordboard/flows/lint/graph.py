"""The nodes of a flow and the ways between them, as a graph: who can be reached, and what goes round in circles.

Used by the rules. Plain algorithms over names; each takes time in proportion to the ways.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

Ways = Mapping[str, Sequence[str]]


class Graph:
    """next: the nodes behind each node, in the order they are written, some perhaps several times."""

    def __init__(self, next_nodes: Ways) -> None:
        self.next = next_nodes

    def reached_from(self, roots: Iterable[str], through: Callable[[str], bool] | None = None) -> frozenset[str]:
        """The roots and everything behind them. through: whether to go on behind a node; always, if left out."""
        found = {root for root in roots if root in self.next}
        waiting = deque(found)
        while waiting:
            node = waiting.popleft()
            if through is None or through(node):
                new = [other for other in self.next[node] if other not in found]
                found.update(new)
                waiting.extend(dict.fromkeys(new))
        return frozenset(found)

    def only(self, nodes: frozenset[str] | set[str]) -> Graph:
        """The graph of some of its nodes."""
        return Graph({node: [other for other in self.next[node] if other in nodes] for node in nodes})

    def circles(self) -> Iterator[frozenset[str]]:
        """Each largest set of nodes that all lead to each other; a node alone only if it leads to itself."""
        for group in _strongly_connected(self.next):
            if len(group) > 1 or group[0] in self.next[group[0]]:
                yield frozenset(group)

    def path(self, start: str, end: str, avoiding: Callable[[str, str], bool]) -> list[str]:
        """A shortest way between two nodes, both included; [] if there is none.

        avoiding: whether a step from one node to the next is not to be taken.
        """
        came_from = {start: ""}
        waiting = deque([start])
        while waiting:
            node = waiting.popleft()
            if node == end:
                return _traced(came_from, end)
            for other in self.next[node]:
                if other not in came_from and not avoiding(node, other):
                    came_from[other] = node
                    waiting.append(other)
        return []


def _traced(came_from: Mapping[str, str], end: str) -> list[str]:
    way = [end]
    while came_from[way[-1]]:
        way.append(came_from[way[-1]])
    return way[::-1]


def _strongly_connected(ways: Ways) -> Iterator[list[str]]:
    """Tarjan's algorithm, without recursion: a flow may have 3,000 nodes in a row.

    lowest: the earliest node of the stack that can be reached from a node; a group is complete at the node where
    that is the node itself.
    """
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for root in ways:
        if root in number:
            continue
        open_nodes = [(root, iter(ways[root]))]
        number[root] = lowest[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        while open_nodes:
            node, others = open_nodes[-1]
            child = next((other for other in others if other not in number or other in on_stack), None)
            if child is None:
                open_nodes.pop()
                if open_nodes:
                    parent = open_nodes[-1][0]
                    lowest[parent] = min(lowest[parent], lowest[node])
                if lowest[node] == number[node]:
                    yield _unstack(stack, on_stack, node)
            elif child in number:
                lowest[node] = min(lowest[node], number[child])
            else:
                number[child] = lowest[child] = len(number)
                stack.append(child)
                on_stack.add(child)
                open_nodes.append((child, iter(ways[child])))


def _unstack(stack: list[str], on_stack: set[str], node: str) -> list[str]:
    group: list[str] = []
    while group[-1:] != [node]:
        group.append(stack.pop())
    on_stack.difference_update(group)
    return group
