"""docs/benchmarks.md as its parts, so that one can be measured anew while the other stays. Pure."""

from __future__ import annotations

from collections.abc import Mapping

PARTS = ("ivr", "queues")
_QUEUES = "\n## Queues:"  # where the second part begins


def parts_of(page: str) -> dict[str, str]:
    """The parts of an earlier page; empty where there was none."""
    ivr, found, queues = page.partition(_QUEUES)
    return {"ivr": ivr.rstrip("\n"), "queues": f"{_QUEUES}{queues}".strip("\n") if found else ""}


def joined(parts: Mapping[str, str]) -> str:
    """The page."""
    return "\n\n".join(parts[name].strip("\n") for name in PARTS if parts[name]) + "\n"


def goals_of(part: str) -> str:
    """What is printed of a part at the end: its goals and tables, without emphasis."""
    _, _, found = part.partition("# Goals")
    return found.replace("**", "").strip()
