"""Which waiting call goes to which free agent, and why. Pure: it proposes, the store's transaction decides.

Called in every store transaction that frees an agent or adds a caller. The rules, in this order:

1. Eligibility first (`eligibility`): a call that no free agent may have is passed over and holds up nobody behind
   it.
2. Within a queue calls stand by priority, then by the time they entered. In a queue with ageing so many seconds of
   waiting are worth one priority.
3. Across queues those of the higher weight go first, for the agents their callers may have; among equals the head
   that has waited longest. Priority does not count here: it is a queue's own scale, and one queue's admin must not
   outbid another's.
4. Of the eligible agents those who have most of what is preferred, and of these the one the queue's strategy takes.

Callers who ask for the same are alike: once no free agent is left for one of them, none is for the others.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from cordboard.acd.availability import is_free
from cordboard.acd.capacity import A_CALL
from cordboard.acd.durations import in_words
from cordboard.acd.eligibility import Ruling, best_preferred, ruling
from cordboard.acd.model import AgentState, FloorPlan, Match, Memory, Moment, Queue, WaitingCall
from cordboard.acd.needs_words import asked_of
from cordboard.acd.relaxation import asked_now
from cordboard.acd.strategies import STRATEGIES
from cordboard.acd.strategies.choice import Candidates, Choice


def entry_order(call: WaitingCall, ageing_s: float = 0.0) -> tuple[int, float, str]:
    """Sorts the calls of one queue: who stands first is the least. ageing_s: as in `Queue`."""
    if ageing_s:
        return 0, call.entered_at - call.priority * ageing_s, call.call_id
    return -call.priority, call.entered_at, call.call_id


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else a round of matching must know; without it there are no limits and no past.

    waiting:  how many wait in each queue, where the calls handed in are not all; for the reason only.
    memories: what each queue remembers.
    at_work:  agents who are worth waiting for: for whom a call that prefers them is kept; None for all.
    room:     how many more talks a queue may have at once; a queue that is not in it has no limit.
    random:   where strategies get their chance from.
    """

    waiting: Mapping[str, int] = field(default_factory=dict)
    memories: Mapping[str, Memory] = field(default_factory=dict)
    at_work: Collection[str] | None = None
    room: Mapping[str, int] = field(default_factory=dict)
    random: Random = field(default_factory=Random)


def match(
    calls: Mapping[str, Sequence[WaitingCall]],
    free: Sequence[AgentState],
    plan: FloorPlan,
    now: Moment,
    around: Circumstances | None = None,
) -> list[Match]:
    """As many matches as there are, the most urgent first; no call and no agent is in two of them.

    calls:  by queue, each in `entry_order`; of those who ask for the same the first `len(free)` are enough.
    free:   agents that may be free; those who are not are left out.
    """
    around = around or Circumstances()
    return list(_Round(calls, _agents_by_queue(calls, free, plan, now), plan, now, around).matches())


def _agents_by_queue(
    queues: Iterable[str], free: Iterable[AgentState], plan: FloorPlan, now: Moment
) -> dict[str, list[AgentState]]:
    """The free agents of each of these queues, the one free longest first."""
    by_queue: dict[str, list[AgentState]] = {queue: [] for queue in queues}
    wanted = {queue: plan.queues[queue].contact if queue in plan.queues else A_CALL for queue in by_queue}
    kinds = frozenset(wanted.values())
    for state in sorted(free, key=lambda state: (state.idle_since_at, state.agent)):
        takes = {kind for kind in kinds if is_free(state, plan, now, kind)}
        for queue in plan.agents[state.agent].queues if takes else ():
            if queue in by_queue and (len(takes) == len(kinds) or wanted[queue] in takes):
                by_queue[queue].append(state)
    return by_queue


_Head = tuple[int, float, str, str, int]  # minus weight, entered at, call, queue, place in `calls`


