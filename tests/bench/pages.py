"""docs/benchmarks.md as its parts, so that one can be measured anew while the other stays. Pure."""

from __future__ import annotations

from collections.abc import Mapping

PARTS = ("ivr", "queues", "freeswitch", "stores", "flows", "estimates")
HEADINGS = {  # of all parts but the first
    "queues": "\n## Queues:",
    "freeswitch": "\n## FreeSWITCH:",
    "stores": "\n## Stores:",
    "flows": "\n## Flows:",
    "estimates": "\n## Estimates:",
}


def parts_of(page: str) -> dict[str, str]:
    """The parts of an earlier page; empty where there was none."""
    parts: dict[str, str] = {}
    for name in reversed(PARTS[1:]):
        page, found, rest = page.partition(HEADINGS[name])
        parts[name] = f"{HEADINGS[name]}{rest}".strip("\n") if found else ""
    return parts | {PARTS[0]: page.rstrip("\n")}


def joined(parts: Mapping[str, str]) -> str:
    """The page."""
    return "\n\n".join(parts[name].strip("\n") for name in PARTS if parts.get(name)) + "\n"


def goals_of(part: str) -> str:
    """What is printed of a part at the end: its goals and tables, without emphasis."""
    _, _, found = part.partition("# Goals")
    return found.replace("**", "").strip()
