"""Values that are used before anything has given them: `use-before-set`.

Definite assignment, as compilers do it: a variable counts as set at a node if every way there sets it, those
through `on_failure` and `on_hangup` too. Sets of variables are bits of whole numbers, so 3,000 nodes take no time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cordboard.config.document import Keys
from cordboard.config.findings import Finding
from cordboard.flows.lint.subject import Subject
from cordboard.flows.uses import Use

_MOST_STEPS = 6  # of a way that are told


def used_before_set(subject: Subject) -> Iterator[Finding]:
    """The first use of each variable at each node that some call may reach without it."""
    setting = _Setting.of(subject)
    known = _known_at(subject, setting)
    told: set[tuple[str, str]] = set()
    for use in (*subject.uses.variables, *_spoken(subject)):
        bit = setting.bits.get(use.name, 0)
        if use.node not in subject.reached or known[use.node] & bit or not bit or _is_set_above(subject, use):
            continue
        result = use.name.partition(".")[0]  # of a look-up: one finding for all its fields
        if (use.node, result) not in told:
            told.add((use.node, result))
            yield _finding(subject, setting, use)


@dataclass(slots=True)
class _Setting:
    """bits: of each variable; always: those a node sets on all its ways; only_on: those it sets on one of them."""

    bits: dict[str, int]
    always: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    only_on: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    @classmethod
    def of(cls, subject: Subject) -> _Setting:
        names = [*subject.variables, *(name for name in subject.secrets if name not in subject.variables)]
        setting = cls({name: 1 << number for number, name in enumerate(names)})
        members = _members(names)
        for node, declaration in subject.declared:
            mask = sum(setting.bits[name] for name in members.get(declaration.name, ()))
            if not declaration.on:
                setting.always[node] |= mask
            for label in declaration.on:
                setting.only_on[node, label] |= mask
        return setting

    def on(self, node: str, label: str) -> int:
        """What a node has set when it is left that way."""
        return self.always.get(node, 0) | self.only_on.get((node, label), 0)


def _members(names: list[str]) -> Mapping[str, list[str]]:
    """The variables that a declaration's name stands for: itself, or `name.field` for each field of a result."""
    members: dict[str, list[str]] = defaultdict(list)
    for name in names:
        members[name].append(name)
        result = name.partition(".")[0]
        if result != name:
            members[result].append(name)
    return members


def _known_at(subject: Subject, setting: _Setting) -> dict[str, int]:
    """The variables that have a value whenever a node is reached, for each node."""
    everything = (1 << len(setting.bits)) - 1
    formulas = {use.node for use in subject.uses.expressions}  # without one, a `set` cannot break
    known = dict.fromkeys(subject.shapes, everything)
    waiting: list[str] = []

    def meet(node: str, mask: int) -> None:
        if node in known and known[node] & mask != known[node]:
            known[node] &= mask
            waiting.append(node)

    meet(subject.start, sum(setting.bits.get(name, 0) for name in subject.given))
    if not waiting:  # nothing to know, or everything is given
        waiting.append(subject.start)
    done: set[str] = set()
    while waiting:
        node = waiting.pop()
        shape, mask = subject.shapes[node], known[node]
        for way in shape.exits:
            meet(way.node, mask | setting.on(node, way.label))
        if shape.asks or (shape.fails and (shape.verb != "set" or node in formulas)):
            meet(subject.on_failure, mask)
        if shape.asks:
            meet(subject.on_hangup, mask)
        if node not in done:
            done.add(node)
            waiting += [way.node for way in shape.exits if way.node not in done]
    return known


def _spoken(subject: Subject) -> Iterator[Use]:
    """The variables in the prompts that nodes play."""
    for use in subject.uses.prompts:
        for name in sorted(subject.spoken.get(use.name, ())):
            yield Use(use.node, use.keys, name)


def _is_set_above(subject: Subject, use: Use) -> bool:
    """Whether an earlier line of the same `set` gives the value."""
    if use.keys[:1] != ("set",) or len(use.keys) < 2:
        return False
    names = list(subject.shapes[use.node].written["set"])
    return use.name in names[: names.index(use.keys[1])]


def _finding(subject: Subject, setting: _Setting, use: Use) -> Finding:
    keys: Keys = ("nodes", use.node, *use.keys)
    way = _way_without(subject, setting, use)
    message = f"`{use.name}` may have no value yet: it is not set on the way {way}"
    return subject.within(keys, use.offset, "use-before-set", message, _HINT)


_HINT = "set it on every way that leads here, or at the start of the flow"


def _way_without(subject: Subject, setting: _Setting, use: Use) -> str:
    """A way to the node on which nothing sets the variable."""
    bit = setting.bits[use.name]

    def sets(node: str, other: str) -> bool:
        return all(setting.on(node, way.label) & bit for way in subject.shapes[node].exits if way.node == other)

    way = subject.graph.path(subject.start, use.node, sets)
    if not way:
        root = next(
            (root for root in (subject.on_failure, subject.on_hangup) if root and _leads(subject, root, use.node)),
            "",
        )
        way = [subject.start, "…", *subject.graph.path(root, use.node, sets)] if root else [subject.start, use.node]
    return " → ".join(way if len(way) <= _MOST_STEPS else [*way[:2], "…", *way[-3:]])


def _leads(subject: Subject, root: str, node: str) -> bool:
    return node in subject.graph.reached_from([root])
