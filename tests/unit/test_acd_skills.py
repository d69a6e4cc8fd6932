"""Skills in the store: who is offered what, relaxation at its second, limits, counts and what queues remember."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cordboard.acd.compat_rules import CompatRules
from cordboard.acd.model import Agent, FloorPlan, Membership, Moment, Needs, OfferEnd, Presence, Queue, RelaxStep
from cordboard.store.acd_reads import why
from cordboard.store.address import Address
from cordboard.telephony.ports import DeviceState
from tests.doubles.floor_kit import START, FloorKit

SKILLS = {"alice": {"spanish": 4}, "bob": {"spanish": 1}, "carol": {}}
PLAN = FloorPlan(
    queues={
        "sales": Queue("sales", wrap_up_s=0.0),
        "two": Queue("two", wrap_up_s=0.0, at_most=2),
        "round": Queue("round", wrap_up_s=0.0, strategy="round_robin"),
        "aged": Queue("aged", wrap_up_s=0.0, ageing_s=60.0),
        "spanish": Queue("spanish", wrap_up_s=0.0, needs=Needs((("spanish", 3),))),
    },
    agents={
        name: Agent(
            name,
            name.title(),
            f"PJSIP/{1001 + place}",
            ("sales", "two", "round", "aged", "spanish"),
            skills=skills,
            memberships={"round": Membership(place=place)},
        )
        for place, (name, skills) in enumerate(SKILLS.items())
    },
)
SPANISH = Needs((("spanish", 3),), relax=(RelaxStep(30.0, lower=(("spanish", 1),)), RelaxStep(60.0, ("spanish",))))


@pytest.fixture
def floor(database: Address) -> Iterator[FloorKit]:
    kit = FloorKit(database, PLAN)
    yield kit
    kit.close()


def offered(floor: FloorKit) -> list[tuple[str, str]]:
    """Open offers: the call and the agent."""
    return [(row.call_id, row.agent) for row in floor.offers().values() if row.state != "ended"]


def wait(floor: FloorKit, seconds: float) -> None:
    """Time passes, and the worker lives."""
    floor.pass_time(seconds)
    floor.renew("w1")


def talk(floor: FloorKit, call_id: str, talk_s: float = 10.0) -> None:
    """The offer of a call is taken; they talk for so long."""
    offer_id = next(row.offer_id for row in floor.offers().values() if row.call_id == call_id)
    for kind in ("ringing", "answered", "joined"):
        floor.leg(kind, offer_id)
    wait(floor, talk_s)
    floor.leg("gone", offer_id)


def present(floor: FloorKit, call_id: str) -> str:
    """What `queue why` says of a call that waits."""
    return floor.do(lambda c: why(c, call_id, now=floor.now, plan=floor.store.plan))[-1].text


# skills


def test_a_call_waits_for_who_has_the_skill_and_the_others_serve_others(floor: FloorKit) -> None:
    floor.presence("bob")
    floor.enter("c1", needs=SPANISH)
    floor.enter("c2")
    assert offered(floor) == [("c2", "bob")]
    floor.presence("alice")
    assert ("c1", "alice") in offered(floor)


def test_a_step_fires_at_its_second_and_once(floor: FloorKit) -> None:
    floor.presence("bob")
    assert floor.enter("c1", needs=SPANISH).changes.next_due_in_s == pytest.approx(30.0)
    wait(floor, 29.9)
    assert floor.sweep().next_due_in_s == pytest.approx(0.1)
    assert offered(floor) == []
    wait(floor, 0.1)
    assert floor.sweep().owners == {"w1"}
    assert offered(floor) == [("c1", "bob")]
    floor.sweep()
    assert [row.data["asks"] for row in floor.ledger("needs_relaxed")] == ["spanish 1"]
    (made,) = floor.ledger("offer_made")
    assert "bob has spanish 1, asked for 1 until 60 s" in made.data["reason"]
    assert "relaxed after 30 s: asked for spanish 3 before" in made.data["reason"]


@pytest.mark.parametrize("boot", [1000.0, 86_400.3, 8_640_000.7])
@pytest.mark.parametrize("after_s", [0.3, 7.3, 33.3, 1234.567])
def test_a_step_is_done_at_its_second_whatever_clocks_round_away(
    floor: FloorKit, boot: float, after_s: float
) -> None:
    floor.now = Moment(START + 0.7, boot)
    needs = Needs((("spanish", 9),), relax=(RelaxStep(after_s, lower=(("spanish", 8),)),))
    for place in range(10):
        floor.now = Moment(floor.now.wall + 0.013, floor.now.boot + 0.013)
        floor.enter(f"c{place}", needs=needs)
    for entry in floor.entries():
        late_s = entry.asks_until - floor.now.boot
        floor.now = Moment(floor.now.wall + late_s, entry.asks_until)
        due = floor.sweep().next_due_in_s
        assert due is None or due > 0.0, "else it is done again"
    told = floor.ledger("needs_relaxed")
    assert len(told) == len({row.entry_id for row in told}) == 10


def test_a_step_that_asks_for_nothing_else_is_not_told(floor: FloorKit) -> None:
    needs = Needs((("spanish", 1),), (("billing", 2),), (RelaxStep(5.0, lower=(("billing", 1),)),))
    floor.enter("c1", needs=needs)
    wait(floor, 5.0)
    floor.sweep()
    assert floor.ledger("needs_relaxed") == []


def test_whatever_frees_an_agent_finds_the_step_done(floor: FloorKit) -> None:
    """Not only the look at what is due."""
    floor.enter("c1", needs=SPANISH)
    wait(floor, 61.0)
    floor.presence("carol")
    assert offered(floor) == [("c1", "carol")]
    assert [row.data["asks"] for row in floor.ledger("needs_relaxed")] == ["nothing"]


def test_a_place_keeps_its_needs_when_its_call_comes_back(floor: FloorKit) -> None:
    entered = floor.enter("c1", needs=SPANISH)
    floor.presence("bob")
    assert floor.enter("c1", owner="w2").entry_id == entered.entry_id
    assert offered(floor) == []


def test_steps_go_on_while_a_phone_rings(floor: FloorKit) -> None:
    floor.presence("alice")
    entered = floor.enter("c1", needs=SPANISH)
    wait(floor, 31.0)
    floor.sweep()
    assert entered.offer is not None
    floor.settle("c1", entered.offer.offer_id, OfferEnd.NO_ANSWER)
    floor.presence("bob")
    assert offered(floor) == [("c1", "bob")]


def test_what_a_queue_asks_for_holds_where_the_flow_says_nothing_else(floor: FloorKit) -> None:
    floor.presence("bob")
    floor.enter("c1", "spanish")
    assert offered(floor) == []
    floor.enter("c2", "spanish", needs=Needs((("spanish", 0),)))
    assert offered(floor) == [("c2", "bob")]


# the agent tried first


def test_a_call_is_kept_for_its_agent_until_the_time_is_over(floor: FloorKit) -> None:
    for agent in ("alice", "bob"):
        floor.presence(agent)
    floor.enter("c0", needs=SPANISH)
    talking = next(row.offer_id for row in floor.offers().values())
    floor.leg("joined", talking)
    floor.enter("c1", needs=Needs(agent="alice", agent_s=20.0))
    assert offered(floor) == [("c0", "alice")]
    assert "it is kept for alice (talking) until 20 s" in present(floor, "c1")
    wait(floor, 20.0)
    floor.sweep()
    assert ("c1", "bob") in offered(floor)


@pytest.mark.parametrize("gone", ["paused", "logged_out", "phone", "configuration"])
def test_who_goes_away_is_waited_for_no_more(floor: FloorKit, gone: str) -> None:
    """Others have the call at once, and not when somebody looks."""
    for agent in ("alice", "bob"):
        floor.presence(agent)
    floor.device("PJSIP/1001", DeviceState.IN_USE)
    floor.enter("c1", needs=Needs(agent="alice", agent_s=300.0))
    assert offered(floor) == []
    if gone == "phone":
        floor.device("PJSIP/1001", DeviceState.UNAVAILABLE)
    elif gone == "configuration":
        floor.store.plan = replace(PLAN, agents={"bob": PLAN.agents["bob"]})
        floor.do(lambda c: floor.store.log_out_unknown(c, floor.now))
    else:
        floor.presence("alice", Presence(gone))
    assert offered(floor) == [("c1", "bob")]


def test_last_is_whoever_talked_with_the_number_last(floor: FloorKit) -> None:
    for call_id in ("c1", "c2"):
        floor.note_caller(call_id, "+442079460123")
    floor.presence("bob")
    floor.enter("c1")
    talk(floor, "c1")
    floor.presence("carol")
    floor.device("PJSIP/1002", DeviceState.IN_USE)
    floor.enter("c2", needs=Needs(agent="last", agent_s=20.0))
    floor.enter("c3", needs=Needs(agent="last", agent_s=20.0))
    assert offered(floor) == [("c3", "carol")], "nobody has talked with c3"
    floor.device("PJSIP/1002", DeviceState.IDLE)
    assert ("c2", "bob") in offered(floor)


# limits, order, memory


def test_no_more_talks_than_the_queue_may_have(floor: FloorKit) -> None:
    for agent in PLAN.agents:
        floor.presence(agent)
    for number in range(3):
        floor.enter(f"c{number}", "two")
    assert len(offered(floor)) == 2
    assert "two has 2 calls with an agent, and may have 2" in present(floor, "c2")
    talk(floor, "c0")
    assert "c2" in dict(offered(floor))


def test_where_callers_are_served_one_after_the_other_the_next_is_offered_when_the_first_talks(
    floor: FloorKit,
) -> None:
    one = Queue("two", strategy="compat:linear", compat=CompatRules(autofill=False), wrap_up_s=0.0)
    floor.store.plan = replace(PLAN, queues={"two": one})
    for agent in PLAN.agents:
        floor.presence(agent)
    first = floor.enter("c0", "two").offer
    floor.enter("c1", "two")
    assert first is not None
    assert offered(floor) == [("c0", "alice")]
    floor.leg("joined", first.offer_id)
    assert ("c1", "bob") in offered(floor), "at once, and not when somebody looks"


def test_with_ageing_an_old_call_passes_one_with_more_priority(floor: FloorKit) -> None:
    floor.enter("old", "aged")
    wait(floor, 61.0)
    floor.enter("gold", "aged", priority=1)
    assert floor.do(lambda c: [floor.store.position(c, call) for call in ("old", "gold")]) == [1, 2]
    floor.presence("alice")
    assert offered(floor) == [("old", "alice")]


def test_a_queue_remembers_whose_turn_it_was(floor: FloorKit) -> None:
    for agent in PLAN.agents:
        floor.presence(agent)
    taken = []
    for number in range(4):
        floor.enter(f"c{number}", "round")
        taken += [agent for call, agent in offered(floor) if call == f"c{number}"]
        talk(floor, f"c{number}")
    assert taken == ["alice", "bob", "carol", "alice"]


# counts


def test_calls_and_talks_are_counted_until_midnight(floor: FloorKit) -> None:
    floor.presence("alice")
    for call in ("c1", "c2"):
        floor.enter(call)
        talk(floor, call, 100.0)
    row = floor.agents()["alice"]
    assert (row.calls_today, row.talk_s_today) == (2, pytest.approx(200.0))
    assert row.last_call_ended_at == floor.now.wall
    wait(floor, 86_400.0)
    floor.enter("c3")
    talk(floor, "c3", 7.0)
    row = floor.agents()["alice"]
    assert (row.calls_today, row.talk_s_today) == (1, pytest.approx(7.0))


def test_fewest_calls_goes_by_todays_counts(floor: FloorKit) -> None:
    queues = {"sales": replace(PLAN.queues["sales"], strategy="fewest_calls")}
    floor.store.plan = replace(PLAN, queues=queues)
    floor.presence("alice")
    floor.enter("c1")
    talk(floor, "c1", 0.0)
    wait(floor, 1.0)
    floor.presence("bob")
    floor.enter("c2")
    assert offered(floor) == [("c2", "bob")]
    assert "bob has had the fewest calls today (0)" in floor.ledger("offer_made")[-1].data["reason"]


def test_yesterdays_calls_are_not_counted_for_the_fewest(floor: FloorKit) -> None:
    queues = {"sales": replace(PLAN.queues["sales"], strategy="fewest_calls")}
    floor.store.plan = replace(PLAN, queues=queues)
    floor.presence("alice")
    floor.enter("c1")
    talk(floor, "c1")
    wait(floor, 24 * 3600.0)
    floor.presence("bob")
    floor.enter("c2")
    assert offered(floor) == [("c2", "alice")], "neither has had any today, and alice is free longer"


# why


def test_why_tells_who_could_take_a_waiting_call(floor: FloorKit) -> None:
    floor.presence("bob")
    floor.enter("c1", needs=SPANISH)
    said = present(floor, "c1")
    assert "it asks for spanish 3, from 30 s on for spanish 1" in said
    assert "1 of its 3 agents can take it: alice logged out" in said
    floor.enter("c2", needs=Needs((("spanish", 9),)))
    assert "none of its 3 agents has that" in present(floor, "c2")
    entered = floor.ledger("entered_queue")[0]
    assert (entered.at, entered.data["asks"]) == (START, "spanish 3")
