"""A caller for whom several agents are rung at once, in the store: one of them gets the call, in whatever order
it is told, and the others are free again and have missed nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError

from cordboard.acd.model import Agent, FloorPlan, LeftBecause, OfferEnd, OfferResult, Presence, Queue, RonaPolicy
from cordboard.store.acd_values import OfferToRing
from cordboard.store.tables import offers
from cordboard.telephony.ports import AgentLeg, AgentLegEvent, DeviceState
from tests.doubles.floor_kit import FloorKit

AGENTS = ("alice", "bob", "carol")
PLAN = FloorPlan(
    {
        "sales": Queue(
            "sales", strategy="ring_all", wrap_up_s=0.0, rona=RonaPolicy(pause_after=2, retry_after_s=5.0)
        )
    },
    {name: Agent(name, name, f"PJSIP/{name}", ("sales",)) for name in AGENTS},
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FloorKit]:
    floor = FloorKit(tmp_path_factory.mktemp("ring_all") / "cordboard.db", PLAN)
    yield floor
    floor.close()


@pytest.fixture
def floor(kept: FloorKit) -> FloorKit:
    kept.clear()
    for agent in AGENTS:
        kept.presence(agent)
    return kept


def rung(floor: FloorKit, call: str = "c1") -> dict[str, OfferToRing]:
    """A caller comes and all are rung; the offers by agent."""
    offer = floor.enter(call).offer
    assert offer is not None
    return {one.agent: one for one in (offer, *offer.also)}


def refused(floor: FloorKit, offer: OfferToRing, result: str) -> None:
    event = AgentLegEvent("refused", offer.offer_id, "", "", floor.now.wall, result=result)
    floor.do(lambda c: floor.store.agent_leg(c, floor.now, event))


def ends(floor: FloorKit) -> dict[str, str | None]:
    return {row.agent: row.end for row in floor.offers().values()}


def activities(floor: FloorKit) -> dict[str, str]:
    return {name: row.activity for name, row in floor.agents().items()}


def test_everybody_who_is_free_is_rung_and_the_reason_says_so(floor: FloorKit) -> None:
    floor.presence("carol", Presence.PAUSED)
    offer = floor.enter("c1").offer
    assert offer is not None
    assert {one.device for one in (offer, *offer.also)} == {"PJSIP/alice", "PJSIP/bob"}
    assert activities(floor) == {"alice": "ringing", "bob": "ringing", "carol": "idle"}
    assert {row.reason for row in floor.offers().values()} == {
        "all of 2 free agents of sales are rung: alice, bob; the caller was the only one waiting (for 0 s)"
    }


def test_who_is_joined_has_the_call_and_the_others_are_free_and_have_missed_nothing(floor: FloorKit) -> None:
    offers = rung(floor)
    floor.pass_time(4.0)
    for kind in ("ringing", "answered", "joined"):
        floor.leg(kind, offers["bob"].offer_id)
    assert ends(floor) == {"alice": "taken", "bob": None, "carol": "taken"}
    assert activities(floor) == {"alice": "idle", "bob": "talking", "carol": "idle"}
    assert {row.rona_in_a_row for row in floor.agents().values()} == {0}
    assert {row.blocked_until for row in floor.agents().values()} == {0.0}
    assert floor.told().count("joined") == floor.told().count("left_queue") == 1


def test_the_others_get_the_next_caller_at_once(floor: FloorKit) -> None:
    offers = rung(floor)
    assert floor.enter("c2").offer is None
    floor.leg("joined", offers["bob"].offer_id)
    (offer,) = floor.take("w1", "c2")
    assert {offer.agent, *(one.agent for one in offer.also)} == {"alice", "carol"}


def test_what_the_dialplan_says_in_the_end_changes_nothing_that_was_known(floor: FloorKit) -> None:
    offers = rung(floor)
    refused(floor, offers["alice"], "rejected")
    floor.leg("joined", offers["bob"].offer_id)
    floor.leg("gone", offers["bob"].offer_id)
    before = (ends(floor), floor.told())
    of = {
        "bob": OfferResult(offers["bob"].offer_id, OfferEnd.SERVED, floor.now.wall, floor.now.wall),
        "alice": OfferResult(offers["alice"].offer_id, OfferEnd.REJECTED, None, floor.now.wall),
        "carol": OfferResult(offers["carol"].offer_id, OfferEnd.TAKEN, None, floor.now.wall),
    }
    floor.do(lambda c: floor.store.settle(c, floor.now, "c1", of["bob"], True, (of["alice"], of["carol"])))
    assert (ends(floor), floor.told()) == before
    assert before[0] == {"alice": "rejected", "bob": "served", "carol": "taken"}


def test_of_two_who_were_joined_the_first_told_has_the_call(floor: FloorKit) -> None:
    offers = rung(floor)
    for name in ("bob", "alice"):
        floor.leg("answered", offers[name].offer_id)
    floor.leg("joined", offers["bob"].offer_id)
    floor.leg("joined", offers["alice"].offer_id)
    assert activities(floor) == {"alice": "idle", "bob": "talking", "carol": "idle"}
    assert floor.told().count("joined") == 1


def test_two_joined_legs_in_one_list_are_one_talk(floor: FloorKit) -> None:
    offers = rung(floor)
    at = floor.now.wall
    legs = [AgentLeg(offers[name].offer_id, f"agent-{name}", "leg-c1", at) for name in ("alice", "bob")]
    floor.pass_time(5.0)
    floor.reconcile(legs, ["leg-c1"])
    assert Counter(ends(floor).values()) == {None: 1, "taken": 2}
    assert Counter(row.state for row in floor.offers().values()) == {"talking": 1, "ended": 2}
    assert sorted(activities(floor).values()) == ["idle", "idle", "talking"]


def test_a_refusal_frees_that_agent_and_the_caller_is_still_offered_to_the_others(floor: FloorKit) -> None:
    offers = rung(floor)
    refused(floor, offers["alice"], "rejected")
    assert activities(floor)["alice"] == "idle"
    assert floor.agents()["alice"].rona_in_a_row == 1
    (entry,) = floor.entries()
    assert entry.state == "offered"
    refused(floor, offers["bob"], "busy")
    refused(floor, offers["carol"], "no_key")
    (entry,) = floor.entries()
    assert entry.state == "waiting", "the last one gives the caller back"
    floor.pass_time(6.0)
    floor.renew("w1")
    floor.sweep()
    (offer,) = floor.take("w1", "c1")
    assert len(offer.also) == 2


def test_nobody_picks_up(floor: FloorKit) -> None:
    offers = list(rung(floor).values())
    results = [OfferResult(one.offer_id, OfferEnd.NO_ANSWER, None, floor.now.wall) for one in offers]
    floor.do(lambda c: floor.store.settle(c, floor.now, "c1", results[0], True, results[1:]))
    assert set(ends(floor).values()) == {"no_answer"}
    assert {row.rona_in_a_row for row in floor.agents().values()} == {1}
    assert [entry.state for entry in floor.entries()] == ["waiting"]


@pytest.mark.parametrize(("because", "end"), [("abandoned", "caller_left"), ("max_wait", "withdrawn")])
def test_when_the_caller_leaves_all_offers_end(floor: FloorKit, because: str, end: str) -> None:
    rung(floor)
    floor.leave("c1", LeftBecause(because))
    assert set(ends(floor).values()) == {end}
    assert set(activities(floor).values()) == {"idle"}


def test_offers_nobody_rings_are_all_taken_back(floor: FloorKit) -> None:
    floor.presence("alice", Presence.PAUSED)
    floor.enter("c0")  # has bob and carol, and keeps them busy
    floor.enter("c1", owner="w2")
    floor.presence("alice")
    floor.pass_time(0.6)
    floor.sweep()
    assert ends(floor)["alice"] == "withdrawn"
    assert [entry.state for entry in floor.entries() if entry.call_id == "c1"] == ["waiting"]


def test_a_phone_in_use_is_left_out(floor: FloorKit) -> None:
    floor.device("PJSIP/bob", DeviceState.IN_USE)
    assert set(rung(floor)) == {"alice", "carol"}


def test_the_database_refuses_a_second_offer_of_a_caller_to_an_agent(floor: FloorKit) -> None:
    first = next(iter(rung(floor).values()))
    row = dict(floor.offers()[first.offer_id]._mapping) | {"offer_id": "again"}
    with pytest.raises(IntegrityError):
        floor.do(lambda c: c.execute(offers.insert().values(row)))


calls = st.sampled_from(("c1", "c2", "c3"))
agents = st.sampled_from(AGENTS)


class RingAllLaws(RuleBasedStateMachine):
    """Facts about callers and agents in any order, some of them twice."""

    floor: FloorKit

    @initialize()
    def begin(self) -> None:
        self.floor.clear()
        for agent in AGENTS:
            self.floor.presence(agent)

    @rule(call=calls)
    def enter(self, call: str) -> None:
        self.floor.enter(call)

    @rule(some=st.sets(calls))
    def take(self, some: set[str]) -> None:
        self.floor.take("w1", *some)

    @rule(call=calls, because=st.sampled_from((LeftBecause.ABANDONED, LeftBecause.MAX_WAIT)))
    def leave(self, call: str, because: LeftBecause) -> None:
        self.floor.leave(call, because)

    @rule(number=st.integers(0, 20), kind=st.sampled_from(("ringing", "answered", "joined", "joined", "gone")))
    def leg(self, number: int, kind: str) -> None:
        if (offer := self.offer(number)) is not None:
            self.floor.leg(kind, offer.offer_id)

    @rule(number=st.integers(0, 20), result=st.sampled_from(("busy", "no_key", "rejected", "withdrawn")))
    def refuse(self, number: int, result: str) -> None:
        if (offer := self.offer(number)) is not None:
            event = AgentLegEvent("refused", offer.offer_id, "", "", self.floor.now.wall, result=result)
            self.floor.do(lambda c: self.floor.store.agent_leg(c, self.floor.now, event))

    @rule(number=st.integers(0, 20), end=st.sampled_from((OfferEnd.NO_ANSWER, OfferEnd.SERVED, OfferEnd.TAKEN)))
    def settle(self, number: int, end: OfferEnd) -> None:
        if (offer := self.offer(number)) is None:
            return
        now = self.floor.now
        result = OfferResult(offer.offer_id, end, now.wall if end is OfferEnd.SERVED else None, now.wall)
        others = [
            replace(result, offer_id=other.offer_id, end=OfferEnd.TAKEN, joined_at=None)
            for other in self.floor.offers().values()
            if other.entry_id == offer.entry_id and other.offer_id != offer.offer_id
        ]
        self.floor.do(lambda c: self.floor.store.settle(c, now, offer.call_id, result, True, others))

    @rule(agent=agents, presence=st.sampled_from((Presence.AVAILABLE, Presence.PAUSED)))
    def choose(self, agent: str, presence: Presence) -> None:
        self.floor.presence(agent, presence)

    @rule(seconds=st.sampled_from((0.1, 0.7, 6.0)))
    def pass_time(self, seconds: float) -> None:
        self.floor.pass_time(seconds)
        self.floor.renew("w1")
        self.floor.sweep()

    def offer(self, number: int) -> Row[object] | None:
        made = list(self.floor.offers().values())
        return made[number % len(made)] if made else None

    @invariant()
    def no_agent_holds_two_offers_and_no_call_has_two_agents(self) -> None:
        live = [row for row in self.floor.offers().values() if row.state != "ended"]
        assert max(Counter(row.agent for row in live).values(), default=0) <= 1
        talking = [row.entry_id for row in live if row.state == "talking"]
        assert len(talking) == len(set(talking))
        assert not [row for row in live if row.entry_id in talking and row.state != "talking"]

    @invariant()
    def a_caller_is_offered_as_long_as_somebody_is_rung(self) -> None:
        open_of = Counter(row.entry_id for row in self.floor.offers().values() if row.state != "ended")
        for entry in self.floor.entries():
            if entry.state == "offered":
                assert open_of[entry.entry_id] > 0
            if entry.state == "waiting":
                assert open_of[entry.entry_id] == 0

    @invariant()
    def an_agent_is_busy_exactly_with_an_open_offer(self) -> None:
        live = {row.agent for row in self.floor.offers().values() if row.state != "ended"}
        assert live == {name for name, row in self.floor.agents().items() if row.activity != "idle"}

    @invariant()
    def every_stay_is_served_once_at_most(self) -> None:
        served = Counter(row.entry_id for row in self.floor.ledger("joined"))
        assert max(served.values(), default=0) <= 1


def test_the_laws_hold_whatever_is_told(kept: FloorKit) -> None:
    class Laws(RingAllLaws):
        floor = kept

    run_state_machine_as_test(
        Laws, settings=settings(max_examples=40, stateful_step_count=25, deadline=None, database=None)
    )
