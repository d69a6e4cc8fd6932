"""Whether an agent may have a call at all, whatever any strategy would like. Pure.

An agent may if they serve the queue, have every skill asked for now at its level, have a phone which the caller's
switch can reach, are not excluded, and the call is not kept for somebody else for the moment. Whether they are free
is `availability`. Asked by matching, and by the reasons.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cordboard.acd.model import Agent, AgentState, FloorPlan, Needs
from cordboard.acd.relaxation import Levels


@dataclass(frozen=True, slots=True)
class Ruling:
    """Who, of the agents of a queue, may have a call now. require: skills; kept_for: the only one, "" for anybody;
    kept_from: those who may not; switch: that of the caller, "" where there is one.
    """

    require: Levels
    kept_for: str
    kept_from: frozenset[str]
    switch: str = ""

    def allows(self, agent: Agent) -> bool:
        """Whether this agent of the queue may have it."""
        return (
            self.kept_for in ("", agent.name)
            and agent.name not in self.kept_from
            and _has_all(agent, self.require)
            and agent.rung_from(self.switch) != ""
        )


def ruling(queue: str, needs: Needs, plan: FloorPlan, at_work: Collection[str] | None) -> Ruling:
    """Who may have a call that asks for this now. at_work: as for `kept_for`."""
    kept = kept_for(queue, needs, plan, at_work), kept_from(queue, needs, plan, at_work)
    return Ruling(needs.require, *kept, needs.switch)


def may_have(agent: Agent, queue: str, needs: Needs) -> bool:
    """Whether the agent serves the queue, has what is asked for, can be joined and is not excluded."""
    return (
        queue in agent.queues
        and agent.name not in needs.exclude
        and _has_all(agent, needs.require)
        and agent.rung_from(needs.switch) != ""
    )


def _has_all(agent: Agent, require: Levels) -> bool:
    return all(agent.skills.get(skill, 0) >= level for skill, level in require)


def kept_for(queue: str, needs: Needs, plan: FloorPlan, at_work: Collection[str] | None) -> str:
    """The only agent who may have the call now, "" if anybody may who is eligible. It is kept for an agent who
    could have it, has not just refused it, and is at work; for nobody else it is worth waiting.

    needs: what is asked now; at_work: those who are, None if all are.
    """
    agent = plan.agents.get(needs.agent)
    if agent is None or agent.name in dict(needs.refused) or not may_have(agent, queue, needs):
        return ""
    return agent.name if at_work is None or agent.name in at_work else ""


def kept_from(queue: str, needs: Needs, plan: FloorPlan, at_work: Collection[str] | None) -> frozenset[str]:
    """Agents who may not have the call: those who are excluded, and those who have just refused it, as long as
    anybody else who may have it is at work.
    """
    refused = {agent for agent, _ in needs.refused}
    if not refused:
        return frozenset(needs.exclude)
    others = (agent for agent in plan.agents_of(queue) if agent.name not in refused)
    is_for_others = any((at_work is None or one.name in at_work) and may_have(one, queue, needs) for one in others)
    return frozenset(needs.exclude).union(refused if is_for_others else ())


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
