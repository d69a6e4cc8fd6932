"""What was measured on FreeSWITCH, as values. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version

from tests.bench.figures import Spread, spread
from tests.bench.queueing.figures import QueueFigures

RATES = (10, 40)  # calls a second; FreeSWITCH itself needs some 10 ms of CPU a call
OURS = "cordboard"

TITLES = {  # the programs, as people read them
    OURS: "Cordboard's wire layer",
    "greenswitch": f"bare greenswitch {version('greenswitch')}",
    "asyncio": "plain asyncio",
    "uvloop": "plain asyncio on uvloop",
}
PEERS = tuple(name for name in TITLES if name != OURS)


@dataclass(frozen=True, slots=True)
class SocketCell:
    """One burst of one program. cpu_ms, switch_cpu_ms: of the program and of FreeSWITCH, a call; p50_ms: how long
    half of the calls took at most.
    """

    cpu_ms: float
    switch_cpu_ms: float
    p50_ms: float
    calls: int
    failures: Mapping[str, int]
    late_ms: float


@dataclass(slots=True)
class FreeswitchFigures:
    """Everything of a run. cells: by program and rate, one for each round; queues: None where there was no real
    FreeSWITCH to measure them on; load: average at the start.
    """

    switch: str
    is_live: bool
    cells: dict[tuple[str, int], list[SocketCell]] = field(default_factory=dict)
    queues: QueueFigures | None = None
    took_s: float = 0.0
    load: float = 0.0

    def spread(self, program: str, rate: int, of: Callable[[SocketCell], float]) -> Spread:
        """One figure over the rounds."""
        return spread([of(cell) for cell in self.cells[program, rate]])

    def ratio(self, peer: str, rate: int) -> Spread:
        """Our CPU a call over the peer's in the same round."""
        rounds = zip(self.cells[OURS, rate], self.cells[peer, rate], strict=True)
        return spread([ours.cpu_ms / theirs.cpu_ms for ours, theirs in rounds])

    def is_broken(self) -> bool:
        """Whether a call failed, or a queue that any machine can hold was not measured."""
        return self.failures().total() > 0 or (self.queues is not None and bool(self.queues.left_out))

    def failures(self) -> Counter[str]:
        """Calls that did not go through the script, by program and how they ended."""
        found: Counter[str] = Counter()
        for (program, rate), cells in self.cells.items():
            for cell in cells:
                found.update({f"{program} at {rate}/s: {how}": count for how, count in cell.failures.items()})
        return found
