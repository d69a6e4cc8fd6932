"""Whom to call back now. Pure: the store reads the line and the agents, asks this, and claims what it says.

Nobody is dialled for whom there will be no agent. Every customer who is being dialled and every caller who waits in
front takes one agent; a callback is due when an agent is left for it, who is free or will be before the phone has
rung out. So in no moment are more customers dialled than agents free or predicted free within the ring time, across
all queues that share these agents.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from cordboard.acd.callback_policy import CallbackPolicy
from cordboard.acd.model import Activity, Needs

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


def is_due(policy: CallbackPolicy | None, *, is_dialled: bool, due_at: float | None, wall: float) -> bool:
    """Whether somebody is to be dialled as soon as there is an agent for them. policy: None if people call; due_at:
    not before, None for at once; wall: now, both in seconds since 1970.
    """
    if policy is None or is_dialled or (due_at or 0.0) > wall:
        return False
    return policy.hours is None or policy.hours.is_open(datetime.fromtimestamp(wall, UTC))


def counts_when_dialled(policy: CallbackPolicy) -> bool:
    """Whether an attempt counts from its beginning. Where the agent is rung first it counts once one has taken the
    call: till then the customer's phone has not been rung.
    """
    return policy.dial == "customer_first"


def rung_for(reason: str, agent: str, at_work: Collection[str]) -> str:
    """The agent for whom somebody is dialled at once, free or not: who was cut off, for whom they talked to. "" if
    that one has gone: then they are dialled like others. at_work: agents who are worth waiting for.
    """
    return agent if reason == "cut_off" and agent in at_work else ""


def is_last(policy: CallbackPolicy, attempts: int) -> bool:
    """Whether nobody is called again after so many attempts in vain."""
    return attempts >= policy.attempts


@dataclass(frozen=True, slots=True)
class AtWork:
    """An agent at work. blocked_until, wrap_up_until: on the boot clock, None for a wrap-up that has no end of its
    own. talking_s: since they were joined, None for one who does not talk; handled_s: see `frees_within`.
    """

    agent: str
    activity: Activity
    blocked_until: float = 0.0
    wrap_up_until: float | None = None
    talking_s: float | None = None
    handled_s: Sequence[float] = ()


def available(agents: Iterable[AtWork], boot: float, ring_s: float) -> list[Available]:
    """Those who are free, and after them those who will be before a phone has rung out, each by name. boot: now."""
    known = [(one, is_free(one, boot)) for one in sorted(agents, key=lambda one: one.agent)]
    free = [Available(one.agent, True) for one, free_now in known if free_now]
    return free + [
        Available(one.agent, False) for one, free_now in known if not free_now and _is_soon_free(one, boot, ring_s)
    ]


def is_free(one: AtWork, boot: float) -> bool:
    """Whether an agent could have a call now."""
    return one.activity is Activity.IDLE and one.blocked_until <= boot


def _is_soon_free(one: AtWork, boot: float, ring_s: float) -> bool:
    if one.activity is Activity.IDLE:
        return one.blocked_until <= boot + ring_s
    if one.activity is Activity.WRAP_UP:
        return one.wrap_up_until is not None and one.wrap_up_until <= boot + ring_s
    return one.talking_s is not None and frees_within(one.handled_s, one.talking_s, ring_s)


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
