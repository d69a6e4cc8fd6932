"""Who has not taken a call is not asked at once again while others may have it, and who is excluded never is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cordboard.acd.model import (
    Agent,
    FloorPlan,
    Membership,
    Needs,
    OfferEnd,
    Presence,
    Queue,
    RelaxStep,
    RonaPolicy,
)
from cordboard.store.acd_reads import why
from cordboard.store.address import Address
from cordboard.telephony.ports import DeviceState
from tests.doubles.floor_kit import FloorKit

AT_ONCE = RonaPolicy(pause_after=0, retry_after_s=0.0)
SALES = Queue("sales", wrap_up_s=0.0, rona=AT_ONCE, not_again_s=30.0, strategy="in_order")
PLAN = FloorPlan(
    queues={"sales": SALES},
    agents={
        name: Agent(
            name,
            name.title(),
            f"PJSIP/{name}",
            ("sales",),
            skills={"spanish": 4} if name == "alice" else {},
            memberships={"sales": Membership(place=place)},
        )
        for place, name in enumerate(("alice", "bob", "carol"))
    },
)


@pytest.fixture
def floor(database: Address) -> Iterator[FloorKit]:
    kit = FloorKit(database, PLAN)
    yield kit
    kit.close()


def offered(floor: FloorKit) -> dict[str, str]:
    """Open offers: who is rung for which call."""
    return {row.call_id: row.agent for row in floor.offers().values() if row.state != "ended"}


def refuse(floor: FloorKit, call_id: str, end: OfferEnd = OfferEnd.NO_ANSWER) -> None:
    """The phone that rings for the call is not picked up."""
    floor.take("w1", call_id)
    offer = next(row for row in floor.offers().values() if row.call_id == call_id and row.state != "ended")
    floor.pass_time(1.0)
    floor.renew("w1")
    floor.settle(call_id, offer.offer_id, end)


def wait(floor: FloorKit, seconds: float) -> None:
    floor.pass_time(seconds)
    floor.renew("w1")
    floor.sweep()


def present(floor: FloorKit, call_id: str) -> str:
    return floor.do(lambda c: why(c, call_id, now=floor.now, plan=floor.store.plan))[-1].text


def available(floor: FloorKit, *agents: str) -> None:
    for agent in agents:
        floor.presence(agent)


# who refused


@pytest.mark.parametrize("end", [OfferEnd.NO_ANSWER, OfferEnd.DECLINED, OfferEnd.BUSY])
def test_the_next_one_is_asked_and_not_the_same_again(floor: FloorKit, end: OfferEnd) -> None:
    available(floor, "alice", "bob")
    floor.enter("c1")
    refuse(floor, "c1", end)
    assert offered(floor) == {"c1": "bob"}
    assert "alice has not taken it before" in floor.ledger("offer_made")[-1].data["reason"]


def test_what_was_nobodys_doing_makes_no_difference(floor: FloorKit) -> None:
    available(floor, "alice", "bob")
    floor.enter("c1")
    refuse(floor, "c1", OfferEnd.WITHDRAWN)
    assert offered(floor) == {"c1": "alice"}


def test_a_queue_that_does_not_say_so_asks_the_same_again(floor: FloorKit) -> None:
    floor.store.plan = replace(PLAN, queues={"sales": replace(SALES, not_again_s=0.0)})
    available(floor, "alice", "bob")
    floor.enter("c1")
    refuse(floor, "c1")
    assert offered(floor) == {"c1": "alice"}


def test_who_is_busy_is_waited_for_until_the_time_is_over(floor: FloorKit) -> None:
    available(floor, "alice", "bob")
    floor.device("PJSIP/bob", DeviceState.IN_USE)
    floor.enter("c1")
    refuse(floor, "c1")
    assert offered(floor) == {}
    assert "alice has not taken it, and comes after others until 31 s" in present(floor, "c1")
    wait(floor, 29.9)
    assert offered(floor) == {}
    wait(floor, 0.1)
    assert offered(floor) == {"c1": "alice"}
    assert floor.ledger("needs_relaxed") == [], "nothing else is asked for"


@pytest.mark.parametrize("left", ["nobody else", "logs out", "loses the phone"])
def test_with_nobody_else_at_work_the_same_is_asked_again_at_once(floor: FloorKit, left: str) -> None:
    available(floor, "alice")
    if left != "nobody else":
        available(floor, "bob")
        floor.device("PJSIP/bob", DeviceState.IN_USE)
    floor.enter("c1")
    refuse(floor, "c1")
    if left == "logs out":
        floor.presence("bob", Presence.LOGGED_OUT)
    if left == "loses the phone":
        floor.device("PJSIP/bob", DeviceState.UNAVAILABLE)
    assert offered(floor) == {"c1": "alice"}


def test_others_who_lack_what_is_asked_for_are_nobody_else(floor: FloorKit) -> None:
    available(floor, "alice", "bob")
    floor.enter("c1", needs=Needs((("spanish", 3),)))
    refuse(floor, "c1")
    assert offered(floor) == {"c1": "alice"}


def test_once_all_have_refused_the_first_is_asked_again(floor: FloorKit) -> None:
    available(floor, "alice", "bob")
    floor.enter("c1")
    refuse(floor, "c1")
    refuse(floor, "c1")
    assert offered(floor) == {"c1": "alice"}


def test_another_caller_holds_nobody_up(floor: FloorKit) -> None:
    """The head of the line is not for who is free; the next one is."""
    available(floor, "alice", "bob")
    floor.device("PJSIP/bob", DeviceState.IN_USE)
    floor.enter("c1")
    floor.enter("c2")
    refuse(floor, "c1")
    assert offered(floor) == {"c2": "alice"}


def test_a_call_kept_for_who_refused_it_goes_to_others(floor: FloorKit) -> None:
    available(floor, "alice", "bob")
    floor.enter("c1", needs=Needs(agent="alice", agent_s=300.0))
    refuse(floor, "c1")
    assert offered(floor) == {"c1": "bob"}


def test_a_worker_that_takes_the_call_over_finds_it_remembered(floor: FloorKit) -> None:
    available(floor, "alice", "bob")
    floor.device("PJSIP/bob", DeviceState.IN_USE)
    floor.enter("c1")
    refuse(floor, "c1")
    floor.enter("c1", owner="w2")
    assert offered(floor) == {}


def test_steps_of_relaxation_go_on_beside_it(floor: FloorKit) -> None:
    available(floor, "alice", "bob", "carol")
    floor.enter("c1", needs=Needs((("spanish", 3),), relax=(RelaxStep(10.0, drop=("spanish",)),)))
    refuse(floor, "c1")
    assert offered(floor) == {"c1": "alice"}, "nobody else speaks Spanish"
    floor.take("w1", "c1")
    wait(floor, 9.0)
    refuse(floor, "c1")
    assert offered(floor) == {"c1": "bob"}
    assert [row.data["asks"] for row in floor.ledger("needs_relaxed")] == ["nothing"]


# who is excluded


def test_who_is_excluded_is_never_asked(floor: FloorKit) -> None:
    available(floor, "alice")
    floor.enter("c1", needs=Needs(exclude=("alice",)))
    assert offered(floor) == {}
    assert "it is not for alice" in present(floor, "c1")
    assert floor.ledger("entered_queue")[0].data["asks"] == "anybody but alice"
    floor.enter("c2")
    assert offered(floor) == {"c2": "alice"}
    available(floor, "bob")
    assert offered(floor) == {"c1": "bob", "c2": "alice"}


def test_the_one_who_has_just_sent_the_caller_on_does_not_get_them_back(floor: FloorKit) -> None:
    """Also where the number is withheld: it is the same call."""
    available(floor, "alice")
    floor.enter("c1")
    (offer,) = floor.offers().values()
    for kind in ("ringing", "answered", "joined"):
        floor.leg(kind, offer.offer_id)
    floor.settle("c1", offer.offer_id, OfferEnd.SERVED, joined_at=floor.now.wall)
    floor.leg("gone", offer.offer_id)
    floor.enter("c1", needs=Needs(exclude=("last",)))
    assert offered(floor) == {}
    floor.enter("c2", needs=Needs(exclude=("last",)))
    assert offered(floor) == {"c2": "alice"}, "they have not talked"
