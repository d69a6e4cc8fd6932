"""Whose a held place is: of an identity that the flow has confirmed, or else of a number that is not withheld."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from cordboard.acd.callback_policy import CallbackPolicy, CutOffPolicy, HeldFor
from cordboard.acd.cut_off import UNTOLD_S, USUAL_CAUSES
from cordboard.acd.identity import mark_of
from cordboard.acd.model import Agent, FloorPlan, OfferEnd, Queue
from cordboard.acd.overflow import OverflowStep
from cordboard.store.acd_values import Entering
from cordboard.store.address import Address
from cordboard.store.callback_store import CallbackStore
from cordboard.store.callbacks import CallbackAsked
from cordboard.store.tables import callbacks
from cordboard.telephony.outcomes import CallbackBooked
from tests.doubles.floor_kit import FloorKit

HOME, OFFICE, WITHHELD = "+442079460101", "+442079460102", ""
ADA, BEN = "customer 7", "customer 8"
HOLD_S = 120.0
RTP_TIMEOUT = 44


def plan(identity: HeldFor = "number") -> FloorPlan:
    cut_off = CutOffPolicy(HOLD_S, True, 30.0, USUAL_CAUSES, identity)
    sales = Queue("sales", wrap_up_s=0.0, callback=CallbackPolicy(), cut_off=cut_off)
    spare = replace(sales, name="spare")
    sales = replace(sales, overflow=(OverflowStep(wait_s=20.0, to="spare"),))
    return FloorPlan({"sales": sales, "spare": spare}, {"alice": Agent("alice", "Alice", "PJSIP/1001", ("sales",))})


class Kit(FloorKit):
    """The store, and callers of whom the flow knows more than their number."""

    def __init__(self, path: Address) -> None:
        super().__init__(path, plan())
        self.callbacks = CallbackStore(self.store)

    def comes(self, call_id: str, number: str, identity: str = "") -> str:
        """A caller enters sales; the place."""
        self.note_caller(call_id, number)
        entering = Entering(
            call_id, f"leg-{call_id}", "asterisk", "sales", "en", 0, self.now.wall, "w1", identity=mark_of(identity)
        )
        return self.do(lambda c: self.store.enter(c, self.now, entering)).entry_id

    def breaks_down(self, call_id: str) -> None:
        """The leg is gone, without a hang-up."""
        self.leave(call_id)
        self.do(lambda c: self.callbacks.left(c, self.now, call_id, RTP_TIMEOUT, self.now.wall))
        self.pass_time(UNTOLD_S + 1)
        self.sweep()

    def place(self, entry_id: str) -> Any:
        return next(entry for entry in self.entries() if entry.entry_id == entry_id)


@pytest.fixture
def kit(database: Address) -> Iterator[Kit]:
    kit = Kit(database)
    yield kit
    kit.close()


def test_two_withheld_callers_never_swap_their_places(kit: Kit) -> None:
    first, second = kit.comes("c1", WITHHELD, ADA), kit.comes("c2", WITHHELD, BEN)
    kit.breaks_down("c1")
    kit.breaks_down("c2")
    assert kit.comes("stranger", WITHHELD) not in (first, second)
    assert kit.comes("ben again", WITHHELD, BEN) == second
    assert kit.comes("ada again", WITHHELD, ADA) == first


def test_an_identity_has_its_place_from_whatever_number(kit: Kit) -> None:
    place = kit.comes("c1", HOME, ADA)
    kit.breaks_down("c1")
    assert kit.comes("c2", OFFICE, ADA) == place
    assert (kit.place(place).state, kit.place(place).call_id) == ("waiting", "c2")


@pytest.mark.parametrize("identity", ["", BEN])
def test_the_number_is_not_enough_where_there_is_an_identity(kit: Kit, identity: str) -> None:
    place = kit.comes("c1", HOME, ADA)
    kit.breaks_down("c1")
    assert kit.comes("c2", HOME, identity) != place
    assert kit.place(place).state == "away"


def test_a_place_without_an_identity_goes_by_the_number(kit: Kit) -> None:
    place = kit.comes("c1", HOME)
    kit.breaks_down("c1")
    assert kit.comes("elsewhere", OFFICE, ADA) != place
    assert kit.comes("c2", HOME, ADA) == place


def test_who_was_confirmed_in_a_menu_has_the_place_by_that_from_then_on(kit: Kit) -> None:
    place = kit.comes("c1", HOME)
    kit.do(lambda c: kit.store.step_out(c, kit.now, "c1", kit.now.boot + 60))
    assert kit.comes("c1", HOME, ADA) == place
    kit.breaks_down("c1")
    assert kit.comes("c2", HOME) != place
    assert kit.comes("c3", WITHHELD, ADA) == place


def test_an_identity_goes_along_by_overflow_and_has_the_place_there(kit: Kit) -> None:
    kit.comes("c1", WITHHELD, ADA)
    kit.pass_time(21)
    (verdict,), _ = kit.do(lambda c: kit.store.review(c, kit.now, "w1", ["c1"]))
    assert verdict.entered is not None and verdict.entered.queue == "spare"
    kit.breaks_down("c1")
    assert kit.comes("stranger", WITHHELD) != verdict.entered.entry_id
    assert kit.comes("c2", WITHHELD, ADA) == verdict.entered.entry_id


def test_a_promise_to_an_identity_is_not_taken_by_its_number(kit: Kit) -> None:
    place = kit.comes("c1", HOME, ADA)
    asked = CallbackAsked("c1", "sales", HOME, "en", 0, kit.now.wall)
    assert isinstance(kit.do(lambda c: kit.callbacks.book(c, kit.now, asked))[0], CallbackBooked)
    assert kit.comes("somebody else there", HOME) != place
    assert kit.comes("c2", OFFICE, ADA) == place
    assert [row.state for row in kit.do(lambda c: list(c.execute(callbacks.select())))] == ["taken"]


def test_only_confirmed_callers_have_places_where_the_queue_says_so(kit: Kit) -> None:
    kit.store.plan = plan("confirmed")
    by_number, by_identity = kit.comes("c1", HOME), kit.comes("c2", HOME, ADA)
    kit.leave("c1")
    assert kit.place(by_number).kind == "hung_up", "not known yet why"
    assert kit.comes("at once", HOME) != by_number
    kit.breaks_down("c1")
    kit.breaks_down("c2")
    assert (kit.place(by_number).state, kit.place(by_number).left_because) == ("left", "cut_off")
    assert kit.place(by_identity).state == "away"


def test_a_place_that_nobody_could_have_again_is_not_held(kit: Kit) -> None:
    place = kit.comes("c1", WITHHELD)
    kit.breaks_down("c1")
    assert (kit.place(place).state, kit.place(place).left_because) == ("left", "cut_off")


def test_who_is_rung_back_keeps_the_identity(kit: Kit) -> None:
    kit.presence("alice")
    kit.comes("c1", HOME, ADA)
    (offer,) = kit.offers().values()
    kit.leg("joined", offer.offer_id)
    kit.settle("c1", offer.offer_id, OfferEnd.SERVED, joined_at=kit.now.wall, here=False)
    kit.do(lambda c: kit.callbacks.left(c, kit.now, "c1", RTP_TIMEOUT, kit.now.wall))
    (promised,) = [entry for entry in kit.entries() if entry.state == "away"]
    assert kit.comes("c2", HOME) != promised.entry_id
    assert kit.comes("c3", OFFICE, ADA) == promised.entry_id


def test_marks_tell_identities_apart_and_nothing_else() -> None:
    assert mark_of(ADA) == mark_of(ADA) != mark_of(BEN)
    assert mark_of("") == ""
    assert len(mark_of("x" * 4_000)) == 64
    assert "7" * 12 not in mark_of("7" * 12)


def test_who_is_erased_leaves_no_mark(kit: Kit) -> None:
    party_ref = kit.note_caller("c1", HOME)
    place = kit.comes("c1", HOME, ADA)
    kit.do(lambda c: kit.store.erase_party(c, kit.now, party_ref))
    assert kit.place(place).identity == ""
