"""What the floor shows of an agent whose offer failed, and of callers for whom no phone rings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cordboard.acd.model import FloorPlan, OfferEnd, Presence, RonaPolicy
from cordboard.store.acd_values import AgentView
from cordboard.store.address import Address
from tests.doubles.floor_kit import PLAN, FloorKit

REST = RonaPolicy(pause_after=2, retry_after_s=5.0)
RESTING = FloorPlan({"sales": replace(PLAN.queues["sales"], rona=REST)}, {"alice": PLAN.agents["alice"]})


@pytest.fixture
def floor(database: Address) -> Iterator[FloorKit]:
    kit = FloorKit(database, RESTING)
    kit.presence("alice")
    yield kit
    kit.close()


def miss(floor: FloorKit, call_id: str, end: OfferEnd) -> None:
    offer = floor.enter(call_id).offer
    assert offer is not None
    floor.pass_time(1)
    floor.settle(call_id, offer.offer_id, end, here=False)


def alice(floor: FloorKit) -> AgentView:
    view = floor.snapshot().agent("alice")
    assert view is not None
    return view


def test_an_agent_who_rests_is_shown_why_and_for_how_long(floor: FloorKit) -> None:
    assert (alice(floor).missed, alice(floor).rests_s) == (None, 0.0)
    miss(floor, "c1", OfferEnd.BUSY)
    assert (alice(floor).missed, alice(floor).rests_s) == (OfferEnd.BUSY, 5.0)
    floor.pass_time(2)
    assert (alice(floor).missed, alice(floor).rests_s) == (OfferEnd.BUSY, 3.0)
    floor.pass_time(3)
    assert (alice(floor).missed, alice(floor).rests_s) == (None, 0.0)


def test_an_automatic_pause_keeps_its_cause_until_the_agent_is_back(floor: FloorKit) -> None:
    miss(floor, "c1", OfferEnd.BUSY)
    floor.pass_time(5)
    miss(floor, "c2", OfferEnd.NO_KEY)
    floor.pass_time(3_600)
    assert (alice(floor).presence, alice(floor).missed) == (Presence.PAUSED, OfferEnd.NO_KEY)
    floor.presence("alice")
    assert alice(floor).missed is None


def test_a_pause_of_ones_own_has_no_such_cause(floor: FloorKit) -> None:
    miss(floor, "c1", OfferEnd.BUSY)
    floor.pass_time(5)
    floor.presence("alice", Presence.PAUSED, "lunch")
    assert alice(floor).missed is None


def test_a_caller_who_left_while_it_rang_is_nobodys_fault(floor: FloorKit) -> None:
    miss(floor, "c1", OfferEnd.CALLER_LEFT)
    assert (alice(floor).missed, alice(floor).rests_s) == (None, 0.0)


def test_those_for_whom_no_phone_rings_are_told_apart(floor: FloorKit) -> None:
    floor.enter("rings", entered_at=floor.now.wall - 30)
    (sales,) = floor.snapshot().queues
    assert (sales.waiting, sales.longest_wait_s, sales.longest_unoffered_s) == (1, 30.0, 0.0)
    floor.enter("waits", entered_at=floor.now.wall - 10)
    (sales,) = floor.snapshot().queues
    assert (sales.waiting, sales.longest_wait_s, sales.longest_unoffered_s) == (2, 30.0, 10.0)
