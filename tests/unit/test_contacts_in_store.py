"""Agents who can have several things at a time, in the store: no more of them than they have room for, never two
calls, and nobody waits beside somebody who has room.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy.exc import IntegrityError

from cordboard.acd.capacity import WHOLE, Contact, has_room
from cordboard.acd.model import Agent, FloorPlan, OfferEnd, Presence, Queue, RonaPolicy
from cordboard.store import acd_agents
from cordboard.store.tables import offers
from cordboard.store.turn import Turn
from cordboard.telephony.ports import DeviceState
from tests.doubles.databases import ENGINES, empty_database
from tests.doubles.floor_kit import FloorKit
from tests.doubles.fuzzing import examples
from tests.doubles.rising_ids import rising_ids

QUEUES = {
    "sales": Queue("sales", wrap_up_s=20.0),
    "hotline": Queue("hotline", units=2, wrap_up_s=0.0),
    "letters": Queue("letters", medium="chat", units=1, wrap_up_s=20.0, rona=RonaPolicy(pause_after=0)),
}
CAPACITIES = {"alice": 1, "bob": 3, "carol": 4}
PLAN = FloorPlan(
    QUEUES,
    {
        name: Agent(name, name, f"PJSIP/{name}", tuple(QUEUES), capacity=capacity)
        for name, capacity in CAPACITIES.items()
    },
)


@pytest.fixture(scope="module", params=ENGINES)
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FloorKit]:
    floor = FloorKit(empty_database(request.param, tmp_path_factory.mktemp("contacts")), PLAN)
    yield floor
    floor.close()


@pytest.fixture
def floor(kept: FloorKit) -> FloorKit:
    kept.clear()
    return kept


def talk(floor: FloorKit, call: str, queue: str) -> str:
    """Somebody comes and talks with whoever is offered; the offer's id."""
    offer = floor.enter(call, queue).offer
    assert offer is not None
    floor.leg("joined", offer.offer_id)
    return offer.offer_id


def activity(floor: FloorKit, agent: str) -> str:
    return str(floor.agents()[agent].activity)


def test_several_chats_at_a_time_and_no_call_beside_them(floor: FloorKit) -> None:
    floor.presence("bob")
    for number in range(3):
        talk(floor, f"c{number}", "letters")
    assert floor.enter("c3", "letters").offer is None
    assert floor.enter("v1", "sales").offer is None
    assert activity(floor, "bob") == "talking"
    assert [row.agent for row in floor.offers().values() if row.state == "talking"] == ["bob"] * 3


def test_a_call_that_fills_an_agent_keeps_chats_away(floor: FloorKit) -> None:
    floor.presence("carol")
    call = talk(floor, "v1", "sales")
    assert floor.enter("c1", "letters").offer is None
    floor.leg("gone", call)
    assert activity(floor, "carol") == "wrap_up"
    assert not floor.take("w1", "c1"), "nothing comes in the wrap-up"
    floor.pass_time(21.0)
    floor.renew("w1")
    floor.sweep()
    assert [offer.agent for offer in floor.take("w1", "c1")] == ["carol"]


def test_a_call_with_units_of_its_own_goes_beside_chats_as_far_as_they_reach(floor: FloorKit) -> None:
    floor.presence("carol")
    talk(floor, "c1", "letters")
    talk(floor, "v1", "hotline")
    assert floor.enter("v2", "hotline").offer is None, "not two calls, whatever the units"
    floor.device("PJSIP/carol", DeviceState.IN_USE)
    talk(floor, "c2", "letters")
    assert floor.enter("c3", "letters").offer is None


def test_the_next_one_comes_when_the_last_one_has_been_accepted(floor: FloorKit) -> None:
    floor.presence("bob")
    first = floor.enter("c1", "letters").offer
    assert first is not None and floor.enter("c2", "letters").offer is None, "one offer at a time"
    floor.leg("joined", first.offer_id)
    assert [offer.call_id for offer in floor.take("w1", "c2")] == ["c2"]
    assert activity(floor, "bob") == "ringing"


