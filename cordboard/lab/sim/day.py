"""Plays a simulated day: callers come and lose patience, agents come to work, pick up, talk and go to lunch.

Nothing is decided about queues here: a floor is told what happens, its phones are rung and its customers dialled
as it says. The floor is `MemoryFloor`, or, in a test, the real store. What people do is drawn by chance from the
seed, in the order in which it happens; so the same seed on the same floor is the same day.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

from cordboard.acd.model import Moment
from cordboard.lab.sim.at_desks import AtDesks
from cordboard.lab.sim.called_back import CalledBack
from cordboard.lab.sim.callers import Callers
from cordboard.lab.sim.floor_state import Caller
from cordboard.lab.sim.hall import Hall, OfferT, SimFloor
from cordboard.lab.sim.scenario import SimDay


class Day(Generic[OfferT]):
    """One play of a day. on_entered: called for each caller, once they have entered and phones ring."""

    def __init__(
        self,
        day: SimDay,
        floor: SimFloor[OfferT],
        seed: int,
        on_entered: Callable[[Moment, Caller], None] = lambda _now, _caller: None,
    ) -> None:
        self._hall = Hall(day, floor, seed)
        self._callers = Callers(self._hall, on_entered)
        self._desks = AtDesks(self._hall, self._callers)
        self._called_back = CalledBack(self._hall, self._callers)
        self._hall.ring = self._desks.ring
        self._hall.dial_soon = self._called_back.look_soon

    @property
    def calls(self) -> int:
        """How many calls have come."""
        return self._callers.calls

    def play(self) -> int:
        """The whole day, until the last caller has gone. How many things happened."""
        self._desks.expect()
        self._callers.expect_all()
        return self._hall.clock.run()
