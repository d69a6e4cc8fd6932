"""What a simulated call finds beside its flow: flows, numbers, queues, agents and services of one configuration.

Made from a loaded configuration by the command line, and from a few lines by tests. No secret, no database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from cordboard.acd.model import FloorPlan
from cordboard.flows.flow import Flow
from cordboard.flows.surroundings import Surroundings
from cordboard.settings import Numbers

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

    def first_agent_of(self, queue: str) -> str:
        """An agent who takes calls of a queue; "" if nobody does."""
        return next((agent.name for agent in self.plan.agents_of(queue)), "")

    def longest_wait_s(self, queue: str) -> float:
        """How long callers wait there, if a node does not say."""
        known = self.plan.queues.get(queue)
        return known.max_wait_s if known else LONGEST_WAIT_S

    def number_of(self, flow: str) -> str:
        """A number that leads to a flow; "" if none does."""
        return next((dnis for dnis, name in self.numbers.numbers.items() if name == flow), "")
