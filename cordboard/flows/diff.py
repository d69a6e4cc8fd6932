"""What has changed between two texts of a flow, in words an admin would use.

Works on what is written, not on what was compiled: texts that would be refused today can be compared too. Pure;
used by `cordboard flow diff` and wherever else a revision is shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from cordboard.config.document import Document, Keys
from cordboard.config.scalars import as_written
from cordboard.config.validation import validate
from cordboard.flows.nodes import NODE_TYPES
from cordboard.flows.options import NodeOptions, exit_label

_LONGEST_VALUE = 60
_OF_THEIR_OWN = ("flow", "start", "nodes", "prompts")  # told in words of their own, or not at all


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different. part: what kind of thing; name: which one, "" for the flow's frame."""

    part: Literal["flow", "node", "prompt"]
    name: str
    what: Literal["added", "removed", "renamed", "changed"]
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        who = f"{self.part} {self.name}".rstrip() if self.part != "node" or self.what != "changed" else self.name
        if self.what in ("added", "removed"):
            return " ".join([who, self.what, *self.details])
        return f"{who}: {'; '.join(self.details)}"

    def as_json(self) -> dict[str, Any]:
        """The same as a JSON-ready dictionary."""
        return {**asdict(self), "details": list(self.details), "text": str(self)}


def diff_flows(before: Document, after: Document) -> list[Change]:
    """Everything that is different, the frame first, then nodes, then prompts. Order and comments do not count."""
    renamed = dict(_renamed(_section(before, "nodes"), _section(after, "nodes")))
    return [
        *_frame_changes(before, after, renamed),
        *_node_changes(before, after, renamed),
        *_prompt_changes(before, after),
    ]


# The frame


def _frame_changes(before: Document, after: Document, renamed: Mapping[str, str]) -> Iterator[Change]:
    was, now = (_start(one) for one in (before, after))
    details = [f"begins at {now} instead of {was}"] if renamed.get(was, was) != now else []
    details += _value_changes(_frame(before), _frame(after), renamed)
    if details:
        yield Change("flow", "", "changed", tuple(details))


def _frame(document: Document) -> dict[str, Any]:
    data = document.data if isinstance(document.data, dict) else {}
    return {key: value for key, value in data.items() if key not in _OF_THEIR_OWN}


def _start(document: Document) -> str:
    data = document.data if isinstance(document.data, dict) else {}
    return str(data.get("start") or next(iter(_section(document, "nodes")), "nowhere"))


# Nodes


def _node_changes(before: Document, after: Document, renamed: Mapping[str, str]) -> Iterator[Change]:
    old, new = _section(before, "nodes"), _section(after, "nodes")
    earlier = {renamed.get(name, name): name for name in old}
    for name in new:
        was = earlier.get(name)
        if was is None:
            yield Change("node", name, "added")
        elif was != name:
            yield Change("node", was, "renamed", (f"is called {name} now",))
        elif details := _details(before, after, name, renamed):
            yield Change("node", name, "changed", tuple(details))
    for name in old:
        if renamed.get(name, name) not in new:
            yield Change("node", name, "removed")


