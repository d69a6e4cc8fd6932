"""A floor whose news of agents' phones is lost, told twice and out of order: the history of it is in order.

Here stands the truth (who waits, rings and talks), there the store, and between them a wire that disturbs. What the
dialplan tells of each offer comes through, as it does; and now and then all legs are listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from cordboard.acd.model import Agent, FloorPlan, OfferEnd, Queue, RonaPolicy
from cordboard.store.acd_values import OfferToRing
from cordboard.telephony.ports import AgentLeg, AgentLegEvent
from tests.doubles.databases import empty_database
from tests.doubles.floor_kit import FloorKit
from tests.doubles.fuzzing import TOTAL
from tests.doubles.queue_history import History, check_history

PLAN = FloorPlan(
    queues={"sales": Queue("sales", wrap_up_s=0.0, rona=RonaPolicy(pause_after=0, retry_after_s=0.5))},
    agents={name: Agent(name, name, f"PJSIP/{name}", ("sales",)) for name in ("alice", "bob", "carol")},
)
OWNERS = ("here", "there")
CALLERS = 12
STEP_S = 0.25
LIST_EVERY = 12  # steps
STEPS_MAX = 600
LOST, TWICE = 0.2, 0.3
LATE_S = 2.0
SEEDS = max(12, TOTAL // 1_000)


@dataclass
class Truth:
    """waiting: by call, who holds it; ringing, talking: by offer. joined, gone_away: calls that had an agent, that
    had none and are over.
    """

    waiting: dict[str, str] = field(default_factory=dict)
    ringing: dict[str, OfferToRing] = field(default_factory=dict)
    talking: dict[str, tuple[OfferToRing, float]] = field(default_factory=dict)
    joined: list[str] = field(default_factory=list)
    gone_away: list[str] = field(default_factory=list)


class House:
    """The truth, the store, and the wire between them."""

    def __init__(self, floor: FloorKit, seed: int) -> None:
        self.floor = floor
        self.truth = Truth()
        self._random = Random(seed)
        self._wire: list[tuple[float, AgentLegEvent]] = []
        self._to_come = [f"c{number}" for number in range(CALLERS)]

    def live(self) -> None:
        """Until everybody has come and gone, and the last list has been compared."""
        for agent in PLAN.agents:
            self.floor.presence(agent)
        for step in range(STEPS_MAX):
            if self._is_over():
                break
            self._step()
            if step % LIST_EVERY == 0:
                self._list_legs()
        self.floor.pass_time(LATE_S)
        self._carry_news()
        self.floor.pass_time(10)
        self._list_legs()

    def _is_over(self) -> bool:
        truth = self.truth
        return not (self._to_come or truth.waiting or truth.ringing or truth.talking)

    def _step(self) -> None:
        self.floor.pass_time(STEP_S)
        for owner in OWNERS:
            held = [call for call, holder in self.truth.waiting.items() if holder == owner]
            self.floor.do(lambda c, owner=owner, held=held: self.floor.store.renew(c, self.floor.now, owner, held))
            self._ring(self.floor.take(owner, *held))
        if self._to_come and self._happens(0.4):
            self._come(self._to_come.pop(), self._random.choice((0, 0, 5)))
        for offer in list(self.truth.ringing.values()):
            self._ring_on(offer)
        for offer, joined_at in list(self.truth.talking.values()):
            if self._happens(0.3):
                self._hang_up(offer, joined_at)
        if self.truth.waiting and self._happens(0.03):
            self._give_up(self._random.choice(list(self.truth.waiting)))
        self._carry_news()
        self.floor.sweep()

    # -- what is true --

    def _come(self, call: str, priority: int = 0) -> None:
        owner = self._random.choice(OWNERS)
        self.truth.waiting[call] = owner
        self.floor.enter(call, owner=owner, priority=priority)

    def _give_up(self, call: str) -> None:
        del self.truth.waiting[call]
        self.truth.gone_away.append(call)
        self.floor.leave(call)

    def _ring(self, offers: list[OfferToRing]) -> None:
        for offer in offers:
            if self.truth.waiting.pop(offer.call_id, None) is not None:
                self.truth.ringing[offer.offer_id] = offer
                self._tell("ringing", offer)

    def _ring_on(self, offer: OfferToRing) -> None:
        if self._happens(0.5):
            del self.truth.ringing[offer.offer_id]
            self.truth.talking[offer.offer_id] = offer, self.floor.now.wall
            self.truth.joined.append(offer.call_id)
            self._tell("answered", offer)
            self._tell("joined", offer)
        elif self._happens(0.2):
            del self.truth.ringing[offer.offer_id]
            self._tell("gone", offer)
            self.floor.settle(
                offer.call_id, offer.offer_id, self._random.choice((OfferEnd.NO_ANSWER, OfferEnd.BUSY))
            )
            self._come(offer.call_id)

    def _hang_up(self, offer: OfferToRing, joined_at: float) -> None:
        del self.truth.talking[offer.offer_id]
        self._tell("gone", offer)
        self.floor.settle(offer.call_id, offer.offer_id, OfferEnd.SERVED, joined_at=joined_at)

    def _happens(self, chance: float) -> bool:
        return self._random.random() < chance

    # -- what is told of it --

    def _tell(self, kind: str, offer: OfferToRing) -> None:
        """Never, once or twice, and at some time."""
        event = self.floor.leg_event(kind, offer.offer_id)
        times = 0 if self._happens(LOST) else 2 if self._happens(TWICE) else 1
        for _ in range(times):
            self._wire.append((self.floor.now.wall + self._random.uniform(0.0, LATE_S), event))

    def _carry_news(self) -> None:
        arrived = [event for at, event in sorted(self._wire, key=lambda told: told[0]) if at <= self.floor.now.wall]
        self._wire = [told for told in self._wire if told[0] > self.floor.now.wall]
        for event in arrived:
            self.floor.do(lambda c, event=event: self.floor.store.agent_leg(c, self.floor.now, event))

    def _list_legs(self) -> None:
        ringing = [AgentLeg(each, f"agent-{each}", "", None) for each in self.truth.ringing]
        talking = [AgentLeg(each, f"agent-{each}", "", at) for each, (_, at) in self.truth.talking.items()]
        on_the_phone = [offer.call_id for offer in self.truth.ringing.values()]
        on_the_phone += [offer.call_id for offer, _ in self.truth.talking.values()]
        live = [f"leg-{call}" for call in (*self.truth.waiting, *on_the_phone)]
        self.floor.reconcile(ringing + talking, live)


@pytest.fixture(params=["sqlite", "postgresql"])
def floor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FloorKit]:
    kit = FloorKit(empty_database(request.param, tmp_path), PLAN)
    yield kit
    kit.close()


def test_lost_repeated_and_late_news_of_phones_break_no_law(floor: FloorKit) -> None:
    is_file = isinstance(floor.path, Path)
    for seed in range(SEEDS if is_file else SEEDS // 6):
        floor.clear()
        house = House(floor, seed)
        house.live()
        history = History(floor.ledger(), [row._asdict() for row in floor.offers().values()])
        assert check_history(history) >= CALLERS - len(house.truth.gone_away), seed
        because = {row.call_id: row.data["because"] for row in history.of("left_queue")}
        served = dict.fromkeys(house.truth.joined, "served")
        assert because == served | dict.fromkeys(house.truth.gone_away, "abandoned"), seed
        assert len(house.truth.joined) == len(served), seed
        assert {agent.activity for agent in floor.agents().values()} == {"idle"}, seed
