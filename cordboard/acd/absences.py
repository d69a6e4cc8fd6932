"""Those whose place is kept while they are away: whether they come back to it, and when. Pure.

They stand ahead of others as those do who wait, so the wait estimate must reckon with them: a caller in a menu
comes back within seconds, one who was cut off may call again, and who is to be called back takes an agent as soon
as that is due. How many do, and after how long, is seen from the ledger (`wait_history`). Chance is an argument.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from random import Random

from cordboard.acd.handle_times import TalkTimes

KEPT = 100  # lengths of a queue and kind
_COUNTED_MAX = 200  # absences, after which older ones count half
_USUAL_S = 30.0  # a message is heard, a number is dialled again


@dataclass(slots=True)
class AbsencesSeen:
    """What is known of absences of one kind in one queue. ended: how many; back: how many by coming back."""

    ended: float = 0.0
    back: float = 0.0
    lengths: deque[float] = field(default_factory=lambda: deque((_USUAL_S,), maxlen=KEPT))

    def take(self, length_s: float, *, is_back: bool) -> None:
        """One has ended."""
        if self.ended > _COUNTED_MAX:
            self.ended, self.back = self.ended / 2, self.back / 2
        self.ended += 1
        self.back += is_back
        if is_back:
            self.lengths.append(length_s)

    @property
    def share(self) -> float:
        """Of those who come back, 0.0 to 1.0; where little was seen, about half."""
        return (self.back + 1) / (self.ended + 2)

    def times(self) -> TalkTimes:
        """How long they are away."""
        return TalkTimes.of(self.lengths)


@dataclass(frozen=True, slots=True)
class Absence:
    """Somebody who is away. share: the chance that they come back at all; gone_s: for so long; left_s: until the
    place is given up. times: how long others were away; None for who is there as soon as `due_in_s` is over.
    """

    share: float
    times: TalkTimes | None = None
    gone_s: float = 0.0
    left_s: float = math.inf
    due_in_s: float = 0.0

    def draw_back_s(self, chance: Random) -> float:
        """In how long they are back; infinite if they do not come."""
        if chance.random() >= self.share:
            return math.inf
        back_s = self.due_in_s if self.times is None else self.times.draw_left(self.gone_s, chance)
        return back_s if back_s <= self.left_s else math.inf
