"""Strategies that draw lots: `random`, and `weighted_random` by the weights agents have in the queue.

Used by the registry. The draw comes from `Candidates.random`, which whoever matches has seeded.
"""

from __future__ import annotations

from cordboard.acd.strategies.choice import Candidates, Choice


def drawn(asked: Candidates) -> Choice:
    """Anybody, each as likely as the other."""
    if only := asked.only_one():
        return only
    chosen = asked.random.choice(asked.agents)
    return asked.take(chosen, f"{chosen.agent} was drawn by lot {asked.others}")


def drawn_by_weight(asked: Candidates) -> Choice:
    """Anybody, who has twice the weight is twice as likely."""
    if only := asked.only_one():
        return only
    weights = [asked.membership(state).weight for state in asked.agents]
    (chosen,) = asked.random.choices(asked.agents, weights)
    weight = asked.membership(chosen).weight
    return asked.take(
        chosen, f"{chosen.agent} was drawn by lot with weight {weight} of {sum(weights)} {asked.others}"
    )
