"""What a strategy is asked and what it answers; the interface of all files of this folder.

A strategy is a function from `Candidates` to a `Choice`. It is asked by `acd.matching` about agents who are free
and eligible already, and decides among these only. It is pure: what it must know of the queue's past is its
`Memory`, and chance comes in as an argument, so the same question with the same seed has the same answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from cordboard.acd.durations import in_words
from cordboard.acd.model import AgentState, FloorPlan, Membership, Memory, Moment, Queue, WaitingCall

__all__ = ["Candidates", "Choice", "Choose", "Memory"]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The question: which of `agents` gets `call`?

    agents: at least one, all free and eligible, the one free longest first (then by name). queue: the call's;
    memory: that queue's; now: for the words of the reason.
    """

    call: WaitingCall
    agents: tuple[AgentState, ...]
    queue: Queue
    plan: FloorPlan
    memory: Memory
    now: Moment
    random: Random

    def membership(self, state: AgentState) -> Membership:
        """What the agent is in the call's queue."""
        return self.plan.agents[state.agent].membership(self.queue.name)

    def idle(self, state: AgentState) -> str:
        """How long the agent has been free, in words."""
        return in_words(self.now.wall - state.idle_since_at)

    @property
    def others(self) -> str:
        """Among whom was chosen, in words."""
        return f"of {len(self.agents)} free agents of {self._whose}"

    @property
    def _whose(self) -> str:
        """The queue; others of it may be free who lack what this call asks for."""
        return f"{self.queue.name} who may have the call" if self.call.needs.require else self.queue.name

    def only_one(self) -> Choice | None:
        """The choice where there is none, None where there is one."""
        if len(self.agents) > 1:
            return None
        (state,) = self.agents
        return self.take(state, f"{state.agent} was the only free agent of {self._whose} (for {self.idle(state)})")

    def take(self, state: AgentState, reason: str) -> Choice:
        """The choice of one agent."""
        return Choice((state,), reason, self.memory)


@dataclass(frozen=True, slots=True)
class Choice:
    """The answer. agents: one, or several to be rung at once; reason: why, in words an admin understands, without
    a full stop; memory: the queue's from now on.
    """

    agents: tuple[AgentState, ...]
    reason: str
    memory: Memory


Choose = Callable[[Candidates], Choice]
