"""Dial strings of a fake FreeSWITCH, and which phones in them do not ring at all.

    {a=1,b=2}[c=3]DEVICE,[c=4]DEVICE|DEVICE   `,` all at once, `|` one after the other, `{^^;a=1;b=2}` another mark

What a phone does is its part:

    rings            until a test picks it up, or nobody does
    answers SECONDS  at once, and talks so long
    presses KEY SECONDS SECONDS  picks up at once, presses it so late, and leaves so long after that
    late SECONDS     picks up so late, and was not heard to ring
    busy, rejects, absent, or a cause in capitals: ends at once
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

ENDPOINTS = ("sofia", "loopback", "user", "error")

_LISTS = re.compile(r"[{\[](\^\^(?P<mark>.))?(?P<pairs>[^}\]]*)[}\]]")
_CAUSES = {"busy": "USER_BUSY", "rejects": "CALL_REJECTED", "absent": "SUBSCRIBER_ABSENT"}


@dataclass(frozen=True)
class Target:
    """One phone of a dial string, with the variables of its leg."""

    device: str
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DialString:
    """variables: of all legs; groups: one after the other, each of phones that ring at once."""

    variables: Mapping[str, str]
    groups: Sequence[Sequence[Target]]


def parsed(text: str) -> DialString:
    """A dial string, taken apart."""
    common: dict[str, str] = {}
    while text.startswith("{"):
        found = _LISTS.match(text)
        assert found is not None, text
        common |= _pairs(found)
        text = text[found.end() :]
    return DialString(common, [[_target(one, common) for one in _legs(group)] for group in text.split("|")])


def _legs(group: str) -> list[str]:
    """At the commas that are not within brackets."""
    return re.findall(r"(?:\[[^\]]*\])?[^,\[\]]+", group)


def _target(text: str, common: Mapping[str, str]) -> Target:
    found = _LISTS.match(text)
    own = _pairs(found) if found else {}
    return Target(text[found.end() :] if found else text, {**common, **own})


def _pairs(found: re.Match[str]) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in found["pairs"].split(found["mark"] or ","))
    return {name: value.strip("'").replace("\\s", " ") for name, _, value in pairs if name}


def refusal(device: str, part: str) -> str:
    """The cause of a phone that does not ring at all; "" if it does. part: what it does."""
    endpoint, _, rest = device.partition("/")
    if endpoint == "error":
        return rest.upper()
    if endpoint not in ENDPOINTS:
        return "CHAN_NOT_IMPLEMENTED"
    return _CAUSES.get(part, part if part.isupper() else "")
