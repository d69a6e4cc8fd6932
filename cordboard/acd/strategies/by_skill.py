"""The strategy `best_skill`: who is best at what the caller asks for. Used by the registry.

Levels of the skills asked for now, required and preferred, are added up; who has the highest sum is chosen, between
equals the one free longest. Without skills asked for it is `longest_idle`.
"""

from __future__ import annotations

from cordboard.acd.model import AgentState
from cordboard.acd.relaxation import asked_now
from cordboard.acd.strategies.by_counts import longest_idle
from cordboard.acd.strategies.choice import Candidates, Choice


def best_skill(asked: Candidates) -> Choice:
    """Who has the highest levels in what is asked for."""
    needs = asked_now(asked.call, asked.now)
    skills = sorted({skill for skill, _ in needs.require + needs.prefer})
    if not skills:
        return longest_idle(asked)
    if only := asked.only_one():
        return only
    chosen = max(asked.agents, key=lambda state: _sum(asked, state, skills))
    levels = ", ".join(f"{skill} {_level(asked, chosen, skill)}" for skill in skills)
    return asked.take(chosen, f"{chosen.agent} has the best skills ({levels}) {asked.others}")


def _sum(asked: Candidates, state: AgentState, skills: list[str]) -> int:
    return sum(_level(asked, state, skill) for skill in skills)


def _level(asked: Candidates, state: AgentState, skill: str) -> int:
    return asked.plan.agents[state.agent].skills.get(skill, 0)
