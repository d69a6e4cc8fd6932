"""Whether the agents of agents.yaml have what the queues of queues.yaml ask for. Called by `floor_plan`."""

from __future__ import annotations

import math
from collections.abc import Iterator

from cordboard.acd.agents_file import AgentsFile
from cordboard.acd.model import FloorPlan
from cordboard.acd.overflow import reached_from
from cordboard.acd.queues_file import QueuesFile
from cordboard.config.document import Document
from cordboard.config.findings import Finding
from cordboard.config.needs_checks import QueueSkills, needs_faults


def skill_findings(queues: QueuesFile, document: Document, agents: AgentsFile) -> Iterator[Finding]:
    """Every fault in the defaults of the queues."""
    everybody = frozenset(skill for agent in agents.agents.values() for skill in agent.skills)
    for name, queue in queues.queues.items():
        members = {key: agent.skills for key, agent in agents.agents.items() if name in agent.queues}
        skills = QueueSkills(agents=members, everybody=everybody)
        for wrong in needs_faults(queue.needs(), name, skills):
            way = ("queues", name, *wrong.keys)
            yield document.finding(way, wrong.code, wrong.message, wrong.hint, key=wrong.is_key)


def queue_skills(plan: FloorPlan) -> dict[str, QueueSkills]:
    """What flows may ask for in each queue."""
    everybody = frozenset(skill for agent in plan.agents.values() for skill in agent.skills)
    steps = {name: queue.overflow for name, queue in plan.queues.items()}
    return {
        name: QueueSkills(
            queue.needs,
            {agent.name: agent.skills for agent in plan.agents_of(name)},
            everybody,
            goes_on=reached_from(steps, name),
            longest_s=math.inf if queue.callback else queue.max_wait_s,
        )
        for name, queue in plan.queues.items()
    }
