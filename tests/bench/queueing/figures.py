"""What was measured of queues, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from tests.bench.figures import percentile

SIDES = ("desk", "floor", "app_queue")
PEER = "app_queue"
OURS = ("desk", "floor")


@dataclass(frozen=True, slots=True)
class Cell:
    """How large: agents in the queue, and callers who wait in it."""

    queue: str
    agents: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One agent freed. rings_ms: until the INVITE is at the phone; joined_ms: until both legs are in one bridge."""

    rings_ms: float
    joined_ms: float


@dataclass(frozen=True, slots=True)
class Pop:
    """One offer. at_client_ms: from the offer to the event at a client; in_page_ms: to the change of the page."""

    at_client_ms: float
    in_page_ms: float


@dataclass(frozen=True, slots=True)
class Distribution:
    """p99 of fewer than 100 samples is their greatest."""

    p50: float
    p95: float
    p99: float


def distribution(values: list[float]) -> Distribution:
    """Of at least one value."""
    return Distribution(median(values), percentile(values, 0.95), percentile(values, 0.99))


@dataclass(frozen=True, slots=True)
class Cores:
    """CPU, in cores, of the switch and of all processes of our service."""

    switch: float
    service: float

    @property
    def both(self) -> float:
        """Together."""
        return self.switch + self.service


@dataclass(slots=True)
class QueueFigures:
    """Everything of a run. samples: by cell and side, in the order they were taken; load: average at the start.

    left_out: cells that could not be measured, and why; holding: what holding `held` callers who wait takes, by way
    and round; not_held: why that could not be measured, "" if it was; peer: the switch's own queue.
    """

    samples: dict[tuple[Cell, str], list[Sample]] = field(default_factory=dict)
    left_out: dict[Cell, str] = field(default_factory=dict)
    holding: dict[str, list[Cores]] = field(default_factory=dict)
    held: int = 0
    not_held: str = ""
    pops: list[Pop] = field(default_factory=list)
    took_s: float = 0.0
    load: float = 0.0
    peer: str = PEER

    def leave_out(self, cell: Cell, why: str) -> None:
        """Forget a cell that is measured in part only."""
        self.left_out[cell] = why
        for key in [key for key in self.samples if key[0] == cell]:
            del self.samples[key]

    @property
    def cells(self) -> list[Cell]:
        """In the order they were measured."""
        return list(dict.fromkeys(cell for cell, _ in self.samples))

    def joined(self, cell: Cell, side: str) -> Distribution:
        """From free to joined."""
        return distribution([sample.joined_ms for sample in self.samples[cell, side]])

    def rings(self, cell: Cell, side: str) -> Distribution:
        """From free to the phone."""
        return distribution([sample.rings_ms for sample in self.samples[cell, side]])

    def excess(self, way: str) -> float:
        """Cores that a way uses beyond plain music; the median of the rounds."""
        rounds = zip(self.holding[way], self.holding["music"], strict=True)
        return median([cores.both - music.both for cores, music in rounds])

    def ratio(self, cell: Cell, side: str) -> float:
        """How many times faster than the peer, by the medians."""
        return self.joined(cell, self.peer).p50 / self.joined(cell, side).p50
