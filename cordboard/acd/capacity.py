"""How much an agent can take on at a time, and how much of that a contact takes up. Pure.

An agent has a number of units (`capacity`). A contact of a queue takes some of them, or all that the agent has,
whatever that is: `WHOLE`. So a telephone call, which takes all unless its queue says otherwise, neither begins
beside something else nor lets anything begin beside it. Whatever its units, no call goes beside another call:
people have one voice.

Asked by `availability`, and by the store in the transaction that gives an agent something.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

Medium = Literal["voice", "chat"]

WHOLE = 0


@dataclass(frozen=True, slots=True)
class Contact:
    """What one contact takes up of an agent. units: `WHOLE` for all that the agent has."""

    medium: Medium = "voice"
    units: int = WHOLE


A_CALL = Contact()


def has_room(capacity: int, held: Collection[Contact], wanted: Contact) -> bool:
    """Whether an agent of so many units may have it beside what they are offered or have already."""
    if wanted.medium == "voice" and any(one.medium == "voice" for one in held):
        return False
    if held and (wanted.units == WHOLE or any(one.units == WHOLE for one in held)):
        return False
    return sum(one.units for one in held) + wanted.units <= capacity
