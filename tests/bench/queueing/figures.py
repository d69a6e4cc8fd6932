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


@dataclass(slots=True)
class QueueFigures:
    """Everything of a run. samples: by cell and side, in the order they were taken; load: average at the start."""

    samples: dict[tuple[Cell, str], list[Sample]] = field(default_factory=dict)
    pops: list[Pop] = field(default_factory=list)
    took_s: float = 0.0
    load: float = 0.0

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

    def ratio(self, cell: Cell, side: str) -> float:
        """How many times faster than app_queue, by the medians."""
        return self.joined(cell, PEER).p50 / self.joined(cell, side).p50
