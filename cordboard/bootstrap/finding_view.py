"""A finding for people: the line of the file, a caret under the place, what to write instead, and where to read on.

    flows/support.yaml:31:13: there is no prompt `helo` [unknown-prompt]
       31 | a: {play: helo, next: bye}
          |           ^^^^
          did you mean `hello`?
          docs/findings.md#unknown-prompt

Used by `cordboard lint`. Colours only where the console is a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cordboard.config.findings import Finding

_WIDEST = 160  # characters of a line that are shown; the place stays among them
_STYLES = {"error": "bold red", "warning": "bold yellow"}


def show(console: Console, findings: Iterable[Finding]) -> None:
    """Print findings one after the other."""
    lines_of = cache(_read_lines)  # a file with many findings is read once
    for finding in findings:
        console.print(view(finding, lines_of(finding.file)), soft_wrap=True)


def view(finding: Finding, lines: tuple[str, ...]) -> Text:
    """One finding. lines: of its file; () if they cannot be read."""
    text = Text()
    place, _, rest = finding.headline.partition(": ")
    text.append(f"{place}: ", style="bold")
    text.append(rest, style=_STYLES[finding.severity])
    gutter = " " * 6
    if 0 < finding.line <= len(lines) and lines[finding.line - 1].strip():
        line, caret = _marked(lines[finding.line - 1], finding)
        text.append(f"\n{finding.line:>5} | ", style="dim").append(line)
        text.append(f"\n{gutter}| ", style="dim").append(caret, style=_STYLES[finding.severity])
    for hint in finding.hint.splitlines():
        text.append(f"\n{gutter}  {hint}")
    return text.append(f"\n{gutter}  {finding.url}", style="dim")


def _marked(line: str, finding: Finding) -> tuple[str, str]:
    """The line, cut if it is very long, and the carets that go below it."""
    line = line.expandtabs(1)
    start = finding.column - 1
    width = max(1, finding.end_column - finding.column)
    cut = max(0, start - _WIDEST // 2) if len(line) > _WIDEST else 0
    return line[cut : cut + _WIDEST], " " * (start - cut) + "^" * min(width, _WIDEST // 2)


def _read_lines(file: str) -> tuple[str, ...]:
    """The lines of a file as it is now; () if it cannot be read. Characters that would move the cursor are gone."""
    try:
        text = Path(file).read_text("utf-8", errors="replace")
    except OSError:
        return ()
    return tuple("".join(one if one.isprintable() else " " for one in line) for line in text.split("\n"))
