"""What `cordboard doctor` has found, as text: columns and colours on a terminal, plain lines in a pipe, or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cordboard.bootstrap.checks.result import Level, Result, counted
from cordboard.bootstrap.doctor import Examined

NAME_WIDTH = 11  # of the longest name of a check

_MARKS = {
    Level.OK: ("✓", "green"),
    Level.NOTE: ("•", "cyan"),
    Level.WARNING: ("!", "yellow"),
    Level.FAULT: ("✗", "red"),
}


def json_lines(examined: Sequence[Examined]) -> Iterator[str]:
    """One object for each result."""
    for one in examined:
        for result in one.results:
            row = {"check": one.check, "level": result.level.name.lower(), "seen": result.seen, "fix": result.fix}
            yield json.dumps(row | {"took_s": round(one.took_s, 3)})


def plain_lines(examined: Sequence[Examined]) -> Iterator[str]:
    """For pipes and files: `fault    manager    what was seen`, then `         fix        what to do`."""
    for one in examined:
        for result in one.results:
            yield f"{result.level.name.lower():8} {one.check:{NAME_WIDTH}} {result.seen}"
            if result.fix:
                yield f"{'':8} {'fix':{NAME_WIDTH}} {result.fix}"
    yield summary(examined)


def summary(examined: Sequence[Examined]) -> str:
    """`11 of 15 checks good, 2 notes, 1 warning, 1 fault`."""
    good = sum(one.level == Level.OK for one in examined)
    levels = [result.level for one in examined for result in one.results]
    parts = [
        counted(levels.count(level), level.name.lower())
        for level in (Level.NOTE, Level.WARNING, Level.FAULT)
        if level in levels
    ]
    return ", ".join([f"{good} of {counted(len(examined), 'check')} good", *parts])


def worst(examined: Sequence[Examined]) -> Level:
    """The level of the worst result."""
    return max((one.level for one in examined), default=Level.OK)


def show(console: Console, config: Path, examined: Sequence[Examined], took_s: float) -> None:
    """The same for people."""
    console.print(Text.assemble(("\ncordboard doctor", "bold"), (f"  {config}\n", "dim")))
    for one in examined:
        for place, result in enumerate(one.results):
            _show_result(console, one.check if place == 0 else "", result)
    colour = _MARKS[worst(examined)][1]
    console.print(Text.assemble("\n  ", (summary(examined), f"bold {colour}"), (f"  {took_s:.1f} s\n", "dim")))


def _show_result(console: Console, check: str, result: Result) -> None:
    """What was seen, folded beside the check's name; what fixes it as one line, so that it can be copied."""
    mark, colour = _MARKS[result.level]
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(width=1)
    row.add_column(width=NAME_WIDTH)
    row.add_column()
    said = Text(result.seen, style="dim" if result.level == Level.OK else "")
    row.add_row(Text(mark, style=f"bold {colour}"), Text(check, style="bold"), said)
    console.print(Padding(row, (0, 0, 0, 2)))
    if result.fix:
        fix = Text.assemble(" " * (NAME_WIDTH + 7), ("→ ", colour), (result.fix, "bold"))
        console.print(fix, soft_wrap=True)
