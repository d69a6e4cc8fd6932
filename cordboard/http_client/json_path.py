"""Finds a value in a JSON answer by its path: `data.orders.0.state`, or `data.orders[0].state`. Pure."""

from __future__ import annotations

import re
from typing import Any

_INDEX = re.compile(r"\[([0-9]{1,6})\]")


def steps_of(path: str) -> list[str]:
    """The keys and places in lists that a path goes through; none for the whole answer."""
    plain = _INDEX.sub(r".\1", path).removeprefix(".")
    return plain.split(".") if plain else []


def value_at(value: Any, path: str) -> Any:
    """What is at a path; None if the way ends before."""
    for step in steps_of(path):
        if not has_step(value, step):
            return None
        value = take_step(value, step)
    return value


def has_step(value: Any, step: str) -> bool:
    """Whether one step can be taken."""
    if isinstance(value, list):
        return step.isascii() and step.isdecimal() and int(step) < len(value)
    return isinstance(value, dict) and step in value


def take_step(value: Any, step: str) -> Any:
    """What is behind a step that can be taken."""
    return value[int(step)] if isinstance(value, list) else value[step]
