"""Strategies that take the agent with the least of something: `longest_idle`, `fewest_calls`, `least_talk_time`.

Between equals the one who has been free longest comes first, as `Candidates.agents` has them. Used by the registry.
"""

from __future__ import annotations

from cordboard.acd.durations import in_words
from cordboard.acd.strategies.choice import Candidates, Choice


def longest_idle(asked: Candidates) -> Choice:
    """Who has been free longest (UCD)."""
    if only := asked.only_one():
        return only
    chosen = asked.agents[0]
    return asked.take(chosen, f"{chosen.agent} has been free longest ({asked.idle(chosen)}) {asked.others}")


def fewest_calls(asked: Candidates) -> Choice:
    """Who has talked with the fewest callers since the day began."""
    if only := asked.only_one():
        return only
    chosen = min(asked.agents, key=lambda state: state.calls_today)
    return asked.take(
        chosen, f"{chosen.agent} has had the fewest calls today ({chosen.calls_today}) {asked.others}"
    )


def least_talk_time(asked: Candidates) -> Choice:
    """Who has talked least since the day began, in seconds."""
    if only := asked.only_one():
        return only
    chosen = min(asked.agents, key=lambda state: state.talk_s_today)
    talked = in_words(chosen.talk_s_today)
    return asked.take(chosen, f"{chosen.agent} has talked least today ({talked}) {asked.others}")
