"""What was measured of the flow engine, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

LINT_NODES = 3_000
TEST_CASES = 1_000


@dataclass(frozen=True, slots=True)
class FlowFigures:
    """Everything of a run; each list has one value a round.

    steps_per_s:  verbs a second that one process decides on; nodes_per_s: nodes it goes through meanwhile.
    load_s, lint_s: a file of 3,000 nodes, loaded with all checks; of that, the semantic rules alone.
    tests_s:      1,000 flow tests played, with their files read and their flows loaded.
    kb_a_call:    memory of one live call's position, with its variables.
    """

    steps_per_s: list[float]
    nodes_per_s: list[float]
    load_s: list[float]
    tests_s: list[float]
    kb_a_call: float
    took_s: float

    @property
    def slowest_load_s(self) -> float:
        """The slowest round."""
        return max(self.load_s)

    @property
    def steps(self) -> float:
        """The median round."""
        return median(self.steps_per_s)
