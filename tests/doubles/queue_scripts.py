"""What happens in a queue, step by step, and which members app_queue rings after each: for a comparison with ours.

The members rung are those Asterisk 22.10 has rung; `tests/live/test_app_queue_differences.py` asks a real one
again, `tests/unit/test_compat_scripts.py` asks our store. Steps: `call 1` (a caller comes; `call 1 second`: to
the second queue), `answer 1`, `busy 1`, `silent 1` (rings until its time is over), `end 1` (the member hangs up
after the talk), `leave 1`, `pause a`, `unpause a`, `wait`. Where several phones ring for a caller, a member is
named: `busy 1 b`. Each is followed by the members that ring because of it: `ab` for both, `a|b` for one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

RING_S = 15.0  # in the clock of ours


@dataclass(frozen=True, slots=True)
class Step:
    """What happens, whom app_queue rings then, and whom we ring if that is not the same."""

    does: str
    rung: str
    ours: str | None = None

    @property
    def by_us(self) -> str:
        """Whom we ring."""
        return self.rung if self.ours is None else self.ours


@dataclass(frozen=True, slots=True)
class Script:
    """members: their penalties by name, in the order of the file; limit: `penaltymemberslimit`; second: the
    weight of a second queue with the same members, None if there is none.
    """

    name: str
    strategy: str
    steps: tuple[Step, ...]
    members: Mapping[str, int] = field(default_factory=lambda: {"a": 0, "b": 0, "c": 0})
    limit: int = 0
    autofill: bool = True
    second: int | None = None


def _steps(*pairs: str | tuple[str, str, str]) -> tuple[Step, ...]:
    """From "call 1 -> a", or that and whom we ring instead."""
    return tuple(_step(pair) if isinstance(pair, str) else Step(*pair) for pair in pairs)


def _step(text: str) -> Step:
    does, _, rung = text.partition(" -> ")
    return Step(does, rung)


def _served(call: int, member: str) -> tuple[str, ...]:
    return f"call {call} -> {member}", f"answer {call}", f"end {call}"


SCRIPTS = (
    Script(
        "rrmemory goes on behind the last one, whoever calls",
        "rrmemory",
        _steps(*_served(1, "a"), *_served(2, "b"), *_served(3, "c"), *_served(4, "a")),
    ),
    Script(
        "rrordered does the same, and passes over who is paused",
        "rrordered",
        _steps("pause b", *_served(1, "a"), *_served(2, "c"), "unpause b", *_served(3, "a"), *_served(4, "b")),
    ),
    Script(
        "rrmemory: a busy member is followed by the next one at once",
        "rrmemory",
        _steps("call 1 -> a", "busy 1 -> b", "busy 1 -> c", "answer 1", "end 1", *_served(2, "a")),
    ),
    Script(
        "rrmemory: the time of one ring is over, the next is rung",
        "rrmemory",
        _steps("call 1 -> a", "silent 1 -> b", "answer 1", "end 1", *_served(2, "c")),
    ),
    Script(
        "rrmemory: two callers at once",
        "rrmemory",
        _steps("call 1 -> a", "call 2 -> b", "answer 1", "answer 2", "end 1", "end 2", *_served(3, "c")),
    ),
    Script(
        "rrmemory: a penalty comes after everybody without",
        "rrmemory",
        _steps(*_served(1, "a"), *_served(2, "c"), *_served(3, "a"), "pause a", "pause c", *_served(4, "b")),
        members={"a": 0, "b": 1, "c": 0},
    ),
    Script(
        "rrmemory: behind the last one it begins at the top",
        "rrmemory",
        _steps(
            "pause a", "pause b", *_served(1, "c"), "unpause a", "unpause b", *_served(2, "a"), *_served(3, "b")
        ),
    ),
    Script(
        "rrmemory: the pointer goes on to the next penalty",
        "rrmemory",
        _steps(*_served(1, "b"), "pause b", *_served(2, "a"), *_served(3, "c")),
        members={"a": 1, "b": 0, "c": 1},
    ),
    Script(
        "rrmemory: a small queue knows no penalties",
        "rrmemory",
        _steps(*_served(1, "a"), *_served(2, "b"), *_served(3, "c")),
        members={"a": 0, "b": 1, "c": 0},
        limit=3,
    ),
    Script(
        "linear begins at the top for everybody, and goes on for who still waits",
        "linear",
        _steps(
            "call 1 -> a", "silent 1 -> b", "silent 1 -> c", "answer 1", "call 2 -> a", "busy 2 -> b", "answer 2"
        ),
    ),
    Script(
        "linear: after the last one the first",
        "linear",
        _steps("call 1 -> a", "silent 1 -> b", "silent 1 -> a", "leave 1", *_served(2, "a")),
        members={"a": 0, "b": 0},
    ),
    Script(
        "fewestcalls: of equals the last of the hash table, then by count",
        "fewestcalls",
        _steps(*_served(1, "a"), *_served(2, "b"), *_served(3, "c"), *_served(4, "a")),
        members={"b": 0, "a": 0, "c": 0},
    ),
    Script(
        "fewestcalls: the count within a penalty",
        "fewestcalls",
        _steps(*_served(1, "a"), *_served(2, "a"), "pause a", *_served(3, "b")),
        members={"a": 0, "b": 1},
    ),
    Script(
        "leastrecent: who never talked, then who talked longest ago",
        "leastrecent",
        _steps(*_served(1, "a"), "pause c", *_served(2, "b"), "unpause c", *_served(3, "c"), *_served(4, "a")),
        members={"b": 0, "a": 0, "c": 0},
    ),
    Script(
        "ringall: a higher penalty when all of the lower are done",
        "ringall",
        _steps("call 1 -> ab", "busy 1 a", "busy 1 b -> c", "answer 1", "end 1", "call 2 -> ab", "silent 2 -> ab"),
        members={"a": 0, "b": 0, "c": 1},
    ),
    Script(
        "ringall: the next caller when the first one talks",
        "ringall",
        _steps("call 1 -> abc", "call 2", "wait", "answer 1 b -> ac", "answer 2 c", "end 1", "call 3 -> ab"),
    ),
    Script(
        "without autofill the second caller waits for the first",
        "rrmemory",
        _steps("call 1 -> a", "call 2", "wait", "answer 1 -> b", "answer 2", "end 1", *_served(3, "c")),
        autofill=False,
    ),
    Script(
        "random stays within the lowest penalty",
        "random",
        _steps("call 1 -> a|b", "answer 1", "call 2 -> a|b", "answer 2", "call 3 -> c", "answer 3"),
        members={"a": 0, "b": 0, "c": 1},
    ),
    Script(
        "wrandom excludes nobody",
        "wrandom",
        _steps("call 1 -> a|b|c", "answer 1", "call 2 -> a|b|c", "answer 2", "call 3 -> a|b|c", "answer 3"),
        members={"a": 0, "b": 0, "c": 1},
    ),
    Script(
        "a heavier queue goes first",
        "rrmemory",
        _steps(
            "pause a", "call 1", "call 2 second", "wait", "unpause a -> a", "answer 2", "end 2 -> a", "answer 1"
        ),
        members={"a": 0},
        second=5,
    ),
    # What is not the same.
    Script(
        "rrmemory: when all were busy but one, app_queue forgets where it stood",
        "rrmemory",
        _steps(
            *_served(1, "a"),
            "call 2 -> b",
            "busy 2 -> c",
            "busy 2 -> a",
            "answer 2",
            "end 2",
            ("call 3", "a", "b"),
        ),
    ),
    Script(
        "rrmemory: the pointer of app_queue moves when a ring ends, so the later end wins",
        "rrmemory",
        _steps("call 1 -> a", "call 2 -> b", "answer 2", "answer 1", "end 1", "end 2", ("call 3", "b", "c")),
    ),
)