def test_only_the_last_of_several_is_followed_by_a_wrap_up(floor: FloorKit) -> None:
    floor.presence("bob")
    first, second, third = (talk(floor, f"c{number}", "letters") for number in range(3))
    floor.leg("gone", second)
    assert (activity(floor, "bob"), floor.agents()["bob"].offer_id) == ("talking", third)
    floor.leg("gone", third)
    assert (activity(floor, "bob"), floor.agents()["bob"].offer_id) == ("talking", first)
    floor.leg("gone", first)
    assert activity(floor, "bob") == "wrap_up"
    floor.pass_time(21.0)
    floor.sweep()
    assert activity(floor, "bob") == "idle"
    assert [row.offer_id for row in floor.ledger("wrap_up_ended")] == [first]


def test_who_does_not_take_one_goes_back_to_the_others_and_rests(floor: FloorKit) -> None:
    floor.presence("bob")
    first = talk(floor, "c1", "letters")
    missed = floor.enter("c2", "letters").offer
    assert missed is not None
    floor.settle("c2", missed.offer_id, OfferEnd.NO_ANSWER)
    bob = floor.agents()["bob"]
    assert (bob.activity, bob.offer_id) == ("talking", first)
    assert bob.blocked_until == floor.now.boot + QUEUES["letters"].rona.retry_after_s
    floor.pass_time(6.0)
    floor.renew("w1")
    floor.sweep()
    assert [offer.call_id for offer in floor.take("w1", "c2")] == ["c2"]


def test_a_list_of_a_switches_legs_says_nothing_of_chats(floor: FloorKit) -> None:
    floor.presence("bob")
    talk(floor, "c1", "letters")
    floor.enter("c2", "letters")
    floor.pass_time(120.0)
    floor.renew("w1")
    floor.reconcile()
    assert {row.state for row in floor.offers().values()} == {"talking", "ringing"}
    assert {row.state for row in floor.entries()} == {"talking", "offered"}


def test_what_an_agent_has_no_room_for_is_given_to_nobody_whoever_proposes_it(floor: FloorKit) -> None:
    def claim(contact: Contact) -> bool:
        return floor.do(lambda c: acd_agents.claim(Turn(c, floor.now, PLAN), "bob", "another", contact))

    floor.presence("bob")
    for number in range(2):
        talk(floor, f"c{number}", "letters")
    assert not claim(Contact("chat", 2)) and not claim(Contact("voice", WHOLE))
    assert claim(Contact("chat", 1))


def test_the_database_refuses_a_second_call(floor: FloorKit) -> None:
    floor.presence("bob")
    call = talk(floor, "v1", "hotline")
    row = dict(floor.offers()[call]._mapping) | {"offer_id": "again", "entry_id": "other"}
    assert row["slot"] == "voice"
    with pytest.raises(IntegrityError):
        floor.do(lambda c: c.execute(offers.insert().values(row)))


CALLS = tuple(f"c{number}" for number in range(8))
calls, agents = st.sampled_from(CALLS), st.sampled_from(tuple(CAPACITIES))
QUEUE_OF = {call: tuple(QUEUES)[number % 3] if number < 6 else "letters" for number, call in enumerate(CALLS)}


