"""What `queue why` tells of calls that nobody takes yet, or that have gone elsewhere: in words, and in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import FloorPlan, OfferEnd
from cordboard.acd.waiting_rules import OverflowStep
from cordboard.store.acd_reads import why
from cordboard.store.address import Address
from cordboard.store.why import told_kinds
from tests.doubles.floor_kit import PLAN, FloorKit

OF_AGENTS = {"presence_changed", "pause_limit_passed"}  # belong to no call


@pytest.fixture
def floor(database: Address) -> Iterator[FloorKit]:
    kit = FloorKit(database)
    yield kit
    kit.close()


def overflows(floor: FloorKit, *steps: OverflowStep) -> None:
    """From sales on."""
    sales = replace(PLAN.queues["sales"], overflow=steps)
    floor.store.plan = FloorPlan({**PLAN.queues, "sales": sales}, PLAN.agents)


def told(floor: FloorKit, call_id: str = "c1") -> list[tuple[float, str]]:
    """How many seconds after now each line is, which is never later; and the line."""
    lines = floor.do(lambda c: why(c, call_id, now=floor.now, plan=floor.store.plan))
    return [(round(line.at - floor.now.wall, 3), line.text) for line in lines]


def review(floor: FloorKit) -> None:
    floor.do(lambda c: floor.store.review(c, floor.now, "w1", ["c1"]))


def test_each_kind_of_row_about_a_call_has_words() -> None:
    written = re.findall(r"^        ((?:[a-z_]+, )*[a-z_]+)(?:  +\S|$)", LedgerRow.__doc__ or "", re.MULTILINE)
    kinds = {kind for line in written for kind in line.split(", ")}
    assert {"entered_queue", "agent_answered", "survey_answered"} < kinds
    assert kinds - OF_AGENTS <= told_kinds()


def test_who_is_sent_on_is_told_where_by_what_rule_and_in_order(floor: FloorKit) -> None:
    overflows(floor, OverflowStep(wait_s=30, ratio=2.5, to="support"))
    floor.enter("c1")
    floor.pass_time(30)
    floor.renew("w1")
    review(floor)
    assert told(floor)[:3] == [
        (-30.0, "entered sales"),
        (0.0, "left sales: sent on to support by its overflow (wait_s 30 and ratio 2.5), after 30 s"),
        (0.0, "entered support, its wait counted from 30 s before"),
    ]


def test_who_is_sent_out_is_told_by_what_rule(floor: FloorKit) -> None:
    overflows(floor, OverflowStep(position=1))
    floor.enter("c0")
    floor.enter("c1")
    review(floor)
    assert told(floor) == [
        (0.0, "entered sales"),
        (0.0, "left sales: sent out by its overflow (position 1), after 0 s"),
    ]


def test_a_call_that_a_phone_rings_for_is_not_lost(floor: FloorKit) -> None:
    floor.presence("alice")
    floor.enter("c1")
    floor.pass_time(10)
    assert told(floor)[-1][1].endswith("in place 1; its agents: 1 logged out, 1 ringing")


def test_an_agent_who_rests_is_not_called_idle(floor: FloorKit) -> None:
    floor.presence("alice")
    offer = floor.enter("c1").offer
    assert offer is not None
    floor.settle("c1", offer.offer_id, OfferEnd.NO_ANSWER)
    floor.renew("w1")
    assert told(floor)[-1][1].endswith("its agents: 1 logged out, 1 resting")
    floor.pass_time(5)
    floor.renew("w1")
    assert told(floor)[-1][1].endswith("its agents: 1 idle, 1 logged out")
