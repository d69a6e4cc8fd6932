"""The rules of queues in the store: who is let in, who must leave, who goes on. Clocks move by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from cordboard.acd.model import FloorPlan, LeftBecause, Needs, Presence
from cordboard.acd.waiting_rules import OverflowStep, PositionAnnouncement
from cordboard.config.opening_hours import OpeningHours
from cordboard.store.acd_values import Entered, Entering, Verdict
from cordboard.store.address import Address
from tests.doubles.floor_kit import PLAN, FloorKit

ALWAYS = OpeningHours(ZoneInfo("UTC"), (((0, 1440),),) * 7)
NEVER = OpeningHours(ZoneInfo("UTC"), ((),) * 7)


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


def review(floor: FloorKit, *call_ids: str, owner: str = "w1") -> list[Verdict]:
    return floor.do(lambda c: floor.store.review(c, floor.now, owner, call_ids))[0]


def enter(floor: FloorKit, call_id: str, queue: str = "sales", **more: object) -> Entered:
    entering = Entering(call_id, f"leg-{call_id}", "asterisk", queue, "en", 0, floor.now.wall, "w1")
    return floor.do(lambda c: floor.store.enter(c, floor.now, replace(entering, **more)))  # type: ignore[arg-type]


def left(floor: FloorKit) -> list[tuple[str, str]]:
    return [(row.queue, row.data["because"]) for row in floor.ledger("left_queue")]


# -- who is let in --


def test_who_is_refused_has_no_place_and_is_told_of_once(floor: FloorKit) -> None:
    configure(floor, hours=NEVER)
    entering = Entering("a", "leg-a", "asterisk", "sales", "en", 0, floor.now.wall, "w1")
    for _ in range(2):  # the answer to the first was lost
        entered = floor.do(lambda c: floor.store.enter(c, floor.now, entering))
        assert (entered.refused, entered.entry_id) == ("closed", "")
    assert not floor.entries()
    assert [(row.kind, row.queue, row.data["because"]) for row in floor.ledger()] == [
        ("refused", "sales", "closed")
    ]


def test_places_of_those_who_are_away_leave_room_for_others(floor: FloorKit) -> None:
    configure(floor, max_waiting=1)
    assert enter(floor, "a").refused is None
    assert enter(floor, "b").refused == "full"
    floor.do(lambda c: floor.store.step_out(c, floor.now, "a", None))
    assert enter(floor, "b").refused is None
    assert enter(floor, "a").refused is None, "who has a place needs no other"


def test_what_a_caller_needs_rules_agents_out(floor: FloorKit) -> None:
    configure(floor, join_when_empty=frozenset({"penalty"}))
    floor.presence("alice", Presence.PAUSED)
    assert enter(floor, "a").refused is None
    assert enter(floor, "b", needs=Needs(require=(("spanish", 3),))).refused == "empty"


def test_a_free_agent_is_offered_to_who_is_let_in(floor: FloorKit) -> None:
    configure(floor, hours=ALWAYS, max_waiting=1, join_when_empty=frozenset({"paused"}))
    floor.presence("alice")
    assert enter(floor, "a").offer is not None


# -- who must leave --


def test_closing_time_sends_out_or_serves(floor: FloorKit) -> None:
    for call_id, queue in (("a", "sales"), ("b", "support")):
        enter(floor, call_id, queue)
    configure(floor, "sales", hours=NEVER, at_closing="send_out")
    configure(floor, "support", hours=NEVER)
    assert review(floor, "a", "b") == [Verdict("a", LeftBecause.CLOSED)]
    assert review(floor, "a", "b") == [Verdict("a", LeftBecause.CLOSED)], "whoever asks has not heard of it"
    assert left(floor) == [("sales", "closed")], "noted once"


def test_only_the_holders_own_waiting_calls_are_looked_at(floor: FloorKit) -> None:
    enter(floor, "a")
    enter(floor, "b")
    floor.do(lambda c: floor.store.step_out(c, floor.now, "b", None))
    configure(floor, hours=NEVER, at_closing="send_out")
    assert review(floor, "a", "b", owner="w2") == []
    assert [one.call_id for one in review(floor, "a", "b")] == ["a"], "b is away"


def test_an_offer_goes_before_the_rules(floor: FloorKit) -> None:
    floor.presence("alice")
    assert enter(floor, "a").offer is not None
    configure(floor, hours=NEVER, at_closing="send_out")
    assert review(floor, "a") == []


# -- who goes on --


def test_who_goes_on_keeps_time_priority_and_needs(floor: FloorKit) -> None:
    needs = Needs(require=(("spanish", 3),))
    first = enter(floor, "a", priority=3, needs=needs)
    floor.pass_time(30)
    configure(floor, overflow=(OverflowStep(wait_s=30, to="support"),))
    (verdict,) = review(floor, "a")
    assert verdict.entered is not None
    assert (verdict.entered.queue, verdict.entered.fence) == ("support", 1)
    assert (verdict.entered.entered_at, verdict.entered.entered_boot) == (first.entered_at, first.entered_boot)
    old, new = sorted(floor.entries(), key=lambda entry: entry.queue)
    assert (old.state, old.left_because, new.state) == ("left", "overflow", "waiting")
    assert (new.priority, new.needs, new.asked_queue) == (3, old.needs, "sales")
    assert floor.told() == ["entered_queue", "left_queue", "entered_queue"]


def test_who_goes_on_is_offered_to_an_agent_there_in_the_same_moment(floor: FloorKit) -> None:
    enter(floor, "a")
    configure(floor, overflow=(OverflowStep(wait_s=10, to="support"),))
    floor.do(lambda c: floor.store.set_presence(c, floor.now, "bob", Presence.PAUSED))
    floor.store.plan = FloorPlan(
        floor.store.plan.queues, {**PLAN.agents, "bob": replace(PLAN.agents["bob"], queues=("support",))}
    )
    floor.presence("bob")
    floor.pass_time(10)
    floor.renew("w1")
    (verdict,) = review(floor, "a")
    assert verdict.entered is not None and verdict.entered.offer is not None
    assert (verdict.entered.offer.agent, verdict.entered.offer.queue) == ("bob", "support")


def test_who_has_gone_on_comes_back_to_the_new_place_by_the_old_name(floor: FloorKit) -> None:
    enter(floor, "a")
    configure(floor, overflow=(OverflowStep(wait_s=10, to="support"),))
    floor.pass_time(10)
    (verdict,) = review(floor, "a")
    again = enter(floor, "a")
    assert verdict.entered is not None
    assert (again.entry_id, again.queue, again.fence) == (verdict.entered.entry_id, "support", 2)
    enter(floor, "a", "support")  # the flow itself puts the call there: that is another stay
    assert left(floor) == [("sales", "overflow"), ("support", "lost")]


def test_a_queue_that_takes_nobody_in_is_no_way_out(floor: FloorKit) -> None:
    enter(floor, "a")
    floor.pass_time(10)
    configure(floor, "support", hours=NEVER)
    configure(floor, overflow=(OverflowStep(wait_s=5, to="support"), OverflowStep(wait_s=8)))
    assert review(floor, "a") == [Verdict("a", LeftBecause.OVERFLOW)]
    assert left(floor) == [("sales", "overflow")]


def test_a_step_by_place_looks_at_the_line(floor: FloorKit) -> None:
    configure(floor, overflow=(OverflowStep(position=2),))
    assert [enter(floor, call_id).left for call_id in "abc"] == [None, None, LeftBecause.OVERFLOW]


def test_a_step_by_ratio_looks_at_the_agents_who_are_there(floor: FloorKit) -> None:
    enter(floor, "a")
    enter(floor, "b")
    enter(floor, "c")
    configure(floor, overflow=(OverflowStep(ratio=1.0),))
    assert len(review(floor, "a")) == 1, "nobody is there: each is one too many"
    floor.presence("alice")
    floor.take("w1", "b")
    floor.presence("bob", Presence.PAUSED)
    assert review(floor, "c") == [Verdict("c", LeftBecause.OVERFLOW)], "two callers for alice"


def test_the_place_is_told_where_a_better_one_is_announced(floor: FloorKit) -> None:
    configure(floor, announce=PositionAnnouncement(20, 45, {"en": "You are"}, on_change=True))
    for call_id in "abc":
        enter(floor, call_id)
        floor.pass_time(1)
    assert [(one.call_id, one.position) for one in review(floor, "b", "c")] == [("b", 2), ("c", 3)]
    floor.leave("a")
    assert [(one.call_id, one.position) for one in review(floor, "b", "c")] == [("b", 1), ("c", 2)]


def test_who_was_sent_out_while_the_answer_was_lost_is_told_so_again(floor: FloorKit) -> None:
    configure(floor, overflow=(OverflowStep(ratio=0.5),))
    entering = Entering("a", "leg-a", "asterisk", "sales", "en", 0, floor.now.wall, "w1")
    floor.pass_time(0.1)
    for _ in range(2):
        assert floor.do(lambda c: floor.store.enter(c, floor.now, entering)).left is LeftBecause.OVERFLOW
    assert left(floor) == [("sales", "overflow")]