@dataclass(slots=True)
class _Round:
    """One round of matching. taken: agents; matched: calls; hopeless: what nobody left in a queue can give."""

    calls: Mapping[str, Sequence[WaitingCall]]
    agents: dict[str, list[AgentState]]
    plan: FloorPlan
    now: Moment
    around: Circumstances
    taken: set[str] = field(default_factory=set)
    matched: set[str] = field(default_factory=set)
    hopeless: set[tuple[str, Ruling]] = field(default_factory=set)
    memories: dict[str, Memory] = field(default_factory=dict)
    room: dict[str, int] = field(default_factory=dict)

    def matches(self) -> Iterator[Match]:
        """The matches, in order."""
        self.memories = dict(self.around.memories)
        self.room = dict(self.around.room)
        heads = [self._head(queue, 0) for queue in self.agents if self.calls.get(queue)]
        heapq.heapify(heads)
        while heads:
            *_, queue, place = heads[0]
            is_open = self._has_room(queue) and self._still_free(queue)
            if is_open and (found := self._match(self.calls[queue][place], place)) is not None:
                yield found
            if is_open and place + 1 < len(self.calls[queue]):
                heapq.heapreplace(heads, self._head(queue, place + 1))
            else:
                heapq.heappop(heads)

    def _head(self, queue: str, place: int) -> _Head:
        call = self.calls[queue][place]
        return -self._queue(queue).weight, call.entered_at, call.call_id, queue, place

    def _queue(self, name: str) -> Queue:
        return self.plan.queue(name)

    def _has_room(self, queue: str) -> bool:
        return self.room.get(queue, 1) > 0

    def _still_free(self, queue: str) -> bool:
        """Whether anybody is; those who were taken meanwhile leave the line."""
        line = self.agents[queue]
        if not self.taken.isdisjoint(state.agent for state in line):
            line = self.agents[queue] = [state for state in line if state.agent not in self.taken]
        return bool(line)

    def _match(self, call: WaitingCall, place: int) -> Match | None:
        """The match of the call that stands first now; None if no free agent may have it."""
        if call.call_id in self.matched:
            return None
        needs = asked_now(call, self.now)
        rules = ruling(call.queue, needs, self.plan, self.around.at_work)
        if (call.queue, rules) in self.hopeless:
            return None
        eligible = [state for state in self.agents[call.queue] if rules.allows(self.plan.agents[state.agent])]
        if not eligible:
            self.hopeless.add((call.queue, rules))
            return None
        choice = self._choose(call, best_preferred(eligible, needs, self.plan))
        return self._take(call, choice, place)

    def _choose(self, call: WaitingCall, agents: tuple[AgentState, ...]) -> Choice:
        queue = self._queue(call.queue)
        memory = self.memories.get(queue.name, Memory())
        return STRATEGIES[queue.strategy](
            Candidates(call, agents, queue, self.plan, memory, self.now, self.around.random)
        )

    def _take(self, call: WaitingCall, choice: Choice, place: int) -> Match:
        agents = tuple(state.agent for state in choice.agents)
        self.taken.update(agents)
        self.matched.add(call.call_id)
        self.memories[call.queue] = choice.memory
        if call.queue in self.room:
            self.room[call.queue] -= 1
        left = self.around.waiting.get(call.queue, len(self.calls[call.queue])) - place
        asked = asked_of(self.plan.agents[agents[0]], call, self.now) if len(agents) == 1 else ()
        words = (choice.reason, *asked, _why_call(call, left, self.now), *self._passed_over(call, agents[0]))
        return Match(call, agents, "; ".join(words), choice.memory)

    def _passed_over(self, call: WaitingCall, agent: str) -> Iterator[str]:
        """That a lighter queue of the agent's has somebody who has waited longer, for who asks about that one."""
        weight = self._queue(call.queue).weight
        for name in self.plan.agents[agent].queues if weight else ():
            lighter = self._queue(name).weight
            first = next((one for one in self.calls.get(name, ()) if one.call_id not in self.matched), None)
            if lighter < weight and first is not None and first.entered_at < call.entered_at:
                weights = f"weight {weight} before {lighter}"
                yield f"{call.queue} goes before {name}, where somebody has waited longer ({weights})"
                return


def _why_call(call: WaitingCall, left: int, now: Moment) -> str:
    waited = in_words(now.wall - call.entered_at)
    place = f"first of {left}" if left > 1 else "the only one waiting"
    priority = f", with priority {call.priority}" if call.priority and left > 1 else ""
    return f"the caller was {place} (for {waited}){priority}"
