"""What those who play a simulated day share: the clock, the floor, who is where, and the dice.

`callers`, `at_desks` and `called_back` move people about in it; `day` puts them together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Generic, Protocol, TypeVar

from cordboard.acd.callback_policy import CallbackPolicy
from cordboard.acd.model import LeftBecause, Moment, OfferEnd, Presence
from cordboard.lab.sim.clock import VirtualClock
from cordboard.lab.sim.floor_state import Caller
from cordboard.lab.sim.scenario import SimDay
from cordboard.lab.sim.written_callers import SimCallers

LOOK_S = 1.0  # as a worker of the service looks
TOLD_AFTER_S = 0.2  # that a leg has ended is known at once, why it has comes from another side


class RungOffer(Protocol):
    """A phone to ring."""

    @property
    def offer_id(self) -> str: ...
    @property
    def call_id(self) -> str: ...
    @property
    def agent(self) -> str: ...
    @property
    def queue(self) -> str: ...


class DialledCustomer(Protocol):
    """A customer to dial."""

    @property
    def call_id(self) -> str: ...
    @property
    def queue(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def policy(self) -> CallbackPolicy: ...


OfferT = TypeVar("OfferT", bound=RungOffer)


class SimFloor(Protocol[OfferT]):
    """What a day needs of a floor. `failed` and the like pass over what is not news."""

    @property
    def next_due(self) -> float | None: ...
    @property
    def owes_calls(self) -> bool: ...
    def enter(self, now: Moment, caller: Caller, max_wait_s: float | None = None) -> str | None: ...
    def step_out(self, now: Moment, call_id: str, held_s: float) -> None: ...
    def leave(self, now: Moment, call_id: str, because: LeftBecause) -> None: ...
    def ended(self, now: Moment, call_id: str, cause: int) -> None: ...
    def review(self, now: Moment, call_id: str) -> str | None: ...
    def book(self, now: Moment, call_id: str) -> bool: ...
    def claim(self, now: Moment) -> Sequence[DialledCustomer]: ...
    def is_wanted(self, now: Moment, call_id: str) -> bool: ...
    def attempt_ended(self, now: Moment, call_id: str, result: str) -> None: ...
    def not_reached(self, now: Moment, offer: OfferT, result: str) -> None: ...
    def take_offers(self, now: Moment) -> list[OfferT]: ...
    def answered(self, now: Moment, offer: OfferT) -> None: ...
    def joined(self, now: Moment, offer: OfferT) -> None: ...
    def failed(self, now: Moment, offer: OfferT, end: OfferEnd) -> None: ...
    def gone(self, now: Moment, offer: OfferT) -> None: ...
    def dispose(self, now: Moment, offer: OfferT, disposition: str) -> None: ...
    def set_presence(self, now: Moment, agent: str, presence: Presence, reason: str = "") -> None: ...
    def sweep(self, now: Moment) -> None: ...


@dataclass(slots=True, eq=False)
class Visit(Generic[OfferT]):
    """A caller in a queue, since `came_s`. part: what they are like; queue: where they are now; rung: the phones
    that ring for them; is_overdue: they have waited their longest; is_away: in a menu, the place is kept.

    awaited: of who is called back, and whose phone rings only once an agent has picked up: for how long.
    """

    caller: Caller
    part: SimCallers
    came_s: float
    queue: str
    rung: dict[str, OfferT] = field(default_factory=dict)
    is_overdue: bool = False
    is_away: bool = False
    awaited: CallbackPolicy | None = None


class Hall(Generic[OfferT]):
    """One play of a day. ring: what is done with a phone that is to be rung; dial_soon: has somebody look whom to
    dial. Both are set by `day`.
    """

    def __init__(self, day: SimDay, floor: SimFloor[OfferT], seed: int) -> None:
        self.day = day
        self.floor = floor
        self.clock = VirtualClock(day.begins_at)
        self.arrivals = Random(f"arrivals {seed}")
        self.moods = Random(f"moods {seed}")
        self.deeds = Random(f"deeds {seed}")
        self.visits: dict[str, Visit[OfferT]] = {}
        self._tells_why = any(queue.cut_off for queue in day.plan.queues.values())
        self.ring: Callable[[OfferT], None] = lambda _offer: None
        self.dial_soon: Callable[[], None] = lambda: None
        self._sweep_due: float | None = None

    @property
    def now(self) -> Moment:
        """This moment."""
        return self.clock.now

    def is_here(self, visit: Visit[OfferT]) -> bool:
        """Whether the caller has neither gone nor been joined."""
        return self.visits.get(visit.caller.call_id) is visit

    def tell_why(self, call_id: str, cause: int) -> None:
        """The switch says why a call has ended, a moment after it has. cause: Q.850."""
        if self._tells_why:
            self.clock.after(TOLD_AFTER_S, partial(self._told_why, call_id, cause))

    def _told_why(self, call_id: str, cause: int) -> None:
        self.floor.ended(self.now, call_id, cause)
        self.go_on()

    def go_on(self) -> None:
        """Ring what is to be rung, and look again when the floor has something due."""
        for offer in self.floor.take_offers(self.now):
            self.ring(offer)
        due = self.floor.next_due
        if due is not None and (self._sweep_due is None or due < self._sweep_due):
            self._sweep_due = due
            self.clock.at_boot(due, partial(self._sweep, due))
        self.dial_soon()

    def _sweep(self, due: float) -> None:
        if due == self._sweep_due:
            self._sweep_due = None
        self.floor.sweep(self.now)
        self.go_on()
