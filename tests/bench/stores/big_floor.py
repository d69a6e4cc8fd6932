"""The floors that stores are measured with: queues, agents and callers by the number. Pure.

Agent `a7` serves the queues 7, 8, 9 ... up to `QUEUES_AN_AGENT` of them, so queues share agents as departments do.
Every fourth agent speaks Spanish, and every eighth caller asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from cordboard.acd.model import AcceptStep, Agent, FloorPlan, Queue
from cordboard.store.acd_values import Entering
from cordboard.telephony.call_id import new_call_id
from cordboard.telephony.needs import Needs

SPANISH = (("spanish", 3),)
SPEAKS_EVERY = 4  # agents
ASKS_EVERY = 8  # callers
OWNER = "bench"
QUEUES_AN_AGENT = 10


@dataclass(frozen=True)
class BigFloor:
    """So many of each. quiet: the last of the queues, where nobody waits, and whose agents are free therefore."""

    queues: int
    agents: int
    waiting: int
    quiet: int = 0

    @cached_property
    def plan(self) -> FloorPlan:
        """As configured."""
        queues = {name: Queue(name, wrap_up_s=0.0, accept=AcceptStep(key="")) for name in self.queue_names}
        agents = {name: self._agent(number) for number, name in enumerate(self.agent_names)}
        return FloorPlan(queues, agents)

    @cached_property
    def queue_names(self) -> Sequence[str]:
        """Busy ones first."""
        return [f"q{number}" for number in range(self.queues)]

    @cached_property
    def agent_names(self) -> Sequence[str]:
        """Those of busy queues first."""
        return [f"a{number}" for number in range(self.agents)]

    @property
    def quiet_agents(self) -> Sequence[str]:
        """Agents of no queue but a quiet one: one each."""
        return self.agent_names[self.agents - self.quiet :]

    @property
    def busy_agents(self) -> Sequence[str]:
        """The others."""
        return self.agent_names[: self.agents - self.quiet]

    def entering(self, number: int, at: float) -> Entering:
        """The caller of that number, who comes to a busy queue."""
        queue = self.queue_names[number % (self.queues - self.quiet)]
        return entering(queue, at, Needs(require=SPANISH) if number % ASKS_EVERY == 0 else Needs())

    def _agent(self, number: int) -> Agent:
        name = self.agent_names[number]
        busy = self.queues - self.quiet
        if number >= self.agents - self.quiet:
            queues: tuple[str, ...] = (self.queue_names[busy + number - (self.agents - self.quiet)],)
        else:
            first = number * busy // (self.agents - self.quiet)
            count = min(QUEUES_AN_AGENT, busy)
            queues = tuple(self.queue_names[(first + place) % busy] for place in range(count))
        skills = {"spanish": 4} if number % SPEAKS_EVERY == 0 else {}
        return Agent(name, name, f"PJSIP/{name}", queues, skills=skills)


def entering(queue: str, at: float, needs: Needs) -> Entering:
    """A new caller. at: seconds since 1970."""
    call_id = new_call_id()
    return Entering(call_id, f"leg-{call_id}", "asterisk", queue, "en", 0, at, OWNER, needs=needs)