class ContactLaws(RuleBasedStateMachine):
    """Whatever comes, is accepted, refused and ends, in any order."""

    floor: FloorKit

    @initialize()
    def begin(self) -> None:
        self.floor.clear()
        for agent in CAPACITIES:
            self.floor.presence(agent)

    @rule(some=st.lists(calls, min_size=1, max_size=4))
    def enter(self, some: list[str]) -> None:
        for call in some:
            self.floor.enter(call, QUEUE_OF[call])

    @rule(call=calls)
    def leave(self, call: str) -> None:
        self.floor.leave(call)

    @rule(number=st.integers(0, 20), kind=st.sampled_from(("joined", "joined", "joined", "answered", "gone")))
    def leg(self, number: int, kind: str) -> None:
        if (offer := self.offer(number)) is not None:
            self.floor.leg(kind, offer.offer_id)

    @rule(number=st.integers(0, 20), end=st.sampled_from((OfferEnd.NO_ANSWER, OfferEnd.FAILED, OfferEnd.SERVED)))
    def settle(self, number: int, end: OfferEnd) -> None:
        if (offer := self.offer(number)) is not None:
            self.floor.settle(offer.call_id, offer.offer_id, end)

    @rule(agent=agents, presence=st.sampled_from((Presence.AVAILABLE, Presence.AVAILABLE, Presence.PAUSED)))
    def choose(self, agent: str, presence: Presence) -> None:
        self.floor.presence(agent, presence)

    @rule(agent=agents, state=st.sampled_from((DeviceState.IDLE, DeviceState.IN_USE)))
    def device(self, agent: str, state: DeviceState) -> None:
        self.floor.device(f"PJSIP/{agent}", state)

    @rule(seconds=st.sampled_from((0.1, 0.7, 6.0, 21.0)))
    def pass_time(self, seconds: float) -> None:
        self.floor.pass_time(seconds)
        self.floor.renew("w1")
        self.floor.sweep()
        self.floor.take("w1", *CALLS)
        self.nobody_waits_beside_room()

    def offer(self, number: int) -> Any:
        made = [row for row in self.floor.offers().values() if row.state != "ended"]
        return made[number % len(made)] if made else None

    @invariant()
    def nobody_has_more_than_there_is_room_for(self) -> None:
        for agent, held in self.held().items():
            assert sum(one.units for one in held) <= CAPACITIES[agent]
            assert sum(one.medium == "voice" for one in held) <= 1
            assert len(held) <= 1 or all(one.units != WHOLE for one in held)

    @invariant()
    def an_agent_has_one_offer_at_a_time_and_does_what_is_the_latest(self) -> None:
        for agent, row in self.floor.agents().items():
            own = [one for one in self.floor.offers().values() if one.agent == agent and one.state != "ended"]
            unsettled = [one.offer_id for one in own if one.state != "talking"]
            assert len(unsettled) <= 1
            assert (row.activity in ("offered", "ringing")) == bool(unsettled)
            assert not unsettled or unsettled == [row.offer_id]
            assert (row.activity in ("idle", "wrap_up")) == (not own)
            assert row.activity == "idle" or row.offer_id is not None

    def held(self) -> dict[str, list[Contact]]:
        found: dict[str, list[Contact]] = {agent: [] for agent in CAPACITIES}
        for row in self.floor.offers().values():
            if row.state != "ended":
                found[row.agent].append(QUEUES[row.queue].contact)
        return found

    def nobody_waits_beside_room(self) -> None:
        held, now = self.held(), self.floor.now.boot
        phones = {view.name: view.device for view in self.floor.snapshot().agents}
        ready = [
            name
            for name, row in self.floor.agents().items()
            if row.presence == "available" and row.activity in ("idle", "talking") and row.blocked_until <= now
        ]
        for entry in self.floor.entries():
            wanted = QUEUES[entry.queue].contact
            if entry.state == "waiting" and entry.lease_until > now:
                can = [
                    name
                    for name in ready
                    if has_room(CAPACITIES[name], held[name], wanted)
                    and (wanted.medium == "chat" or phones[name] is not DeviceState.IN_USE)
                ]
                assert not can, (entry.queue, can)


def test_the_laws_hold_whatever_happens(kept: FloorKit) -> None:
    class Laws(ContactLaws):
        floor = kept

    share = 1 / 600 if kept.engine.dialect.name == "sqlite" else 1 / 1200
    with rising_ids(kept.now.wall):
        run_state_machine_as_test(Laws, settings=settings(examples(share), stateful_step_count=30))
