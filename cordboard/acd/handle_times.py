"""How long calls of a queue occupy an agent, from what was seen. Drawn from by the wait estimate. Pure; chance
comes in as an argument.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from random import Random

USUAL_S = 180.0  # a talk, where nothing was seen yet
ENOUGH = 10  # lengths that say more than a guess; fewer are filled up with one


@dataclass(frozen=True)
class TalkTimes:
    """lengths: in seconds, sorted, at least two; each is as likely as its neighbour."""

    lengths: tuple[float, ...]

    @classmethod
    def of(cls, seen: Iterable[float]) -> TalkTimes:
        """From what was seen; too few lengths are filled up with those of an exponential spread of that mean."""
        lengths = sorted(seen)
        mean_s = sum(lengths) / len(lengths) if lengths else USUAL_S
        guessed = ENOUGH - len(lengths)
        lengths += [-mean_s * math.log(1 - (place + 0.5) / guessed) for place in range(guessed)]
        return cls(tuple(sorted(lengths)))

    @cached_property
    def mean_s(self) -> float:
        """The average."""
        return math.fsum(self.lengths) / len(self.lengths)

    def draw(self, chance: Random) -> float:
        """How long a talk that begins now will take."""
        return self._at(chance.random())

    def draw_left(self, talked_s: float, chance: Random) -> float:
        """How much longer a talk takes that has taken `talked_s`. One that has taken longer than any that was seen
        is as good as new.
        """
        shorter = bisect_right(self.lengths, talked_s)
        if shorter == len(self.lengths):
            return chance.expovariate(1 / max(self.mean_s, 1.0))
        share = self._share_below(talked_s, shorter)
        return max(0.0, self._at(share + (1 - share) * chance.random()) - talked_s)

    def _at(self, share: float) -> float:
        """The length that this share of calls does not exceed. Each length seen stands in the middle of its share,
        so that the average of what is drawn is theirs.
        """
        place = min(max(share * len(self.lengths) - 0.5, 0.0), len(self.lengths) - 1.0)
        below = min(int(place), len(self.lengths) - 2)
        least, most = self.lengths[below], self.lengths[below + 1]
        return least + (most - least) * (place - below)

    def _share_below(self, length_s: float, shorter: int) -> float:
        """The inverse of `_at`, for a length that is less than the longest."""
        if shorter == 0:
            return 0.0
        least, most = self.lengths[shorter - 1], self.lengths[shorter]
        return (shorter - 0.5 + (length_s - least) / (most - least)) / len(self.lengths)


@dataclass(frozen=True)
class Handling:
    """A queue's calls. rings: how long phones rang that were picked up, in seconds; wrap_up_s: after the talk. That
    is about the same for all calls, so who talks still has the whole of it before them.
    """

    talk: TalkTimes
    rings: tuple[float, ...] = ()
    wrap_up_s: float = 0.0

    @property
    def mean_s(self) -> float:
        """How long an agent is not free for others, on average."""
        return self._mean_ring_s + self.talk.mean_s + self.wrap_up_s

    def draw(self, chance: Random) -> float:
        """How long an agent is not free who is offered a call now."""
        return self.draw_ring(chance) + self.talk.draw(chance) + self.wrap_up_s

    def draw_ring(self, chance: Random) -> float:
        """How long it rings until a phone is picked up."""
        return self.rings[int(chance.random() * len(self.rings))] if self.rings else 0.0

    @cached_property
    def _mean_ring_s(self) -> float:
        return math.fsum(self.rings) / len(self.rings) if self.rings else 0.0

    def draw_left(self, talked_s: float, chance: Random) -> float:
        """The same for one who has talked for so long."""
        return self.talk.draw_left(talked_s, chance) + self.wrap_up_s
