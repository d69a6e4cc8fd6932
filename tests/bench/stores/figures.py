"""What is measured of stores, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

OFFER_WAYS = ("an agent is freed", "a caller comes")


@dataclass(frozen=True, slots=True)
class Claims:
    """A run of claims. workers: processes that claim at the same time; at_once: how many each has under way.

    refused: those that had to be asked for again.
    """

    workers: int
    at_once: int
    count: int
    took_s: float
    refused: int = 0

    @property
    def per_s(self) -> float:
        """Claims a second, of all workers together."""
        return self.count / self.took_s


@dataclass(slots=True)
class StoreFigures:
    """Everything of a run. offers_ms: by engine and way, from asking the store to its answer with the offer.

    claims: by engine; load: of the machine at the beginning and at the end.
    """

    offers_ms: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    claims: dict[str, list[Claims]] = field(default_factory=dict)
    loads: tuple[float, float] = (0.0, 0.0)
    took_s: float = 0.0
