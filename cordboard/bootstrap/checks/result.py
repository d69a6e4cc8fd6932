"""What a check of `cordboard doctor` says: how bad it is, what was seen, and the line that puts it right."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from cordboard.bootstrap.checks.premises import Premises

DEADLINE_S = 5.0


class Level(IntEnum):
    """How bad it is. NOTE: good to know; WARNING: works, and is not right; FAULT: calls are or will be affected."""

    OK = 0
    NOTE = 1
    WARNING = 2
    FAULT = 3


@dataclass(frozen=True, slots=True)
class Result:
    """One line of what was seen and one that fixes it: a command, or what to write where. No secret in either."""

    level: Level
    seen: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A check by its name. if_late: what to do when it is not done within its deadline. switch: the only one it is
    about, "" for all installations.
    """

    name: str
    run: Callable[[Premises], Awaitable[Sequence[Result]]]
    if_late: str
    deadline_s: float = DEADLINE_S
    switch: str = ""


def ok(seen: str) -> Result:
    """All is well."""
    return Result(Level.OK, seen)


def note(seen: str, fix: str = "") -> Result:
    """Good to know; nothing has to be done."""
    return Result(Level.NOTE, seen, fix)


def warning(seen: str, fix: str) -> Result:
    """It works, and should not be left so."""
    return Result(Level.WARNING, seen, fix)


def fault(seen: str, fix: str) -> Result:
    """Calls, agents or secrets suffer from it."""
    return Result(Level.FAULT, seen, fix)


def counted(count: int, one: str, many: str = "") -> str:
    """`1 prompt`, `2 prompts`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """`a, b, c and 4 more`."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
