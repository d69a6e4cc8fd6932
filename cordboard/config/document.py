"""A configuration file after reading: plain data, and the line and column of every part of it.

Made by `yaml_reader`; asked for places by everything that reports a fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from cordboard.config.findings import Finding, Severity
from cordboard.config.scalars import as_written

Keys = tuple[str | int, ...]  # the way to a value: ("nodes", "menu", "keys", "1"), with numbers into lists
Mark = tuple[int, int]  # line and column, from 1

NO_INSET = -1
_NONE: dict[Any, Any] = {}  # shared by all scalars, which are most items; never written to
_NEVER_QUOTED = re.compile(
    r"[A-Za-z_][A-Za-z0-9_-]*"
)  # keys nobody puts in quotes: their width in the file is known


@dataclass(slots=True)
class Item:
    """One value: its data, where it is written, and the items inside it.

    size:   how many values it stands for once aliases are expanded; height: how deep it nests, 1 for a scalar.
    inset:  columns between the mark and the first character of a text (1 behind a quote); NO_INSET where the
            text is written so that its columns cannot be told (escapes, several lines).
    """

    data: Any
    mark: Mark
    children: dict[str | int, Item] = field(default_factory=lambda: _NONE)
    keys: dict[str | int, Mark] = field(default_factory=lambda: _NONE)
    size: int = 1
    height: int = 1
    inset: int = NO_INSET


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read. `data` holds str, int, float, bool, None, list and dict[str, ...]; do not change it.

    text: the whole file, for what the data does not tell: comments.
    """

    file: str
    root: Item = field(repr=False)
    text: str = field(default="", repr=False)

    @property
    def data(self) -> Any:
        """The whole file as plain data."""
        return self.root.data

    def item(self, path: Keys) -> Item:
        """The item at a path, or the deepest one there is on the way to it."""
        item = self.root
        for part in path:
            child = item.children.get(part)
            if child is None:
                return item
            item = child
        return item

    def has(self, path: Keys) -> bool:
        """Whether something is written at a path."""
        item = self.root
        for part in path:
            if part not in item.children:
                return False
            item = item.children[part]
        return True

    def place(self, path: Keys, key: bool = False) -> Mark:
        """Line and column of the value at a path (key=True: of its key), or of the nearest one around it."""
        if key and path:
            mark = self.item(path[:-1]).keys.get(path[-1])
            if mark is not None:
                return mark
        return self.item(path).mark

    def place_in(self, path: Keys, line: int, column: int) -> Mark:
        """The place of a character within a text, or of the text's beginning where it cannot be told.

        line, column: of the character within the text, from 1.
        """
        item = self.item(path)
        if line != 1 or item.inset == NO_INSET:
            return item.mark
        return item.mark[0], item.mark[1] + item.inset + column - 1

    def finding(
        self,
        path: Keys,
        code: str,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        severity: Severity = "error",
    ) -> Finding:
        """A finding at the value of a path, or at its key."""
        line, column = self.place(path, key)
        width = self._width(path, key)
        end_column = column + width if width else 0
        return Finding(self.file, line, column, code, message, hint, severity, end_column)

    def _width(self, path: Keys, key: bool) -> int:
        """Characters of the value at a path, or of its key, as they stand in the file; 0 where not known."""
        if key and path and path[-1] in self.item(path[:-1]).keys:
            return len(str(path[-1])) if _NEVER_QUOTED.fullmatch(str(path[-1])) else 0
        item = self.item(path)
        if item.inset == NO_INSET or item.data is None:
            return 0
        return len(str(as_written(item.data))) + 2 * item.inset
