"""The rules of queues applied to many callers at a time, and to those who are called back. Clocks move by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cordboard.acd.callback_policy import CallbackPolicy
from cordboard.acd.model import FloorPlan, LeftBecause, Presence
from cordboard.acd.waiting_rules import OverflowStep
from cordboard.store.acd_values import Entering, Verdict
from cordboard.store.address import Address
from cordboard.store.callback_store import CallbackStore
from cordboard.store.callbacks import CallbackAsked
from cordboard.telephony.outcomes import CallbackBooked
from tests.doubles.floor_kit import FloorKit

BUSY_LINE = ("a", "b", "c", "d", "e")


@pytest.fixture
def floor(database: Address) -> Iterator[FloorKit]:
    kit = FloorKit(database)
    yield kit
    kit.close()


def configure(floor: FloorKit, queue: str = "sales", **rules: object) -> None:
    """Change what a queue says."""
    plan = floor.store.plan
    changed = replace(plan.queues[queue], **rules)  # type: ignore[arg-type]
    floor.store.plan = FloorPlan({**plan.queues, queue: changed}, plan.agents)


def review(floor: FloorKit, *call_ids: str) -> list[Verdict]:
    return floor.do(lambda c: floor.store.review(c, floor.now, "w1", call_ids))[0]


def fill(floor: FloorKit) -> None:
    """Five callers, a second apart; their agents are at work, and away from their desks."""
    for call_id in BUSY_LINE:
        floor.enter(call_id)
        floor.pass_time(1)
        floor.renew("w1")


def gone(verdicts: list[Verdict]) -> set[str]:
    return {one.call_id for one in verdicts if one.left or one.entered}


@pytest.mark.parametrize("to", ["", "support"])
def test_no_more_are_sent_away_by_the_ratio_than_are_too_many_and_the_last_go_first(
    floor: FloorKit, to: str
) -> None:
    floor.presence("alice")
    floor.enter("talks")
    fill(floor)
    configure(
        floor, overflow=(OverflowStep(ratio=4.0, to=to),)
    )  # for alice alone: four may wait, of whom one rings her
    assert gone(review(floor, *BUSY_LINE)) == {"d", "e"}
    assert review(floor, "a", "b", "c") == [], "four are left for one agent"


def test_no_more_go_on_to_a_queue_than_it_has_room_for(floor: FloorKit) -> None:
    fill(floor)
    configure(floor, "support", max_waiting=2)
    configure(floor, overflow=(OverflowStep(position=1, to="support"),))
    assert len(gone(review(floor, *BUSY_LINE))) == 2
    assert sum(row.queue == "support" for row in floor.entries()) == 2


def called_back(floor: FloorKit) -> None:
    """A customer whose number was left an hour ago has picked up, and waits for an agent again."""
    configure(floor, callback=CallbackPolicy())
    floor.note_caller("a", "+442079460123")
    floor.enter("a")
    store = CallbackStore(floor.store)
    floor.do(lambda c: floor.store.step_out(c, floor.now, "a", None))
    asked = CallbackAsked("a", "sales", "+442079460123", "en", 0, floor.now.wall)
    assert isinstance(floor.do(lambda c: store.book(c, floor.now, asked))[0], CallbackBooked)
    floor.pass_time(3_600)
    floor.presence("alice")
    (attempt,) = floor.do(lambda c: store.claim(c, floor.now)).attempts
    floor.presence("alice", Presence.PAUSED)
    assert floor.enter(attempt.call_id).kind == "callback"
    floor.leave("a")  # the call of then has long been over


def test_nobody_is_rung_up_to_be_sent_on_for_the_hour_they_did_not_wait(floor: FloorKit) -> None:
    called_back(floor)
    configure(floor, overflow=(OverflowStep(wait_s=60, to="support"), OverflowStep(wait_s=90)))
    (call_id,) = (row.call_id for row in floor.entries() if row.state == "waiting")
    assert review(floor, call_id) == []
    assert floor.ledger("callback_closed") == []


def test_who_is_called_back_leaves_with_the_others_when_nobody_is_there_any_more(floor: FloorKit) -> None:
    called_back(floor)
    configure(floor, leave_when_empty=frozenset({"paused"}))
    (call_id,) = (row.call_id for row in floor.entries() if row.state == "waiting")
    assert review(floor, call_id) == [Verdict(call_id, LeftBecause.EMPTY)]


def sent_on(floor: FloorKit) -> str:
    """A caller who was put into sales, and has gone on to support; the id of the place."""
    configure(floor, overflow=(OverflowStep(wait_s=10, to="support"),))
    floor.enter("a")
    floor.pass_time(10)
    (verdict,) = review(floor, "a")
    assert verdict.entered is not None
    return verdict.entered.entry_id


@pytest.mark.parametrize("queue", ["sales", "support"])
def test_who_steps_out_after_going_on_has_the_place_again_by_either_name(floor: FloorKit, queue: str) -> None:
    place = sent_on(floor)
    floor.do(lambda c: floor.store.step_out(c, floor.now, "a", floor.now.boot + 60))
    again = floor.enter("a", queue)
    assert (again.entry_id, again.queue) == (place, "support")
    assert floor.enter("a", queue).entry_id == place, "and after a phone that rang in vain"


def test_who_leaves_during_an_outage_leaves_the_place_they_went_on_to(floor: FloorKit) -> None:
    place = sent_on(floor)
    floor.pass_time(30)
    entering = Entering("a", "leg-a", "asterisk", "sales", "en", 0, floor.now.wall, "w1")
    told_at = floor.now.wall
    for _ in range(2):
        floor.do(lambda c: floor.store.come_and_go(c, floor.now, entering, LeftBecause.ABANDONED, told_at))
    assert [row.entry_id for row in floor.ledger("left_queue") if row.data["because"] == "abandoned"] == [place]
    assert len(floor.ledger("entered_queue")) == 2, "of sales, and of support"
