"""Nodes behind `on_hangup` that want something of a caller who has left: `asks-after-hangup`."""

from __future__ import annotations

from collections.abc import Iterator

from cordboard.config.findings import Finding
from cordboard.flows.lint.subject import Subject

_LAST = "hangup"  # a natural end, also of a call that is over


def asking_after_hangup(subject: Subject) -> Iterator[Finding]:
    """Each node where such a run ends without a word, and not those behind it."""
    roots = [subject.on_hangup] if subject.on_hangup else []
    behind = subject.graph.reached_from(roots, through=lambda node: not subject.shapes[node].needs_call)
    for node in subject.shapes:
        shape = subject.shapes[node]
        if node in behind and shape.needs_call and shape.verb != _LAST:
            message = f"`{node}` is reached from `on_hangup`, and `{shape.verb}` needs a caller"
            yield subject.at_node(node, "asks-after-hangup", message, _HINT)


_HINT = "only http, lookup, script, tag, set, branch, hours and goto work when the caller has left"
