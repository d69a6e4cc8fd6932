"""Strategies that go by an order an admin has written: `in_order`, `round_robin`, `top_down`. Used by the registry.

The order is that of agents.yaml; `top_down` goes by the tiers an agent has in the queue.
"""

from __future__ import annotations

from dataclasses import replace

from cordboard.acd.model import AgentState
from cordboard.acd.strategies.choice import Candidates, Choice


def in_order(asked: Candidates) -> Choice:
    """The first in the order of agents.yaml, for every caller anew."""
    if only := asked.only_one():
        return only
    chosen = min(asked.agents, key=lambda state: _place(asked, state))
    return asked.take(chosen, f"{chosen.agent} is the first in the order of the file {asked.others}")


def round_robin(asked: Candidates) -> Choice:
    """The next in the order of agents.yaml after whoever was chosen last, and the first after the last."""
    choice = asked.only_one() or _next_in_turn(asked)
    return replace(choice, memory=replace(asked.memory, last_agent=choice.agents[0].agent))


def _next_in_turn(asked: Candidates) -> Choice:
    last = asked.memory.last_agent
    if last not in asked.plan.agents:
        return in_order(asked)
    after = asked.plan.agents[last].membership(asked.queue.name).place
    chosen = min(asked.agents, key=lambda state: _turn(_place(asked, state), after))
    return asked.take(chosen, f"{chosen.agent} is the next in turn after {last} {asked.others}")


def top_down(asked: Candidates) -> Choice:
    """Of the lowest tier, who has been free longest."""
    if only := asked.only_one():
        return only
    tier = min(asked.membership(state).tier for state in asked.agents)
    first = [state for state in asked.agents if asked.membership(state).tier == tier]
    chosen = first[0]
    why = "alone" if len(first) == 1 else f"the one free longest ({asked.idle(chosen)}) of {len(first)}"
    return asked.take(
        chosen, f"{chosen.agent} is in tier {tier}, the first with a free agent, {why} {asked.others}"
    )


def _place(asked: Candidates, state: AgentState) -> int:
    return asked.membership(state).place


def _turn(place: int, after: int) -> tuple[bool, int]:
    """Sorts places behind the last one before all others."""
    return place <= after, place
