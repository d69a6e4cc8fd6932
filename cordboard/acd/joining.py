"""Whether a queue lets a caller in, and whether those who wait there must leave: too many, nobody there, closed.

Pure; asked by the store in the transaction that would enter a caller, and again while they wait. "Nobody there" is
told in the words of app_queue's `joinempty` and `leavewhenempty`: a list of factors, each of which makes an agent
count as nobody. Without a factor everybody counts, and no queue is ever empty.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Literal

from cordboard.acd.model import Activity, AgentState, Presence, Queue
from cordboard.acd.waiting_rules import EmptyFactor
from cordboard.telephony.ports import DeviceState

Refusal = Literal["closed", "full", "empty"]

STRICT: frozenset[EmptyFactor] = frozenset({"penalty", "paused", "logged_out", "unavailable"})
USUAL: frozenset[EmptyFactor] = frozenset({"penalty", "paused", "logged_out"})
LOOSE: frozenset[EmptyFactor] = frozenset({"penalty", "logged_out"})
NEVER: frozenset[EmptyFactor] = frozenset()

# app_queue's words; its `invalid` is an agent who is not there at all, for us one who is logged out.
JOIN_WORDS: Mapping[str, frozenset[EmptyFactor]] = {"yes": NEVER, "no": USUAL, "strict": STRICT, "loose": LOOSE}
LEAVE_WORDS: Mapping[str, frozenset[EmptyFactor]] = {"yes": USUAL, "no": NEVER, "strict": STRICT, "loose": LOOSE}

_BY_ACTIVITY: Mapping[Activity, EmptyFactor] = {
    Activity.OFFERED: "ringing",
    Activity.RINGING: "ringing",
    Activity.TALKING: "in_use",
    Activity.WRAP_UP: "wrap_up",
}
_BY_DEVICE: Mapping[DeviceState, EmptyFactor] = {
    DeviceState.RINGING: "ringing",
    DeviceState.IN_USE: "in_use",
    DeviceState.BUSY: "in_use",
    DeviceState.UNAVAILABLE: "unavailable",
    DeviceState.UNKNOWN: "unknown",
}
_BY_PRESENCE: Mapping[Presence, EmptyFactor] = {
    Presence.PAUSED: "paused",
    Presence.LOGGED_OUT: "logged_out",
}


def is_nobody(agent: AgentState, factors: Collection[EmptyFactor], *, is_ruled_out: bool = False) -> bool:
    """Whether an agent counts as nobody. is_ruled_out: the caller's own needs rule this agent out (`penalty`).

    Who is logged out is nobody by any factor.
    """
    if not factors:
        return False
    applying = set(_factors_of(agent)) | ({"penalty"} if is_ruled_out else set())
    return "logged_out" in applying or not applying.isdisjoint(factors)


def is_empty(
    agents: Iterable[AgentState], factors: Collection[EmptyFactor], ruled_out: Collection[str] = ()
) -> bool:
    """Whether nobody is there. ruled_out: names of agents whom the caller's needs rule out."""
    if not factors:
        return False
    return all(is_nobody(agent, factors, is_ruled_out=agent.agent in ruled_out) for agent in agents)


def why_refused(
    queue: Queue, waiting: int, agents: Iterable[AgentState], wall: float, ruled_out: Collection[str] = ()
) -> Refusal | None:
    """Why a caller cannot join; None if they can. waiting: how many there are; wall: now, seconds since 1970."""
    if is_closed(queue, wall):
        return "closed"
    if 0 < queue.max_waiting <= waiting:
        return "full"
    return "empty" if is_empty(agents, queue.join_when_empty, ruled_out) else None


def is_closed(queue: Queue, wall: float) -> bool:
    """Whether the queue takes nobody in, at a moment in seconds since 1970."""
    return queue.hours is not None and not queue.hours.is_open(datetime.fromtimestamp(wall, UTC))


def sends_out(queue: Queue, wall: float) -> bool:
    """Whether those who wait have to leave because it has closed."""
    return queue.at_closing == "send_out" and is_closed(queue, wall)


def _factors_of(agent: AgentState) -> Iterator[EmptyFactor]:
    found = (_BY_PRESENCE.get(agent.presence), _BY_ACTIVITY.get(agent.activity), _BY_DEVICE.get(agent.device))
    return (factor for factor in found if factor is not None)
