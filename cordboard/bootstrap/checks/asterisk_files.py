"""Asterisk's configuration files as Asterisk reads them: without comments, with what they include.

Understood: `#include` and `#tryinclude` with or without quotes or angle brackets, patterns (`manager.d/*.conf`),
paths from the configuration directory, `;` and `;-- --;` comments. Not followed: `#exec`, which runs a program.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

DEEPEST = 16  # includes within includes; Asterisk has a limit too
_BLOCK_COMMENT = re.compile(r";--(?!-).*?--;", re.DOTALL)
_INCLUDE = re.compile(r"\s*#(?:try)?include\s+(?:=>?\s*)?(?:\"([^\"]+)\"|<([^>]+)>|(\S+))", re.IGNORECASE)
_SECTION = re.compile(r"\s*\[([^\]]+)\]")


@dataclass
class Reading:
    """A file with everything it includes. files: all that were read; unreadable: those that could not be.

    lines: of all files in order, without comments and includes, each with the file it stands in.
    """

    files: set[Path] = field(default_factory=set)
    unreadable: list[Path] = field(default_factory=list)
    lines: list[tuple[Path, str]] = field(default_factory=list)

    def section(self, name: str) -> dict[str, str] | None:
        """The keys of a section, the last of each name; None if there is no such section."""
        found: dict[str, str] | None = None
        inside = False
        for _, line in self.lines:
            if heading := _SECTION.match(line):
                inside = heading[1].strip() == name
                found = {} if inside and found is None else found
            elif inside and found is not None and "=" in line:
                key, _, value = line.partition("=")
                found[key.strip().lower()] = value.removeprefix(">").strip()
        return found

    def sections(self) -> list[str]:
        """The names of all sections."""
        return [heading[1].strip() for _, line in self.lines if (heading := _SECTION.match(line))]


def read_with_includes(directory: Path, name: str) -> Reading:
    """A file of Asterisk's configuration directory with all it includes."""
    reading = Reading()
    _read(reading, directory, directory / name, 0)
    return reading


def _read(reading: Reading, directory: Path, path: Path, depth: int) -> None:
    if path in reading.files or depth > DEEPEST:
        return
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        reading.unreadable.append(path)
        return
    reading.files.add(path)
    for line in _without_comments(text):
        include = _INCLUDE.match(line)
        if include is None:
            reading.lines.append((path, line))
            continue
        for included in _meant(directory, include[1] or include[2] or include[3]):
            _read(reading, directory, included, depth + 1)


def _without_comments(text: str) -> Iterator[str]:
    for line in _BLOCK_COMMENT.sub("", text).splitlines():
        plain = re.split(r"(?<!\\);", line)[0].rstrip()
        if plain:
            yield plain


def _meant(directory: Path, written: str) -> list[Path]:
    """The files an include names. `directory /` leaves an absolute path as it is."""
    path = directory / written
    if any(character in written for character in "*?["):
        anchor = Path(path.anchor)
        return sorted(anchor.glob(str(path.relative_to(anchor))))
    return [path]
