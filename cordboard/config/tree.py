"""Builds the tree of a document from libyaml's events, with the limits that stop a hostile file.

Used by `yaml_reader` only. Every limit is checked event by event, before anything is built from the excess:
libyaml's own composer recurses (200,000 open brackets kill the process) and its aliases may stand for more
values than there is memory. No constructor of YAML's ever runs here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from cordboard.config.document import NO_INSET, Item, Mark
from cordboard.config.findings import Finding
from cordboard.config.scalars import plain_value
from cordboard.errors import ConfigurationError

MAX_DEPTH = 32
MAX_ALIASES = 50
MAX_KEYS = 15_000  # of one mapping; the numbers of a large firm
MAX_DUPLICATES = 100  # keys written twice that are told; nobody makes more by mistake
MAX_VALUES = 40_000  # keys not counted; a flow of 3,000 nodes has about 25,000

_QUOTES = ("'", '"')
_SHOWN_CHARACTERS = 60  # of a name that somebody wrote, in a message
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")  # reached by escapes such as "\0"; no text of ours needs one


@dataclass(slots=True)
class _Open:
    """A list or mapping which is not closed yet. key: whose value comes next; skipped: as a duplicate."""

    item: Item
    anchor: str | None
    is_mapping: bool
    key: str | None = None
    skipped: bool = False


class TreeBuilder:
    """Takes the events of one document. `findings` holds duplicate keys; every other fault is raised at once."""

    def __init__(self, file: str) -> None:
        self.findings: list[Finding] = []
        self._file = file
        self._open: list[_Open] = []
        self._anchors: dict[str, Item] = {}
        self._aliases = 0
        self._values = 0
        self._root: Item | None = None

    def build(self, events: Iterable[yaml.Event]) -> Item:
        """The root of the tree; an empty file is `None` at its first character.

        Raises ConfigurationError with one finding at the first broken limit, and what the parser raises.
        """
        for event in events:
            self._take(event)
        return self._root or Item(None, (1, 1))

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent():
                self._start(event, {})
            case yaml.SequenceStartEvent():
                self._start(event, [])
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.CollectionEndEvent():
                self._end()
            case yaml.DocumentStartEvent() if self._root is not None:
                self._refuse(event, "second-document", "a second document begins here", "remove the line `---`")

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._refuse_tag(event)
        if not event.value.isprintable() and _CONTROL.search(event.value):
            self._refuse(event, "control-character", "a control character is written in this text", "remove it")
        if self._wants_key():
            self._key(event)
            return
        plain = not event.style
        data = plain_value(event.value) if plain else event.value
        item = Item(data, _mark(event), inset=_inset(event))
        self._remember(event.anchor, item)
        self._add(event, item)

    def _start(self, event: Any, data: dict[str, Any] | list[Any]) -> None:
        self._refuse_tag(event)
        if self._wants_key():
            self._refuse(event, "key-not-text", "a key must be text", "was a text with `{` or `[` meant? quote it")
        if len(self._open) >= MAX_DEPTH:
            self._refuse(event, "too-deep", f"nested deeper than {MAX_DEPTH} levels")
        self._open.append(_Open(Item(data, _mark(event), {}, {}), event.anchor, isinstance(data, dict)))

    def _end(self) -> None:
        closed = self._open.pop()
        self._remember(closed.anchor, closed.item)
        self._add(None, closed.item)

    def _alias(self, event: yaml.AliasEvent) -> None:
        if self._wants_key():
            self._refuse(
                event, "key-not-text", "a key must be text", f'in quotes it is: "*{_shown(event.anchor or "")}"'
            )
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            self._refuse(event, "too-many-aliases", f"more than {MAX_ALIASES} aliases (`*name`)")
        target = self._anchors.get(event.anchor or "")
        if target is None:
            name = _shown(event.anchor or "")
            hint = f'a text that begins with `*` needs quotes: "*{name}"'
            self._refuse(event, "unknown-alias", f"`*{name}` names no finished `&{name}`", hint)
        if len(self._open) + target.height > MAX_DEPTH:
            self._refuse(event, "too-deep", f"nested deeper than {MAX_DEPTH} levels with this alias")
        self._add(event, target)

    def _key(self, event: yaml.ScalarEvent) -> None:
        """Note the key whose value comes next."""
        top, name, mark = self._open[-1], event.value, _mark(event)
        if name == "<<" and not event.style:
            self._refuse(event, "merge-key", "merge keys (`<<`) are not read", "write the keys out")
        top.key, top.skipped = name, name in top.item.keys
        if not top.skipped:
            if len(top.item.keys) >= MAX_KEYS:
                self._refuse(event, "too-many-values", f"more than {MAX_KEYS} keys in one mapping")
            top.item.keys[name] = mark
            return
        first = top.item.keys[name]
        message = f"`{_shown(name)}` is written twice: here and in line {first[0]}"
        self.findings.append(Finding(self._file, *mark, "duplicate-key", message, "keep one of them"))
        if len(self.findings) >= MAX_DUPLICATES:
            raise ConfigurationError(sorted(self.findings))

    def _wants_key(self) -> bool:
        if not self._open:
            return False
        top = self._open[-1]
        return top.is_mapping and top.key is None

    def _add(self, event: yaml.Event | None, item: Item) -> None:
        """Put a finished item into what is open around it. event: None for a collection, counted by its parts."""
        self._count(event, item.size if event else 1, item.mark)
        if not self._open:
            self._root = item
            return
        top = self._open[-1]
        parent = top.item
        if isinstance(parent.data, dict):
            key: str | int = top.key or ""
            top.key = None
            if top.skipped:
                return
            parent.data[key] = item.data
        else:
            key = len(parent.data)
            parent.data.append(item.data)
        parent.children[key] = item
        parent.size += item.size
        parent.height = max(parent.height, item.height + 1)

    def _count(self, event: yaml.Event | None, values: int, mark: Mark) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise self._refusal(mark if event is None else _mark(event), "too-many-values", _TOO_MANY)

    def _remember(self, anchor: str | None, item: Item) -> None:
        if anchor is not None:
            self._anchors[anchor] = item

    def _refuse_tag(self, event: Any) -> None:
        if event.tag is not None:
            self._refuse(
                event, "tag", f"tags such as `{_shown(event.tag)}` are not read", "write the value without a tag"
            )

    def _refuse(self, event: yaml.Event, code: str, message: str, hint: str = "") -> NoReturn:
        raise self._refusal(_mark(event), code, message, hint)

    def _refusal(self, mark: Mark, code: str, message: str, hint: str = "") -> ConfigurationError:
        return ConfigurationError([Finding(self._file, *mark, code, message, hint)])


_TOO_MANY = f"more than {MAX_VALUES} values, aliases expanded"


def _shown(name: str) -> str:
    return name if len(name) <= _SHOWN_CHARACTERS else f"{name[:_SHOWN_CHARACTERS]}..."


def _mark(event: yaml.Event) -> Mark:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _inset(event: yaml.ScalarEvent) -> int:
    """Columns before the first character of a text; NO_INSET if its characters do not stand side by side."""
    quotes = 1 if event.style in _QUOTES else 0
    start, end = event.start_mark, event.end_mark
    if start is None or end is None or start.line != end.line:
        return NO_INSET
    return quotes if end.column - start.column == len(event.value) + 2 * quotes else NO_INSET
