"""Which quantile of the estimates is told in a queue, so that four in five callers wait no longer than told.

The plays of the next minutes know only what was seen: the longest talk of a quiet morning is no bound for that of
the afternoon, and the staffing changes while a caller waits. So the share of plays that is told follows what came
of the figures that were told: each caller who waited longer raises it, each who did not lowers it by a quarter of
that. In the long run one in five waits longer, whatever is wrong with the plays (adaptive conformal inference,
Gibbs and Candes 2021). Pure; one for each queue, kept by `wait_history`.
"""

from __future__ import annotations

from dataclasses import dataclass

CLAIMED = 0.8  # of callers wait no longer than told
STEP = 0.02  # a hundred callers are enough to go from one end to the other, one alone changes little
LEAST, MOST = 0.5, 0.98


@dataclass(slots=True)
class ToldShare:
    """share: of plays that are not longer than what is told."""

    share: float = CLAIMED

    def take(self, *, is_kept: bool) -> None:
        """What came of one figure. is_kept: its caller waited no longer."""
        change = -(1 - CLAIMED) if is_kept else CLAIMED
        self.share = min(MOST, max(LEAST, self.share + STEP * change))