def _renamed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Nodes that are there under another name, as it seems: nothing else of them is different."""
    gone = {_text(old[name]): name for name in old if name not in new}
    for name in new:
        if name not in old and (was := gone.pop(_text(new[name]), None)) is not None:
            yield was, name


def _details(before: Document, after: Document, name: str, renamed: Mapping[str, str]) -> list[str]:
    old, new = (_section(one, "nodes")[name] for one in (before, after))
    if _text(old) == _text(new):
        return []
    verbs = _verb(old), _verb(new)
    if verbs[0] != verbs[1]:
        return [f"is a `{verbs[1]}` now instead of a `{verbs[0]}`"]
    ways = _ways(before, name, verbs[0]), _ways(after, name, verbs[1])
    told = list(_way_changes(*ways, renamed))
    return told + _value_changes(old, new, renamed, skipped={*ways[0], *ways[1]})


def _way_changes(old: Mapping[str, str], new: Mapping[str, str], renamed: Mapping[str, str]) -> Iterator[str]:
    for label, node in new.items():
        was = old.get(label)
        if was is None:
            yield f"{_way_words(label)} added, leads to {node}"
        elif renamed.get(was, was) != node:
            yield f"{_way_words(label)} now leads to {node} instead of {was}"
    for label, node in old.items():
        if label not in new:
            yield f"{_way_words(label)} removed, led to {node}"


def _way_words(label: str) -> str:
    first, _, rest = label.partition(".")
    if first == "keys":
        return f"key {rest}"
    number, _, then = rest.partition(".")
    if number.isdigit() and then == "then":
        return f"case {int(number) + 1} of `{first}`"
    return f"`{label}`"


def _ways(document: Document, name: str, verb: str) -> dict[str, str]:
    """The node that each way leads to; {} for options which cannot be read."""
    options = None
    if verb in NODE_TYPES:
        options, _ = validate(NODE_TYPES[verb], document, ("nodes", name))
    return {one.label: one.node for one in options.exits()} if isinstance(options, NodeOptions) else {}


def _verb(written: Any) -> str:
    return next((key for key in written if key in NODE_TYPES), "?") if isinstance(written, dict) else "?"


# Prompts


def _prompt_changes(before: Document, after: Document) -> Iterator[Change]:
    old, new = _prompts(before), _prompts(after)
    for name in {**old, **new}:
        if name not in old:
            yield Change("prompt", name, "added")
        elif name not in new:
            yield Change("prompt", name, "removed")
        elif details := tuple(_text_changes(old[name], new[name])):
            yield Change("prompt", name, "changed", details)


def _text_changes(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    changed = [language for language in new if language in old and old[language] != new[language]]
    if changed:
        yield f"text changed in {', '.join(changed)}"
    if added := [language for language in new if language not in old]:
        yield f"{', '.join(added)} added"
    if removed := [language for language in old if language not in new]:
        yield f"{', '.join(removed)} removed"


def _prompts(document: Document) -> dict[str, dict[str, str]]:
    """The texts by name and language, also where only the text is written."""
    languages = document.data.get("languages") if isinstance(document.data, dict) else None
    first = languages[0] if isinstance(languages, list) and languages else "en"
    written = _section(document, "prompts")
    return {name: one if isinstance(one, dict) else {str(first): one} for name, one in written.items()}


# Values


def _value_changes(
    old: Mapping[str, Any], new: Mapping[str, Any], renamed: Mapping[str, str], *, skipped: set[str] | None = None
) -> list[str]:
    """What stands elsewhere than before, or has another value. skipped: places that were told of."""
    was, now = dict(_leaves(old, ())), dict(_leaves(new, ()))
    found = []
    for keys in {**was, **now}:
        label = exit_label(keys)
        if label in (skipped or ()) or (keys in was and keys in now and _same(was[keys], now[keys], renamed)):
            continue
        if keys not in now:
            found.append(f"`{label}` is gone, was {_shown(was[keys])}")
        elif keys not in was:
            found.append(f"`{label}` is {_shown(now[keys])} now")
        else:
            found.append(f"`{label}` is {_shown(now[keys])} instead of {_shown(was[keys])}")
    return found


def _same(was: Any, now: Any, renamed: Mapping[str, str]) -> bool:
    return _text(was) == _text(now) or (isinstance(was, str) and renamed.get(was) == now)


def _leaves(value: Any, way: Keys) -> Iterator[tuple[Keys, Any]]:
    """Every scalar in a value, with the way to it."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not isinstance(value, dict | list) or not value:
        yield way, value
    for key, one in inside:
        yield from _leaves(one, (*way, key))


def _shown(value: Any) -> str:
    text = str(as_written(value)) if value not in ({}, [], None) else "empty"
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _text(value: Any) -> str:
    """The same for equal values, whatever the order of their keys."""
    return json.dumps(value, sort_keys=True, default=str)


def _section(document: Document, key: str) -> Mapping[str, Any]:
    section = document.data.get(key) if isinstance(document.data, dict) else None
    return section if isinstance(section, dict) else {}
