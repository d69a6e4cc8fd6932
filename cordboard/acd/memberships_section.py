"""`queues` of an agent, where it is more than a list: what the agent is in each of them.

    queues: {sales: {weight: 3}, support: {penalty: 1, tier: 2}, orders: {}}

Read by `agents_file`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from cordboard.acd.model import Membership
from cordboard.acd.written_values import AllDefaults, Name
from cordboard.config.validation import Section, written_as

_MEMBER = Membership()


class WrittenMembership(Section):
    """What an agent is in one queue."""

    penalty: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=_MEMBER.penalty, description="In a queue with a `compat:` strategy: higher is rung later."
    )
    weight: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=_MEMBER.weight, description="With `weighted_random`: three times the weight, three times the calls."
    )
    tier: Annotated[int, Field(ge=1, le=99)] = Field(
        default=_MEMBER.tier, description="With `top_down`: a lower tier is tried first."
    )

    def as_membership(self, place: int) -> Membership:
        """The membership. place: of the agent, in the order of agents.yaml."""
        return Membership(self.penalty, self.weight, self.tier, place)


Memberships = dict[Name, Annotated[WrittenMembership, written_as(lambda _: "{weight: 3}"), AllDefaults]]
"""Queues, each with what the agent is in it."""


def memberships(queues: Iterable[str] | Memberships, place: int) -> dict[str, Membership]:
    """Of either way to write them."""
    if isinstance(queues, dict):
        return {queue: written.as_membership(place) for queue, written in queues.items()}
    return {queue: Membership(place=place) for queue in queues}
