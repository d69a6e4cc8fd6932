"""The virtual clock of a simulated day: it stands still while something happens, and jumps to what happens next.

Things that happen at the same moment happen in the order in which they were planned, so a day can be played again.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from cordboard.acd.model import Moment

BOOTED_S = 1_000.0  # what the boot clock shows when a day begins
LATE_S = 1e-6  # after a deadline: sums of times are not exact, and on a clock that stands still it would never pass
Happening = Callable[[], None]


class VirtualClock:
    """begins_at: seconds since 1970. All times planned are in seconds from there."""

    def __init__(self, begins_at: float) -> None:
        self._begins_at = begins_at
        self._planned: list[tuple[float, int, Happening]] = []
        self._count = 0
        self.now_s = 0.0

    @property
    def now(self) -> Moment:
        """This moment, on both clocks."""
        return Moment(self._begins_at + self.now_s, BOOTED_S + self.now_s)

    def at(self, when_s: float, happening: Happening) -> None:
        """Plan something; what should have happened already happens next."""
        self._count += 1
        heapq.heappush(self._planned, (max(when_s, self.now_s), self._count, happening))

    def after(self, delay_s: float, happening: Happening) -> None:
        """Plan something from now."""
        self.at(self.now_s + delay_s, happening)

    def at_boot(self, boot: float, happening: Happening) -> None:
        """Plan something for when this moment of the boot clock is over."""
        self.at(boot - BOOTED_S + LATE_S, happening)

    def run(self) -> int:
        """Let everything happen that is planned, and what comes of it. How many things there were."""
        while self._planned:
            self.now_s, _, happening = heapq.heappop(self._planned)
            happening()
        return self._count
