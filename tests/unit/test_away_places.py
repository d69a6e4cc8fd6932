"""Places that are kept while their caller is elsewhere: stepped out to a menu, to be called back, cut off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cordboard.acd.model import LeftBecause
from cordboard.acd.place_keeping import GIVEN_UP
from cordboard.store import acd_away
from cordboard.store.acd_values import Entered, Entering, HeldPlace
from cordboard.store.address import Address
from cordboard.store.boot import forget_other_boots
from cordboard.store.turn import Turn
from tests.doubles.floor_kit import FloorKit

HELD_S = 120.0


@pytest.fixture
def floor(database: Address) -> Iterator[FloorKit]:
    kit = FloorKit(database)
    yield kit
    kit.close()


def step_out(floor: FloorKit, call_id: str = "a", kind: str = "call", **stay: Any) -> None:
    until = floor.now.boot + HELD_S
    floor.do(lambda c: floor.store.step_out(c, floor.now, call_id, until, kind=kind, **stay))


def state_of(floor: FloorKit, call_id: str = "a") -> str:
    return str(next(entry.state for entry in floor.entries() if entry.call_id == call_id))


def place_of(floor: FloorKit, call_id: str) -> int | None:
    return floor.do(lambda c: floor.store.position(c, call_id))


def line_of(floor: FloorKit, *call_ids: str) -> dict[str, Entered]:
    """Callers one after the other, a second apart."""
    entered = {}
    for call_id in call_ids:
        entered[call_id] = floor.enter(call_id)
        floor.pass_time(1)
    return entered


def test_who_steps_out_comes_back_to_the_old_place(floor: FloorKit) -> None:
    first = line_of(floor, "a", "b")["a"]
    step_out(floor)
    floor.pass_time(40)
    again = floor.enter("a")
    assert (again.entry_id, again.entered_at) == (first.entry_id, first.entered_at)
    assert place_of(floor, "a") == 1
    assert state_of(floor) == "waiting"
    assert floor.told() == ["entered_queue", "entered_queue", "stepped_out", "came_back"]


def test_the_place_moves_on_while_its_caller_is_away(floor: FloorKit) -> None:
    line_of(floor, "a", "b", "c", "d")
    step_out(floor, "d")
    floor.leave("a")
    floor.leave("b")
    assert place_of(floor, "d") == 2


def test_no_agent_is_offered_to_an_away_place_and_the_next_caller_is_served(floor: FloorKit) -> None:
    line_of(floor, "a", "b")
    step_out(floor)
    floor.renew("w1")
    floor.presence("alice")
    assert [offer.call_id for offer in floor.offers().values()] == ["b"]
    assert place_of(floor, "b") == 2, "the place of who is away stands in line"


def test_the_agent_of_an_offer_that_nobody_has_rung_is_free_again(floor: FloorKit) -> None:
    line_of(floor, "a", "b")
    floor.renew("w1")
    floor.presence("alice")
    step_out(floor)
    assert [(offer.call_id, offer.end) for offer in floor.offers().values()] == [("a", "withdrawn"), ("b", None)]


def test_who_comes_back_is_offered_to_an_agent_at_once(floor: FloorKit) -> None:
    line_of(floor, "a")
    step_out(floor)
    floor.presence("alice")
    assert not floor.offers()
    offer = floor.enter("a").offer
    assert offer is not None and offer.agent == "alice"


def test_a_place_is_given_up_when_its_time_is_over(floor: FloorKit) -> None:
    line_of(floor, "a")
    step_out(floor)
    due = floor.sweep().next_due_in_s
    assert due is not None and due <= HELD_S
    floor.pass_time(HELD_S - 1)
    floor.sweep()
    assert state_of(floor) == "away"
    floor.pass_time(5)
    floor.sweep()
    (gone,) = floor.ledger("left_queue")
    assert gone.data["because"] == "exit_key"
    assert gone.data["wait_s"] == pytest.approx(HELD_S + 1), "as of when it was over"
    again = floor.enter("a")
    assert again.entered_at == floor.now.wall, "a place of its own, at the end of the line"


@pytest.mark.parametrize(("kind", "because"), GIVEN_UP.items())
def test_each_kind_of_place_is_given_up_for_its_own_reason(
    floor: FloorKit, kind: str, because: LeftBecause
) -> None:
    line_of(floor, "a")
    step_out(floor, kind=kind)
    floor.pass_time(HELD_S + 1)
    floor.sweep()
    assert [row.data["because"] for row in floor.ledger("left_queue")] == [because.value]


def test_only_the_holder_of_a_stay_steps_out_of_it(floor: FloorKit) -> None:
    entered = line_of(floor, "a")["a"]
    step_out(floor, held=HeldPlace(entered.entry_id, entered.fence + 1))
    step_out(floor, held=HeldPlace("another", entered.fence))
    assert state_of(floor) == "waiting"


def test_stepping_out_told_twice_is_told_once_in_the_ledger(floor: FloorKit) -> None:
    line_of(floor, "a")
    step_out(floor)
    floor.pass_time(1)
    step_out(floor)
    assert floor.told().count("stepped_out") == 1


def test_who_hangs_up_in_the_menu_has_abandoned(floor: FloorKit) -> None:
    line_of(floor, "a")
    step_out(floor)
    floor.leave("a")
    assert [row.data["because"] for row in floor.ledger("left_queue")] == ["abandoned"]


def test_who_goes_to_another_queue_from_the_menu_has_left_by_key(floor: FloorKit) -> None:
    line_of(floor, "a")
    step_out(floor)
    floor.enter("a", "support")
    assert [row.data["because"] for row in floor.ledger("left_queue")] == ["exit_key"]


def test_a_talk_cannot_be_stepped_out_of(floor: FloorKit) -> None:
    floor.presence("alice")
    offer = floor.enter("a").offer
    assert offer is not None
    floor.leg("joined", offer.offer_id)
    step_out(floor)
    assert state_of(floor) == "talking"


# -- the switch is asked what lives --


def test_a_list_of_legs_ends_the_stay_of_an_away_caller_whose_leg_is_gone(floor: FloorKit) -> None:
    line_of(floor, "a")
    step_out(floor)
    floor.pass_time(20)
    floor.reconcile(live=["leg-a"])
    assert state_of(floor) == "away", "nobody renews the lease of who is in a menu, and that is no loss"
    floor.reconcile()
    assert [row.data["because"] for row in floor.ledger("left_queue")] == ["abandoned"]


@pytest.mark.parametrize("kind", ["callback", "cut_off"])
def test_a_place_kept_for_one_who_is_not_on_the_phone_needs_no_leg(floor: FloorKit, kind: str) -> None:
    line_of(floor, "a")
    step_out(floor, kind=kind)
    floor.pass_time(100)
    floor.reconcile()
    assert state_of(floor) == "away"


def test_a_restart_of_the_machine_gives_up_what_was_held_by_its_clock_and_no_callback(floor: FloorKit) -> None:
    line_of(floor, "a", "b", "c")
    for call_id, kind in (("a", "call"), ("b", "callback"), ("c", "cut_off")):
        step_out(floor, call_id, kind)
    floor.do(lambda c: forget_other_boots(c, "another boot"))
    floor.sweep()
    assert [state_of(floor, call_id) for call_id in "abc"] == ["left", "away", "left"]


# -- places that change hands --


def test_another_call_takes_an_away_place_over(floor: FloorKit) -> None:
    first = line_of(floor, "a", "b")["a"]
    step_out(floor, kind="callback")
    floor.pass_time(2000)  # longer than any wait on the phone
    assert floor.do(lambda c: acd_away.pass_on(Turn(c, floor.now, floor.store.plan), first.entry_id, "new"))
    entering = Entering("new", "leg-new", "asterisk", "sales", "en", 0, floor.now.wall, "w2", max_wait_s=600.0)
    back = floor.do(lambda c: floor.store.enter(c, floor.now, entering))
    assert (back.entry_id, back.entered_at, back.left, back.kind) == (
        first.entry_id,
        first.entered_at,
        None,
        "callback",
    )
    assert place_of(floor, "new") == 1


def test_a_place_that_is_not_away_changes_no_hands(floor: FloorKit) -> None:
    first = line_of(floor, "a")["a"]
    assert not floor.do(lambda c: acd_away.pass_on(Turn(c, floor.now, floor.store.plan), first.entry_id, "new"))
