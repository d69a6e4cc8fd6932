"""Random days of callers who come, step out, come back, go on and leave: places are kept, exits are told once."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from cordboard.acd.model import FloorPlan, LeftBecause, OfferEnd, Presence
from cordboard.acd.waiting_rules import OverflowStep
from cordboard.store.acd_values import Entering
from cordboard.store.address import Address
from tests.doubles.floor_kit import PLAN, FloorKit

CALLS = tuple("abcdefgh")
AGENTS = ("alice", "bob")
STEPS = 150
OVERFLOWING = FloorPlan(
    {**PLAN.queues, "sales": replace(PLAN.queues["sales"], overflow=(OverflowStep(wait_s=60, to="support"),))},
    PLAN.agents,
)


class Day:
    """One random day. came: by call, when it came to the queue it is in; for as long as it has a place."""

    def __init__(self, floor: FloorKit, seed: int) -> None:
        self.floor = floor
        self.random = random.Random(seed)
        self.came: dict[str, float] = {}

    def step(self) -> None:
        call_id = self.random.choice(CALLS)
        deed = self.random.choice(
            (self.enter, self.enter, self.step_out, self.leave, self.review, self.settle, self.presence, self.wait)
        )
        deed(call_id)
        self.floor.renew("w1")
        self.check()

    def enter(self, call_id: str) -> None:
        now = self.floor.now
        entering = Entering(call_id, f"leg-{call_id}", "asterisk", "sales", "en", 0, now.wall, "w1")
        entered = self.floor.do(lambda c: self.floor.store.enter(c, now, entering))
        if entered.left is None:
            assert entered.entered_at == self.came.setdefault(call_id, now.wall), (
                "the place is kept, whatever happened"
            )
        else:
            self.came.pop(call_id, None)

    def step_out(self, call_id: str) -> None:
        until = self.floor.now.boot + 40
        self.floor.do(lambda c: self.floor.store.step_out(c, self.floor.now, call_id, until))

    def leave(self, call_id: str) -> None:
        self.floor.leave(call_id, LeftBecause.ABANDONED)

    def review(self, _call_id: str) -> None:
        self.floor.do(lambda c: self.floor.store.review(c, self.floor.now, "w1", CALLS))

    def settle(self, _call_id: str) -> None:
        for offer in self.floor.offers().values():
            if offer.end is None:
                end = self.random.choice((OfferEnd.NO_ANSWER, OfferEnd.SERVED))
                joined_at = self.floor.now.wall if end is OfferEnd.SERVED else None
                self.floor.settle(offer.call_id, offer.offer_id, end, joined_at=joined_at)
                self.floor.leg("gone", offer.offer_id)

    def presence(self, _call_id: str) -> None:
        self.floor.presence(self.random.choice(AGENTS), self.random.choice((Presence.AVAILABLE, Presence.PAUSED)))

    def wait(self, _call_id: str) -> None:
        self.floor.pass_time(self.random.choice((0.1, 5, 30)))
        self.floor.sweep()

    def check(self) -> None:
        entries = self.floor.entries()
        live = [entry for entry in entries if entry.state not in ("left", "talking")]
        for entry in live:
            assert entry.entered_at == self.came[entry.call_id], "nobody's time changes"
            assert (entry.state == "away") == (entry.held_until is not None)
        held = {entry.call_id for entry in live}
        self.came = {call_id: at for call_id, at in self.came.items() if call_id in held}
        open_offers = [
            offer for offer in self.floor.offers().values() if offer.end is None and offer.joined_at is None
        ]
        states = {entry.entry_id: entry.state for entry in entries}
        assert {states[offer.entry_id] for offer in open_offers} <= {"offered"}, "none is made to who is away"
        assert len(open_offers) == len({offer.agent for offer in open_offers})


@pytest.mark.parametrize("seed", range(4))
def test_nobody_loses_a_place_and_each_exit_is_told_once(database: Address, seed: int) -> None:
    floor = FloorKit(database, OVERFLOWING)
    day = Day(floor, seed)
    for _ in range(STEPS):
        day.step()
    told = Counter(row.entry_id for row in floor.ledger("left_queue"))
    came = Counter(row.entry_id for row in floor.ledger("entered_queue"))
    over = {entry.entry_id for entry in floor.entries() if entry.state in ("left", "talking")}
    assert set(told) == over and set(told.values()) <= {1}
    assert set(came) == {entry.entry_id for entry in floor.entries()} and set(came.values()) == {1}
    floor.close()
