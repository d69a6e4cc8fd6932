"""Matching on a simulated floor: the one place that calls `acd.matching`, with what the store would hand it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from random import Random

from cordboard.acd.matching import Circumstances, match
from cordboard.acd.model import AgentState, FloorPlan, Match, Memory, Moment, Presence
from cordboard.acd.strategies.compat import serves_one_at_a_time
from cordboard.lab.sim.floor_state import AgentAtDesk
from cordboard.lab.sim.lines import Lines


class Matcher:
    """Knows who is ready in each queue, and what queues remember. seed: of strategies that go by chance."""

    def __init__(self, plan: FloorPlan, agents: Mapping[str, AgentAtDesk], seed: int) -> None:
        self._plan = plan
        self._agents = agents
        self._random = Random(f"matching {seed}")
        self._memories: dict[str, Memory] = {}
        self._ready: dict[str, dict[str, AgentState]] = {queue: {} for queue in plan.queues}
        self.talks = dict.fromkeys(plan.queues, 0)  # under way, with those about to be
        self.ringing = dict.fromkeys(plan.queues, 0)  # callers for whom a phone rings

    def note(self, agent: AgentAtDesk) -> None:
        """Something about the agent has changed. Whether a rest is over matching finds out when it matters."""
        state = agent.as_state() if agent.is_idle else None
        for queue in self._plan.agents[agent.name].queues:
            if state is not None:
                self._ready[queue][agent.name] = state
            else:
                self._ready[queue].pop(agent.name, None)

    def matches(self, lines: Lines, queues: Collection[str], now: Moment) -> list[Match]:
        """Who gets whom, of those who wait in these queues."""
        waited_in = [queue for queue in queues if queue in lines.queues() and self._ready[queue]]
        if not waited_in:
            return []
        free = {name: state for queue in waited_in for name, state in self._ready[queue].items()}
        calls = {queue: lines.heads(queue, len(self._ready[queue]), now) for queue in waited_in}
        found = match(calls, list(free.values()), self._plan, now, self._around(lines, waited_in))
        self._memories.update({one.call.queue: one.memory for one in found})
        return found

    def _around(self, lines: Lines, queues: Iterable[str]) -> Circumstances:
        return Circumstances(
            waiting={queue: lines.count(queue) for queue in queues},
            memories=self._memories,
            at_work=_AtWork(self._agents),
            room={queue: most for queue in queues if (most := self._room(queue)) is not None},
            random=self._random,
        )

    def _room(self, name: str) -> int | None:
        """How many more callers may be offered to agents now; None for any number."""
        queue = self._plan.queues[name]
        if serves_one_at_a_time(queue):
            return 0 if self.ringing[name] else 1
        return max(0, queue.at_most - self.talks[name]) if queue.at_most else None


class _AtWork(Collection[str]):
    """Those who have not gone home or to a pause; looked at only when a caller prefers one of them."""

    def __init__(self, agents: Mapping[str, AgentAtDesk]) -> None:
        self._agents = agents

    def __contains__(self, name: object) -> bool:
        agent = self._agents.get(str(name))
        return agent is not None and agent.presence is Presence.AVAILABLE

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._agents if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)
