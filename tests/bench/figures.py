"""What was measured, as values; and the arithmetic of it. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

RATES = (60, 200)  # calls a second


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run the IVR. name: as in the dialplan; title: as people read it."""

    name: str
    title: str


_PANORAMISK = f"panoramisk {version('panoramisk')}"

VARIANTS = (
    Variant("native", "native dialplan"),
    Variant("panoramisk", f"{_PANORAMISK}, asyncio"),
    Variant("uvloop", f"{_PANORAMISK}, uvloop"),
    Variant("cordboard", "Cordboard"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One burst of one variant. cpu: of the variant's Python, of Asterisk, of overseers; seconds a call."""

    p50_ms: float
    p99_ms: float
    python_cpu_s: float
    asterisk_cpu_s: float
    overseer_cpu_s: float
    calls: int
    failures: Mapping[str, int]
    late_ms: float


@dataclass(frozen=True, slots=True)
class Commands:
    """What one call costs in steps. agi: each AGI command's name and how often; dialplan: applications run."""

    agi: Mapping[str, float]
    dialplan: float

    @property
    def agi_total(self) -> float:
        """AGI commands a call."""
        return sum(self.agi.values())


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of the variant's Python without calls and with `calls` live ones."""

    idle_kb: int
    loaded_kb: int
    calls: int

    @property
    def kb_a_call(self) -> float:
        """In kB (1,024 bytes)."""
        return (self.loaded_kb - self.idle_kb) / self.calls


@dataclass(slots=True)
class Figures:
    """Everything of a run. cells: by variant and rate, one for each round."""

    cells: dict[tuple[str, int], list[Cell]] = field(default_factory=dict)
    commands: dict[str, Commands] = field(default_factory=dict)
    memory: dict[str, list[Memory]] = field(default_factory=dict)
    took_s: float = 0.0

    def spread(self, variant: str, rate: int, of: Callable[[Cell], float]) -> Spread:
        """One figure over the rounds."""
        return spread([of(cell) for cell in self.cells[variant, rate]])

    def failures(self) -> dict[str, int]:
        """All calls that did not come to their end, by variant and reason."""
        found: dict[str, int] = {}
        for (variant, rate), cells in self.cells.items():
            for cell in cells:
                for reason, count in cell.failures.items():
                    key = f"{variant} at {rate}/s: {reason}"
                    found[key] = found.get(key, 0) + count
        return found


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over several rounds."""

    median: float
    lowest: float
    highest: float


def spread(values: Sequence[float]) -> Spread:
    """Raises statistics.StatisticsError for no values."""
    return Spread(statistics.median(values), min(values), max(values))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all values do not exceed; NaN of none."""
    if not values:
        return math.nan
    return sorted(values)[math.ceil(share * len(values)) - 1]
