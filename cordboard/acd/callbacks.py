"""Whom to call back now. Pure: the store reads the line and the agents, asks this, and claims what it says.

Nobody is dialled for whom there will be no agent. Every customer who is being dialled and every caller who waits in
front takes one agent; a callback is due when an agent is left for it, who is free or will be before the phone has
rung out. So in no moment are more customers dialled than agents free or predicted free within the ring time, across
all queues that share these agents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cordboard.acd.model import Needs

LIKELY = 0.5  # an agent counts as free in time if it is at least as likely as not
CLAIM_MAX = 50  # dialled in one look; the next one is a second later

Standing = Literal["waits", "dialled", "due"]


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody who needs an agent. standing: `waits` on the phone, is being `dialled`, or is `due` to be.

    needs: as asked now. agent: who is kept for them and nobody else, free or not; "" for nobody.
    """

    entry_id: str
    queue: str
    standing: Standing
    rank: int
    stands_at: float
    needs: Needs = field(default_factory=Needs)
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Available:
    """An agent who can take somebody. is_free: now, and not only before a phone has rung out."""

    agent: str
    is_free: bool


MayHave = Callable[[str, Claim], bool]
"""Whether an agent (by name) may have a claim."""


def to_dial(
    claims: Iterable[Claim], available: Sequence[Available], may_have: MayHave, *, needs_free: Iterable[str] = ()
) -> list[str]:
    """The entries of those to be dialled now, in the order of their places.

    claims: all that stand in the queues of these agents. needs_free: queues in which only an agent who is free now
    counts, because it is the agent who is rung first.
    """
    rooms = _Rooms(list(available), may_have, frozenset(needs_free))
    ordered = sorted(claims, key=_order)
    for claim in ordered:
        if claim.standing == "dialled":
            rooms.take(claim)
    chosen: list[str] = []
    for claim in ordered:
        if claim.standing == "waits":
            rooms.take(claim)
        elif claim.standing == "due" and len(chosen) < CLAIM_MAX and rooms.take(claim):
            chosen.append(claim.entry_id)
    return chosen


def _order(claim: Claim) -> tuple[int, float, str]:
    """As calls stand in a queue; across queues a rank says little, and any fixed order will do."""
    return -claim.rank, claim.stands_at, claim.entry_id


class _Rooms:
    """The agents that are left."""

    def __init__(self, available: list[Available], may_have: MayHave, needs_free: frozenset[str]) -> None:
        self._available = available
        self._may_have = may_have
        self._needs_free = needs_free

    def take(self, claim: Claim) -> bool:
        """Take an agent for a claim; False if none is left. One who is kept for it need not be free."""
        for place, one in enumerate(self._available):
            if one.agent == claim.agent or self._suits(one, claim):
                del self._available[place]
                return True
        return claim.agent != ""

    def _suits(self, one: Available, claim: Claim) -> bool:
        must_be_free = claim.standing == "due" and claim.queue in self._needs_free
        return (one.is_free or not must_be_free) and self._may_have(one.agent, claim)


def frees_within(handled_s: Sequence[float], since_s: float, within_s: float) -> bool:
    """Whether an agent who has handled a call for `since_s` is likely to be free within so many seconds.

    handled_s: how long talk and wrap-up of the queue's last calls were; of none nothing is known.
    """
    longer = [length for length in handled_s if length > since_s]
    if not longer:
        return False  # longer than any before
    return sum(length <= since_s + within_s for length in longer) / len(longer) >= LIKELY
