"""The eight strategies of app_queue, for queues that come from there: whoever it would have rung is chosen.

app_queue works out a number for each member before it rings anybody, and rings the member with the lowest one
that it can ring; of equals the last in `member_order`. All but `wrandom` add a million for each penalty. Used by
the registry. What is not the same, and why, is in docs/compat.md; a live test compares the two.

`rrmemory` and `rrordered` begin at a pointer which the queue keeps, `linear` at one which each caller has.
Members in front of it come after all others. After a ring it stands at whoever would have been next: also at
somebody who could not have been rung.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cordboard.acd.durations import in_words
from cordboard.acd.model import Agent, AgentState, Memory, Moment, Queue, Strategy
from cordboard.acd.strategies.choice import Candidates, Choice, Choose
from cordboard.acd.strategies.member_order import in_hash_order
from cordboard.telephony.verbs import MAX_TARGETS

LINEAR_CALLERS = 200  # whose pointers are kept: of those who were offered to somebody last
_PENALTY = 1_000_000
_BEHIND = 1000  # added to the places in front of the pointer
_LOTS = 1000  # a lot lies below it


def serves_one_at_a_time(queue: Queue) -> bool:
    """Whether nobody is offered to agents while another caller of the queue is: app_queue without `autofill`."""
    return queue.strategy == "compat:ringall" or (
        queue.strategy.startswith("compat:") and not queue.compat.autofill
    )


@dataclass(frozen=True, slots=True)
class _Pass:
    """One pass over the members. members: of the queue, free or not, in the order of the file; penalties: what each
    one's adds to its number.
    """

    asked: Candidates
    members: tuple[Agent, ...]
    penalties: Mapping[str, int]

    def take(self, chosen: AgentState, words: str) -> Choice:
        """The choice of one member."""
        if only := self.asked.only_one():
            return only
        penalty = self.penalties[chosen.agent] // _PENALTY
        with_penalty = f", with penalty {penalty}," if penalty else ""
        return self.asked.take(chosen, f"{chosen.agent}{with_penalty} {words} {self.asked.others}")

    def least(self, metric: Callable[[AgentState], int]) -> AgentState:
        """Who has the lowest number, with the penalty."""
        return min(self.last_first(), key=lambda state: metric(state) + self.penalties[state.agent])

    def last_first(self) -> list[AgentState]:
        """The candidates so that the first of equals is the one app_queue takes."""
        states = {state.agent: state for state in self.asked.agents}
        members = in_hash_order([agent for agent in self.members if agent.name in states])
        return [states[agent.name] for agent in reversed(members)]


def _pass(asked: Candidates) -> _Pass:
    queue = asked.queue
    members = asked.plan.agents_of(queue.name)
    unit = _PENALTY if len(members) > queue.compat.penalty_members_limit else 0
    return _Pass(asked, members, {agent.name: agent.membership(queue.name).penalty * unit for agent in members})


# -- by a number of the member --


def _fewestcalls(asked: Candidates) -> Choice:
    ring = _pass(asked)
    chosen = ring.least(lambda state: state.calls_today)
    return ring.take(chosen, f"has had the fewest calls today ({chosen.calls_today})")


def _leastrecent(asked: Candidates) -> Choice:
    ring = _pass(asked)
    chosen = ring.least(lambda state: _since_last_call(state, asked.now))
    ended_at = chosen.last_call_ended_at
    words = f"talked longest ago ({in_words(asked.now.wall - ended_at)})" if ended_at else "has had no call yet"
    return ring.take(chosen, words)


def _since_last_call(state: AgentState, now: Moment) -> int:
    """In whole seconds; 0 for who has had no call. After eleven days without one it is less than that, as there."""
    if not state.last_call_ended_at:
        return 0
    return 1_000_000 - (int(now.wall) - int(state.last_call_ended_at))


def _random(asked: Candidates) -> Choice:
    ring = _pass(asked)
    return ring.take(ring.least(lambda _: asked.random.randrange(_LOTS)), "was drawn by lot")


def _wrandom(asked: Candidates) -> Choice:
    """The penalty is no tier here: it makes it so many times less likely to come out lowest."""
    ring = _pass(asked)
    chosen = min(
        ring.last_first(),
        key=lambda state: asked.random.randrange((1 + asked.membership(state).penalty) * _LOTS),
    )
    return ring.take(chosen, "was drawn by lot, less likely with a higher penalty")


# -- all at once --


def _ringall(asked: Candidates) -> Choice:
    """Everybody of the lowest penalty with a free agent."""
    ring = _pass(asked)
    least = min(ring.penalties[state.agent] for state in asked.agents)
    rung = tuple(state for state in asked.agents if ring.penalties[state.agent] == least)[:MAX_TARGETS]
    if len(rung) == 1:
        return ring.take(rung[0], "is alone with the lowest penalty")
    names = ", ".join(state.agent for state in rung)
    return Choice(
        rung, f"{len(rung)} {asked.others}, those with the lowest penalty, are rung: {names}", asked.memory
    )


# -- in turn --


def _rr(asked: Candidates) -> Choice:
    ring = _pass(asked)
    chosen, pointer = _in_turn(ring, int(asked.memory.data.get("next", 0)))
    return _remember(ring.take(chosen, "is the next in turn"), {"next": pointer})


def _linear(asked: Candidates) -> Choice:
    ring = _pass(asked)
    of_callers: dict[str, int] = dict(asked.memory.data.get("callers", {}))
    began = of_callers.pop(asked.call.call_id, 0)
    chosen, pointer = _in_turn(ring, began)
    words = "is the next in order for this caller" if began else "is the first in the order of the file"
    latest = list(of_callers.items())[-LINEAR_CALLERS + 1 :]
    return _remember(ring.take(chosen, words), {"callers": dict([*latest, (asked.call.call_id, pointer)])})


def _in_turn(ring: _Pass, pointer: int) -> tuple[AgentState, int]:
    """Who is rung, and where the pointer stands after that."""
    metrics = {
        agent.name: ring.penalties[agent.name] + place + (_BEHIND if place < pointer else 0)
        for place, agent in enumerate(ring.members)
    }
    chosen = min(ring.asked.agents, key=lambda state: metrics[state.agent])
    left = [metric for metric in metrics.values() if metric > metrics[chosen.agent]]
    if left:
        return chosen, min(left) % _BEHIND
    return chosen, 0 if pointer + 1 < len(ring.members) else pointer + 1


def _remember(choice: Choice, data: Mapping[str, object]) -> Choice:
    return replace(choice, memory=Memory(choice.memory.last_agent, data))


COMPAT: Mapping[Strategy, Choose] = {
    "compat:ringall": _ringall,
    "compat:leastrecent": _leastrecent,
    "compat:fewestcalls": _fewestcalls,
    "compat:random": _random,
    "compat:rrmemory": _rr,
    "compat:rrordered": _rr,
    "compat:linear": _linear,
    "compat:wrandom": _wrandom,
}
