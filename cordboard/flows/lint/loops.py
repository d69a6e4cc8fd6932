"""Ways that go round in circles for ever: `spinning-loop`, `endless-loop`, `menu-without-exit`.

A circle is fine as long as something leads out of it: a key, a condition, the last of several tries.
"""

from __future__ import annotations

from collections.abc import Iterator

from cordboard.config.findings import Finding
from cordboard.flows.lint.subject import Subject


def loops(subject: Subject) -> Iterator[Finding]:
    """The circles without a way out. A menu that leads to itself only is told as such."""
    yield from _spinning(subject)
    menus = [name for name in subject.reached if _has_keys_to_itself_only(subject, name)]
    for name in menus:
        message = f"every key of `{name}` leads back to it"
        yield subject.at(("nodes", name, "keys"), "menu-without-exit", message, _OUT_OF_MENU, key=True)
    for circle in subject.graph.only(subject.reached).circles():
        is_told = len(circle) == 1 and not circle.isdisjoint(menus)
        if not is_told and _is_closed(subject, circle) and any(subject.shapes[one].asks for one in circle):
            yield _finding(subject, circle, "endless-loop", "a caller who comes here can only hang up", _OUT)


_OUT = "let one of them lead out, to a menu or a `hangup` say"
_OUT_OF_MENU = "give at least one key another node"
_COUNT = "let one of them play or ask something, or lead out by a condition"


def _spinning(subject: Subject) -> Iterator[Finding]:
    """Circles of nodes that ask nothing: the engine ends a call there at once."""
    silent = {name for name in subject.reached if not subject.shapes[name].asks}
    for circle in subject.graph.only(silent).circles():
        if _is_closed(subject, circle):
            yield _finding(subject, circle, "spinning-loop", "a loop that asks nothing of the call", _COUNT)


def _is_closed(subject: Subject, circle: frozenset[str]) -> bool:
    """Whether nothing leads out of a circle, not even the last of several tries."""
    return all(
        not subject.shapes[node].ends
        and not any(subject.options[node].left_out())
        and circle.issuperset(subject.graph.next[node])
        for node in circle
    )


def _has_keys_to_itself_only(subject: Subject, name: str) -> bool:
    by_key = [way.node for way in subject.shapes[name].exits if way.keys[0] == "keys"]
    return bool(by_key) and all(node == name for node in by_key)


def _finding(subject: Subject, circle: frozenset[str], code: str, message: str, hint: str) -> Finding:
    """Told at the node of the circle that is written first."""
    inside = [name for name in subject.shapes if name in circle]
    way = " → ".join([*inside[:4], "…" if len(inside) > 4 else inside[0]])
    return subject.at_node(inside[0], code, f"{message}: {way}", hint)
