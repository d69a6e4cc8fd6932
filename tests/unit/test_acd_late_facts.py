"""Facts that come late, or never: told at the time at which they happened, and by whoever knows best."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cordboard.acd.model import LeftBecause, OfferEnd
from cordboard.store.acd_values import Entering
from cordboard.store.address import Address
from cordboard.telephony.ports import AgentLeg
from tests.doubles.floor_kit import FloorKit


@pytest.fixture
def floor(database: Address) -> Iterator[FloorKit]:
    kit = FloorKit(database)
    yield kit
    kit.close()


def ringing(floor: FloorKit) -> str:
    floor.presence("alice")
    offer = floor.enter("c1").offer
    assert offer is not None
    return offer.offer_id


def talking(floor: FloorKit) -> str:
    offer_id = ringing(floor)
    floor.leg("joined", offer_id)
    return offer_id


def ended_at(floor: FloorKit, kind: str) -> float:
    (row,) = floor.ledger(kind)
    return row.at


def test_a_wrap_up_begins_when_the_talk_ended_and_not_when_that_was_written(floor: FloorKit) -> None:
    offer_id = talking(floor)
    floor.pass_time(10)
    gone = floor.now
    floor.pass_time(60)  # longer than the wrap-up, without a database
    late, floor.now = floor.now, gone
    event = floor.leg_event("gone", offer_id)
    floor.now = late
    floor.do(lambda c: floor.store.agent_leg(c, floor.now, event))
    floor.sweep()
    assert ended_at(floor, "talk_ended") == gone.wall
    assert ended_at(floor, "wrap_up_ended") == pytest.approx(gone.wall + floor.store.plan.queues["sales"].wrap_up_s)
    assert floor.agents()["alice"].activity == "idle"


def test_who_left_long_ago_waited_until_then_only(floor: FloorKit) -> None:
    floor.enter("c1")
    left_at = floor.now.wall + 3
    floor.pass_time(20)
    floor.do(lambda c: floor.store.leave(c, floor.now, "c1", LeftBecause.ABANDONED, left_at))
    (row,) = floor.ledger("left_queue")
    assert (row.at, row.data["wait_s"]) == (left_at, 3.0)


def test_an_offer_does_not_end_before_it_was_made(floor: FloorKit) -> None:
    left_at = floor.now.wall + 1
    floor.enter("c1")
    floor.pass_time(2)
    floor.presence("alice")
    floor.do(lambda c: floor.store.leave(c, floor.now, "c1", LeftBecause.ABANDONED, left_at))
    assert ended_at(floor, "offer_ended") == ended_at(floor, "offer_made")
    assert ended_at(floor, "left_queue") == left_at


def test_who_came_and_left_while_nothing_could_be_written_counts_and_costs_no_agent_an_offer(
    floor: FloorKit,
) -> None:
    floor.presence("alice")
    came_at = floor.now.wall
    floor.pass_time(20)
    entering = Entering("c1", "leg-c1", "asterisk", "sales", "en", 0, came_at, "w1")
    for _ in range(2):  # told again, as its answer was lost
        floor.do(lambda c: floor.store.come_and_go(c, floor.now, entering, LeftBecause.ABANDONED, came_at + 5))
    assert floor.told()[1:] == ["entered_queue", "left_queue"]
    (row,) = floor.ledger("left_queue")
    assert (row.at, row.data) == (came_at + 5, {"because": "abandoned", "wait_s": 5.0, "position": 1})
    assert floor.agents()["alice"].activity == "idle"


def test_a_talk_whose_end_nobody_heard_ended_with_the_dialling(floor: FloorKit) -> None:
    offer_id = talking(floor)
    floor.pass_time(30)
    floor.settle("c1", offer_id, OfferEnd.SERVED, joined_at=floor.now.wall - 30)
    hung_up_at = floor.now.wall
    floor.pass_time(15)
    floor.reconcile(live=["leg-c1"])
    assert ended_at(floor, "talk_ended") == hung_up_at


def test_a_talk_that_outlives_the_dialling_ends_with_the_leg(floor: FloorKit) -> None:
    offer_id = talking(floor)
    floor.settle("c1", offer_id, OfferEnd.SERVED, joined_at=floor.now.wall)
    floor.pass_time(30)
    floor.reconcile([AgentLeg(offer_id, "agent", "leg-c1", floor.now.wall - 30)], ["leg-c1"])
    floor.leg("gone", offer_id)
    assert ended_at(floor, "talk_ended") == floor.now.wall


def test_a_phone_that_stopped_ringing_and_nobody_says_why_is_looked_after(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    floor.pass_time(5)
    floor.leg("gone", offer_id)
    gone_at = floor.now.wall
    floor.pass_time(1)
    assert not floor.sweep().overdue, "the result may be on its way"
    floor.pass_time(1.5)
    assert floor.sweep().overdue == {offer_id}
    floor.reconcile()
    assert ended_at(floor, "offer_ended") == ended_at(floor, "left_queue") == gone_at
    assert floor.agents()["alice"].activity == "idle"
