"""What a simulated call finds beside its flow: flows, numbers, queues, agents and services of one configuration.

Made from a loaded configuration by the command line, and from a few lines by tests. No secret, no database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from cordboard.acd.eligibility import taker
from cordboard.acd.model import FloorPlan, Needs
from cordboard.flows.flow import Flow
from cordboard.flows.surroundings import Surroundings
from cordboard.settings import Numbers
from cordboard.telephony.needs import needs_after, with_defaults

LONGEST_WAIT_S = 600.0  # of a queue that nothing is known of


@dataclass(frozen=True)
class Premises:
    """Everything outside the call. around: what the flows were checked against."""

    flows: Mapping[str, Flow]
    numbers: Numbers = field(default_factory=Numbers)
    plan: FloorPlan = field(default_factory=FloorPlan)
    around: Surroundings = field(default_factory=Surroundings)

    @property
    def clock(self) -> ZoneInfo:
        """The zone in which times of day are given and shown."""
        return ZoneInfo(self.around.zone)

    def taker(self, queue: str, needs: Needs, after_s: float) -> str:
        """The agent who takes a call that has waited so long; "" if nobody has what it asks for."""
        known = self.plan.queues.get(queue)
        asked = needs_after(with_defaults(needs, known.needs if known else Needs()), after_s)
        return taker(self.plan.agents_of(queue), queue, asked)

    def agent_who_calls(self, code: str, ani: str) -> str:
        """The agent who has this code, or without one calls from this number; "" if nobody does."""
        found = (
            agent.name
            for agent in self.plan.agents.values()
            if (agent.code == code if code else agent.calls_from(ani))
        )
        return next(found, "")

    def full_name_of(self, agent: str) -> str:
        """What people call an agent."""
        known = self.plan.agents.get(agent)
        return known.full_name if known else agent

    def longest_wait_s(self, queue: str) -> float:
        """How long callers wait there, if a node does not say."""
        known = self.plan.queues.get(queue)
        return known.max_wait_s if known else LONGEST_WAIT_S

    def number_of(self, flow: str) -> str:
        """A number that leads to a flow; "" if none does."""
        return next((dnis for dnis, name in self.numbers.numbers.items() if name == flow), "")
