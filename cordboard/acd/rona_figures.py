"""How many offers agents did not take, and what share that is, by how offers ended. Pure.

The figures of queues (`kpis`) and of agents (`agent_kpis`) both have these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cordboard.acd.model import RONA, OfferEnd


class RonaFigures:
    """For figures that have `offer_ends`: how many offers ended in which way."""

    __slots__ = ()

    offer_ends: Mapping[OfferEnd, int]

    @property
    def rona_by_cause(self) -> Mapping[OfferEnd, int]:
        """Offers that agents did not take, by what came instead; causes that did not occur are left out."""
        return {end: count for end, count in self.offer_ends.items() if end in RONA}

    @property
    def rona(self) -> int:
        """Offers that agents did not take."""
        return sum(self.rona_by_cause.values())

    @property
    def rona_rate(self) -> float | None:
        """Share of the offers that were for the agent to take: those ended by others are in neither number."""
        whole = self.rona + self.offer_ends.get(OfferEnd.SERVED, 0)
        return self.rona / whole if whole else None

    def rona_as_json(self) -> dict[str, Any]:
        """Ready for JSON; the share from 0 to 1."""
        rate = self.rona_rate
        return {
            "rona": self.rona,
            "rona_rate": None if rate is None else round(rate, 4),
            "rona_by_cause": {end.value: count for end, count in self.rona_by_cause.items()},
            "offer_ends": {end.value: count for end, count in self.offer_ends.items()},
        }
