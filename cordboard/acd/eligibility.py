"""Whether an agent may have a call at all, whatever any strategy would like. Pure.

An agent may if they serve the queue, have every skill asked for now at its level, and the call is not kept for
somebody else for the moment. Whether they are free is `availability`. Asked by matching, and by the reasons.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from cordboard.acd.model import Agent, AgentState, FloorPlan, Needs


def may_have(agent: Agent, queue: str, needs: Needs) -> bool:
    """Whether the agent serves the queue and has what is asked for."""
    return queue in agent.queues and has_all(agent, needs)


def has_all(agent: Agent, needs: Needs) -> bool:
    """Whether the agent has every skill asked for, at the level or above it."""
    return all(agent.skills.get(skill, 0) >= level for skill, level in needs.require)


def kept_for(queue: str, needs: Needs, plan: FloorPlan, at_work: Collection[str] | None) -> str:
    """The only agent who may have the call now, "" if anybody may who is eligible. It is kept for an agent who
    could have it, and who is at work; for nobody else it is worth waiting.

    needs: what is asked now; at_work: those who are, None if all are.
    """
    agent = plan.agents.get(needs.agent)
    if agent is None or not may_have(agent, queue, needs):
        return ""
    return agent.name if at_work is None or agent.name in at_work else ""


def taker(agents: Sequence[Agent], queue: str, needs: Needs) -> str:
    """Who would get a call that asks for this, if all of them were free and equal: the one it is kept for, else of
    those who may have it the first with most of what is preferred. "" for nobody.
    """
    able = [agent for agent in agents if may_have(agent, queue, needs)]
    named = [agent.name for agent in able if agent.name == needs.agent]
    best = max(able, key=lambda agent: _preferred(agent, needs), default=None)
    return next(iter(named), best.name if best else "")


def best_preferred(states: Sequence[AgentState], needs: Needs, plan: FloorPlan) -> tuple[AgentState, ...]:
    """Those who have most of the skills that are preferred, in the same order; all of them if none is."""
    if not needs.prefer:
        return tuple(states)
    scores = [_preferred(plan.agents[state.agent], needs) for state in states]
    best = max(scores)
    return tuple(state for state, score in zip(states, scores, strict=True) if score == best)


def _preferred(agent: Agent, needs: Needs) -> int:
    return sum(agent.skills.get(skill, 0) >= level for skill, level in needs.prefer)
