"""When a caller of a simulated floor is sent on by the queue's `overflow`: what `acd.overflow` is asked with."""

from __future__ import annotations

from collections.abc import Mapping

from cordboard.acd import joining
from cordboard.acd.matching import entry_order
from cordboard.acd.model import FloorPlan, Moment
from cordboard.acd.overflow import Standing, step_for
from cordboard.acd.relaxation import waited_s
from cordboard.acd.waiting_rules import OverflowStep
from cordboard.lab.sim.floor_state import AgentAtDesk, Place


def overflow_step(
    plan: FloorPlan, places: Mapping[str, Place], agents: Mapping[str, AgentAtDesk], place: Place, now: Moment
) -> OverflowStep | None:
    """The step that holds for a waiting caller now; None if they stay."""
    queue = plan.queues[place.queue]
    if not queue.overflow:
        return None
    mine = entry_order(place.waiting, queue.ageing_s)
    line = [other.waiting for other in places.values() if other.queue == place.queue and other.state != "talking"]
    states = (agents[agent.name].as_state() for agent in plan.agents_of(place.queue))
    standing = Standing(
        waited_s=waited_s(place.waiting, now),
        position=1 + sum(entry_order(other, queue.ageing_s) < mine for other in line),
        waiting=len(line),
        agents=sum(not joining.is_nobody(state, joining.USUAL) for state in states),
    )
    return step_for(queue.overflow, standing)
