"""What may happen and nothing is written for: `dead-end`, `on-failure-fails`.

Left-out ways (`otherwise`, the `then` after the last try) go to the flow's `on_failure`. Without one, or after it
has been used, the call goes to the safe destination of the dialplan: no caller is lost, but nobody has meant it.
"""

from __future__ import annotations

from collections.abc import Iterator

from cordboard.config.document import Keys
from cordboard.config.findings import Finding
from cordboard.flows.lint.subject import Subject


def dead_ends(subject: Subject) -> Iterator[Finding]:
    """Each left-out way of a flow without `on_failure`."""
    if subject.on_failure:
        return
    for node in subject.shapes:
        missing = [way for way in _left_out(subject, node, subject.reached) if way != _TOLD_BY_NODES]
        if missing:
            message = f"nothing is written for {_listed(missing)}, and the flow has no `on_failure`"
            hint = f"add {_listed(missing)} here, or `on_failure:` to the flow"
            yield subject.at_node(node, "dead-end", message, hint)


def failing_on_failure(subject: Subject) -> Iterator[Finding]:
    """The first node behind `on_failure` that has such a way itself: `on_failure` helps once."""
    behind = subject.graph.reached_from([subject.on_failure] if subject.on_failure else [])
    for node in subject.shapes:
        missing = _left_out(subject, node, behind)
        if missing:
            message = f"behind `on_failure`, nothing is written for {_listed(missing)} of `{node}`"
            hint = "add it: `on_failure` helps once, then the call goes to the safe destination of the dialplan"
            yield subject.at(("on_failure",), "on-failure-fails", message, hint)
            return


_TOLD_BY_NODES: Keys = ("on_error",)  # as `no-on-error`, an error: what is outside breaks sooner or later


def _left_out(subject: Subject, node: str, among: frozenset[str]) -> list[Keys]:
    """What a node leaves out, if it is one of these."""
    return list(subject.options[node].left_out()) if node in among else []


def _listed(ways: list[Keys]) -> str:
    return " and ".join(f"`{'.'.join(map(str, keys))}`" for keys in ways)
