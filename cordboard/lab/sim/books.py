"""All that a simulated floor knows, in one place: what the database is to the store.

`desks`, `offering`, `places` and `promises` write in it, each what its neighbour in the store writes; `MemoryFloor`
puts them together. Nothing is decided here.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from cordboard.acd.model import FloorPlan, Moment, Queue
from cordboard.lab.sim.day_ledger import Ledger
from cordboard.lab.sim.floor_state import AgentAtDesk, Offer, Place, Promise
from cordboard.lab.sim.lines import Lines
from cordboard.lab.sim.matcher import Matcher

TALKS_KEPT = 200  # of a queue, as the store reads


@dataclass(slots=True)
class Books:
    """places: by call, those in line or talking; away: those of them that are kept, by entry; lines: those of them
    who wait; promises: the open ones, by id; touched: queues in which somebody may be matched since.

    talks: the last talks of each queue that have ended; talked: where queues ring back, who talked with whom last,
    by call.
    """

    plan: FloorPlan
    agents: dict[str, AgentAtDesk]
    matcher: Matcher
    lines: Lines
    ledger: Ledger = field(default_factory=Ledger)
    places: dict[str, Place] = field(default_factory=dict)
    away: dict[str, Place] = field(default_factory=dict)
    promises: dict[str, Promise] = field(default_factory=dict)
    talks: dict[str, deque[Offer]] = field(default_factory=dict)
    talked: dict[str, Offer] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    unrung: list[Offer] = field(default_factory=list)
    _due: list[tuple[float, str]] = field(default_factory=list)
    _count: int = 0

    @classmethod
    def of(cls, plan: FloorPlan, seed: int) -> Books:
        """Those of a floor on which nothing has happened yet."""
        agents = {name: AgentAtDesk(name) for name in plan.agents}
        return cls(plan, agents, Matcher(plan, agents, seed), Lines(plan))

    def new_id(self, letter: str) -> str:
        """An id that sorts behind those given before."""
        self._count += 1
        return f"{letter}{self._count:07d}"

    def queue(self, name: str) -> Queue:
        """The queue as configured."""
        return self.plan.queues[name]

    def touch_queues_of(self, agents: Iterable[str]) -> None:
        """Callers of these agents may have somebody now."""
        for name in agents:
            self.touched.update(self.plan.agents[name].queues)

    # -- time --

    @property
    def next_due(self) -> float | None:
        """When something is due next, by the boot clock; None if nothing is."""
        return self._due[0][0] if self._due else None

    def wake(self, boot: float, agent: str = "") -> None:
        """Have a look at a moment of the boot clock: at an agent, or at whoever waits."""
        heapq.heappush(self._due, (boot, agent))

    def woken(self, now: Moment) -> list[str]:
        """What is due now: the names of agents, "" for those who wait."""
        found = []
        while self._due and self._due[0][0] <= now.boot:
            found.append(heapq.heappop(self._due)[1])
        return found

    def note_talk(self, offer: Offer) -> None:
        """A talk has ended."""
        self.talks.setdefault(offer.queue, deque(maxlen=TALKS_KEPT)).append(offer)
