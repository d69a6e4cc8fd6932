"""Stays in a queue and offers, when answers are lost, facts come late, workers vanish and clocks are set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from cordboard.acd.kpis import kpis
from cordboard.acd.model import LeftBecause, Moment, OfferEnd
from cordboard.store.acd_entries import LEASE_S
from cordboard.store.acd_offer_making import RING_BY_S
from cordboard.store.acd_reconcile import UNHELD_S
from cordboard.store.acd_values import Changes, Entered, Entering
from cordboard.store.address import Address
from cordboard.telephony.ports import AgentLegEvent, DeviceState
from tests.doubles.floor_kit import PLAN, FloorKit


@pytest.fixture
def floor(database: Address) -> Iterator[FloorKit]:
    kit = FloorKit(database)
    yield kit
    kit.close()


def entering(floor: FloorKit, queue: str = "sales", **more: Any) -> Entering:
    first = Entering("c1", "leg-c1", "asterisk", queue, "en", 0, floor.now.wall, "w1")
    return replace(first, **more)


def enter(floor: FloorKit, queue: str = "sales", **more: Any) -> Entered:
    return floor.do(lambda c: floor.store.enter(c, floor.now, entering(floor, queue, **more)))


def leave(floor: FloorKit, entered: Entered, because: LeftBecause = LeftBecause.MAX_WAIT) -> Changes:
    return floor.do(lambda c: floor.store.leave(c, floor.now, "c1", because, held=entered.held))


def reconcile(floor: FloorKit, live: tuple[str, ...] = (), **more: Any) -> Changes:
    return floor.do(lambda c: floor.store.reconcile(c, floor.now, [], live, floor.now.wall, **more))


def set_wall_clock(floor: FloorKit, by_s: float) -> None:
    floor.now = Moment(floor.now.wall + by_s, floor.now.boot)


def left(floor: FloorKit) -> list[str]:
    return [row.data["because"] for row in floor.ledger("left_queue")]


def ringing(floor: FloorKit) -> str:
    floor.presence("alice")
    offer = enter(floor).offer
    assert offer is not None
    return offer.offer_id


# -- late facts name a stay --


def test_a_late_fact_of_an_earlier_stay_ends_no_later_one(floor: FloorKit) -> None:
    first = enter(floor)
    floor.pass_time(1)
    second = enter(floor, "support")
    assert not leave(floor, first).changed
    assert not leave(floor, replace(first, entry_id=second.entry_id, fence=second.fence + 1)).changed
    assert [entry.state for entry in floor.entries() if entry.queue == "support"] == ["waiting"]
    leave(floor, second)
    assert left(floor) == ["lost", "max_wait"]


def test_a_late_fact_of_an_earlier_holder_ends_nothing(floor: FloorKit) -> None:
    first = enter(floor)
    floor.pass_time(1)
    enter(floor, owner="w2")
    assert not leave(floor, first, LeftBecause.ABANDONED).changed
    assert [entry.state for entry in floor.entries()] == ["waiting"]
    floor.leave("c1")
    assert left(floor) == ["abandoned"], "a caller who is gone is gone, whoever says so"


@pytest.mark.parametrize("queue", ["sales", "support"])
def test_a_stay_told_after_its_end_leaves_a_newer_place_alone(floor: FloorKit, queue: str) -> None:
    stay, left_at = entering(floor), floor.now.wall + 5
    floor.pass_time(6)
    enter(floor, queue)
    for _ in range(2):
        floor.do(lambda c: floor.store.come_and_go(c, floor.now, stay, LeftBecause.MAX_WAIT, left_at))
    assert sorted((entry.queue, entry.state) for entry in floor.entries()) == sorted(
        [("sales", "left"), (queue, "waiting")]
    )
    (row,) = floor.ledger("left_queue")
    assert (row.at, row.data) == (left_at, {"because": "max_wait", "wait_s": 5.0, "position": 1})


def test_a_stay_told_after_its_end_leaves_an_older_place_in_another_queue_alone(floor: FloorKit) -> None:
    enter(floor, "support")
    floor.pass_time(1)
    stay, left_at = entering(floor), floor.now.wall + 5
    floor.pass_time(6)
    floor.do(lambda c: floor.store.come_and_go(c, floor.now, stay, LeftBecause.ABANDONED, left_at))
    assert {entry.queue: entry.state for entry in floor.entries()} == {"support": "waiting", "sales": "left"}


def test_who_came_back_to_an_old_place_and_left_while_nothing_could_be_written_leaves_that(
    floor: FloorKit,
) -> None:
    enter(floor, owner="w0")
    floor.pass_time(10)
    again, left_at = entering(floor), floor.now.wall + 1
    floor.pass_time(20)
    for _ in range(2):
        floor.do(lambda c: floor.store.come_and_go(c, floor.now, again, LeftBecause.ABANDONED, left_at))
    (row,) = floor.ledger("left_queue")
    assert (row.at, row.data["wait_s"]) == (left_at, 11.0)
    assert len(floor.entries()) == 1


# -- the longest wait --


def test_who_comes_back_after_the_longest_wait_leaves_though_an_agent_is_free(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    floor.pass_time(31)
    floor.settle("c1", offer_id, OfferEnd.NO_ANSWER)
    floor.presence("bob")
    came = floor.now.wall
    floor.pass_time(0.1)
    for _ in range(2):  # asked again, as the answer was lost
        entered = enter(floor, max_wait_s=30.0, entered_at=came)
        assert (entered.left, entered.offer) == (LeftBecause.MAX_WAIT, None)
    assert left(floor) == ["max_wait"]
    assert floor.agents()["bob"].activity == "idle"
    floor.pass_time(0.1)
    assert enter(floor, max_wait_s=30.0).left is None, "a new stay"


def test_the_longest_wait_is_measured_by_the_clock_nobody_can_set(floor: FloorKit) -> None:
    first = enter(floor, max_wait_s=30.0)
    assert first.entered_boot == floor.now.boot
    floor.pass_time(10)
    set_wall_clock(floor, 3600)
    again = enter(floor, max_wait_s=30.0)
    assert (again.left, again.entered_boot) == (None, first.entered_boot)
    floor.pass_time(20)
    set_wall_clock(floor, -7200)
    assert enter(floor, max_wait_s=30.0).left is LeftBecause.MAX_WAIT


def test_who_came_before_the_store_could_be_asked_has_waited_since_then(floor: FloorKit) -> None:
    came = floor.now
    floor.pass_time(12)
    assert enter(floor, entered_at=came.wall).entered_boot == came.boot
    floor.leave("c1")
    floor.pass_time(1)
    assert enter(floor, entered_at=came.wall, entered_boot=7.0).entered_boot == 7.0


# -- lost answers and silent workers --


def test_an_offer_whose_answer_was_lost_is_handed_out_again_until_the_phone_rings(floor: FloorKit) -> None:
    enter(floor)
    floor.presence("alice")
    (lost,) = floor.take("w1", "c1")
    assert floor.take("w1") == floor.take("w2", "c1") == [], "not to others, nor for calls that are busy"
    told = floor.told()
    assert floor.take("w1", "c1") == [lost]
    assert floor.told() == told
    floor.leg("ringing", lost.offer_id)
    assert floor.take("w1", "c1") == [], "it rings"


def test_a_worker_that_rings_nobody_gets_no_offer_for_any_of_its_callers(floor: FloorKit) -> None:
    floor.enter("c1", owner="deaf")
    floor.enter("c2", owner="deaf")
    floor.enter("c3", owner="w2")
    floor.presence("alice")
    floor.pass_time(RING_BY_S)
    assert floor.sweep().owners == {"w2"}, "though c2 was before c3"
    floor.renew("deaf")
    assert floor.presence("bob").owners == {"deaf"}


def test_a_caller_whom_nobody_holds_is_lost_in_the_end_though_their_leg_lives(floor: FloorKit) -> None:
    enter(floor)
    floor.pass_time(LEASE_S + UNHELD_S - 1)
    assert not reconcile(floor, ("leg-c1",)).changed
    set_wall_clock(floor, 7200)
    assert not reconcile(floor, ("leg-c1",)).changed
    floor.pass_time(1)
    reconcile(floor, ("leg-c1",))
    assert left(floor) == ["lost"]


# -- what the list of legs says --


def test_an_entry_newer_than_the_list_is_not_judged_by_it_whatever_the_wall_clock_says(floor: FloorKit) -> None:
    listed = floor.now
    set_wall_clock(floor, -60)
    enter(floor)
    floor.pass_time(LEASE_S)
    floor.do(lambda c: floor.store.reconcile(c, floor.now, [], [], listed.wall, listed_boot=listed.boot))
    assert left(floor) == []


def test_a_talk_newer_than_the_list_goes_on_whatever_the_wall_clock_says(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    floor.pass_time(5)
    listed = floor.now
    set_wall_clock(floor, -60)
    floor.pass_time(0.1)
    floor.leg("joined", offer_id)
    floor.do(lambda c: floor.store.reconcile(c, floor.now, [], ["leg-c1"], listed.wall, listed_boot=listed.boot))
    assert floor.offers()[offer_id].state == "talking"


def test_a_clock_that_is_set_makes_no_ringing_overdue(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    set_wall_clock(floor, 7200)
    assert not floor.sweep().overdue
    reconcile(floor, ("leg-c1",), listed_boot=floor.now.boot)
    assert floor.offers()[offer_id].state == "ringing"
    set_wall_clock(floor, -7200)
    floor.pass_time(90)
    assert floor.sweep().overdue == {offer_id}


def test_a_caller_gone_with_the_switch_is_lost_and_one_who_came_after_has_abandoned(floor: FloorKit) -> None:
    floor.enter("c1")
    floor.presence("alice")
    floor.take("w1", "c1")
    floor.enter("c2")
    floor.pass_time(1)
    started_at = floor.now.wall
    floor.pass_time(1)
    floor.enter("c3")
    floor.pass_time(LEASE_S)
    reconcile(floor, switch_started_at=started_at)
    because = {row.call_id: row.data["because"] for row in floor.ledger("left_queue")}
    assert because == {"c1": "lost", "c2": "lost", "c3": "abandoned"}


def test_a_talk_whose_end_nobody_heard_counts_and_has_no_length(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    floor.leg("joined", offer_id)
    floor.pass_time(500)
    reconcile(floor, ("leg-c1",))
    (ended,) = floor.ledger("talk_ended")
    assert ended.data == {"talk_s": 500.0, "estimated": True}
    figures = kpis(floor.ledger(), PLAN.queues["sales"])
    assert (figures.answered, figures.talk, figures.handle) == (1, None, None)


# -- legs --


@pytest.mark.parametrize("kind", ["answered", "joined"])
def test_whoever_picks_up_on_another_leg_is_not_the_agent(floor: FloorKit, kind: Any) -> None:
    offer_id = ringing(floor)
    floor.leg("ringing", offer_id)
    other = AgentLegEvent(kind, offer_id, "another leg", "leg-c1", floor.now.wall)
    assert not floor.do(lambda c: floor.store.agent_leg(c, floor.now, other)).changed
    assert floor.offers()[offer_id].state == "ringing"
    assert floor.offers()[offer_id].agent_leg_id == f"agent-{offer_id}"
    floor.leg(kind, offer_id)
    assert floor.offers()[offer_id].state == ("talking" if kind == "joined" else "answered")


def test_without_a_leg_that_was_rung_whoever_picks_up_is_the_agent(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    floor.leg("joined", offer_id)
    assert floor.offers()[offer_id].state == "talking"


# -- dead phones --


def test_no_line_is_read_for_agents_on_dead_phones(floor: FloorKit) -> None:
    floor.enter("c1")
    for agent in PLAN.agents.values():
        floor.device(agent.device, DeviceState.UNAVAILABLE)
        floor.presence(agent.name)
    asked: list[str] = []
    event.listen(floor.engine, "before_cursor_execute", lambda *seen: asked.append(seen[2]))
    floor.sweep()
    assert asked
    assert not [sql for sql in asked if "ORDER BY queue_entries.rank" in sql]
    assert floor.device("PJSIP/1001", DeviceState.IDLE).owners == {"w1"}
    assert [sql for sql in asked if "ORDER BY queue_entries.rank" in sql], "this is how it is seen"
