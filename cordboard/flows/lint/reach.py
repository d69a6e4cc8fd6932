"""Nodes that no call comes to: `unreachable-node`."""

from __future__ import annotations

from collections.abc import Iterator

from cordboard.config.findings import Finding
from cordboard.flows.lint.subject import Subject

_MOST_NAMES = 5  # of nodes behind the one that is told


def unreachable_nodes(subject: Subject) -> Iterator[Finding]:
    """One finding for each piece of the flow that is cut off, at its first node; the rest follows from that."""
    lost = [name for name in subject.shapes if name not in subject.reached]
    heads = _without_anything_before(subject, lost)
    told: set[str] = set()
    for head in (*heads, *lost):  # a circle has no head: its first node will do
        if head in told:
            continue
        behind = subject.graph.reached_from([head]) - subject.reached - told - {head}
        told |= {head, *behind}
        yield subject.at_node(
            head, "unreachable-node", f"no way leads to `{head}`", _hint([one for one in lost if one in behind])
        )


def _without_anything_before(subject: Subject, lost: list[str]) -> list[str]:
    """Those of the lost nodes that no other one leads to."""
    led_to = {other for node in lost for other in subject.graph.next[node] if other != node}
    return [node for node in lost if node not in led_to]


def _hint(behind: list[str]) -> str:
    hint = "name it where a call should go there, or take it out"
    if not behind:
        return hint
    named = ", ".join(f"`{one}`" for one in behind[:_MOST_NAMES])
    return f"{hint}; {named}{' and others' if len(behind) > _MOST_NAMES else ''} can only be reached from it"
