"""Which waiting call goes to which free agent, and why. Pure: it proposes, the store's transaction decides.

Called in every store transaction that frees an agent or adds a caller. The rules, in this order:

1. Eligibility first: a call whose queue has no free agent is passed over and holds up nobody behind it.
2. Within a queue calls stand by priority, then by the time they entered.
3. Across queues the head that has waited longest goes first. Priority does not count here: it is a queue's own
   scale, and one queue's admin must not outbid another's.
4. The agent is the one free longest (strategy `longest_idle`).
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cordboard.acd.availability import is_free
from cordboard.acd.durations import in_words
from cordboard.acd.model import AgentState, FloorPlan, Match, Moment, WaitingCall


def entry_order(call: WaitingCall) -> tuple[int, float, str]:
    """Sorts the calls of one queue: who stands first is the least."""
    return -call.priority, call.entered_at, call.call_id


def match(
    calls: Mapping[str, Sequence[WaitingCall]],
    free: Sequence[AgentState],
    plan: FloorPlan,
    now: Moment,
    *,
    waiting: Mapping[str, int] | None = None,
) -> list[Match]:
    """As many matches as there are, the most urgent first; no call and no agent is in two of them.

    calls:   by queue, each in `entry_order`; the first `len(free)` of a queue are enough.
    free:    agents that may be free; those who are not are left out.
    waiting: how many wait in each queue, where `calls` does not hold them all; for the reason only.
    """
    counts = waiting or {queue: len(line) for queue, line in calls.items()}
    return list(_Round(calls, _agents_by_queue(free, plan, now), counts, now).matches())


def _agents_by_queue(free: Iterable[AgentState], plan: FloorPlan, now: Moment) -> dict[str, deque[AgentState]]:
    """The free agents of each queue, the one free longest first."""
    by_queue: dict[str, deque[AgentState]] = {}
    for state in sorted(free, key=lambda state: (state.idle_since_at, state.agent)):
        if is_free(state, plan, now):
            for queue in plan.agents[state.agent].queues:
                by_queue.setdefault(queue, deque()).append(state)
    return by_queue


@dataclass(slots=True)
class _Round:
    """One round of matching. Agents of several queues stand in each one's line until they are met again, taken."""

    calls: Mapping[str, Sequence[WaitingCall]]
    agents: Mapping[str, deque[AgentState]]
    waiting: Mapping[str, int]
    now: Moment
    taken: set[str] = field(default_factory=set)
    matched: set[str] = field(default_factory=set)

    def matches(self) -> Iterator[Match]:
        """The matches, in order."""
        heads = [self._head(queue, 0) for queue in self.agents if self.calls.get(queue)]
        heapq.heapify(heads)
        while heads:
            _, _, queue, place = heads[0]
            call = self.calls[queue][place]
            agents = self._still_free(queue)
            if agents and call.call_id not in self.matched:
                yield self._take(call, agents, place)
            if agents and place + 1 < len(self.calls[queue]):
                heapq.heapreplace(heads, self._head(queue, place + 1))
            else:
                heapq.heappop(heads)

    def _head(self, queue: str, place: int) -> tuple[float, str, str, int]:
        call = self.calls[queue][place]
        return call.entered_at, call.call_id, queue, place

    def _still_free(self, queue: str) -> deque[AgentState]:
        """The line of a queue's free agents; those taken meanwhile have left its front."""
        line = self.agents[queue]
        while line and line[0].agent in self.taken:
            line.popleft()
        return line

    def _take(self, call: WaitingCall, agents: deque[AgentState], place: int) -> Match:
        chosen = agents[0]
        choice = sum(state.agent not in self.taken for state in agents)
        self.taken.add(chosen.agent)
        self.matched.add(call.call_id)
        left = self.waiting.get(call.queue, 0) - place
        reason = f"{_why_agent(chosen, choice, call.queue, self.now)}; {_why_call(call, left, self.now)}"
        return Match(call, chosen.agent, reason)


def _why_agent(chosen: AgentState, choice: int, queue: str, now: Moment) -> str:
    idle = in_words(now.wall - chosen.idle_since_at)
    if choice == 1:
        return f"{chosen.agent} was the only free agent of {queue} (for {idle})"
    return f"{chosen.agent} has been free longest ({idle}) of {choice} free agents of {queue}"


def _why_call(call: WaitingCall, left: int, now: Moment) -> str:
    waited = in_words(now.wall - call.entered_at)
    place = f"first of {left}" if left > 1 else "the only one waiting"
    priority = f", with priority {call.priority}" if call.priority and left > 1 else ""
    return f"the caller was {place} (for {waited}){priority}"
