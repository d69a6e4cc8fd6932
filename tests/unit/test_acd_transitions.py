"""The tables of states: what they allow, that nothing leads back, and that the manual shows them as they are."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.acd.availability import shown_activity
from cordboard.acd.durations import in_words
from cordboard.acd.model import Activity, OfferState
from cordboard.acd.states_page import states_page
from cordboard.acd.transitions import (
    ACTIVITY_STEPS,
    OFFER_STEPS,
    ActivityFact,
    OfferFact,
    activity_after,
    offer_after,
)
from cordboard.telephony.ports import DeviceState

ORDER = list(OfferState)
PAGE = Path(__file__).parents[2] / "docs" / "acd_states.md"


@given(st.lists(st.sampled_from(OfferFact)))
def test_an_offer_only_ever_goes_on_whatever_is_told_and_in_whatever_order(facts: list[OfferFact]) -> None:
    state = OfferState.OFFERED
    for fact in facts:
        following = offer_after(state, fact)
        assert following is None or ORDER.index(following) > ORDER.index(state)
        state = following or state
        assert offer_after(state, fact) is None, "a fact told twice is no news"


@pytest.mark.parametrize(
    "order", list(itertools.permutations([OfferFact.RUNG, OfferFact.ANSWERED, OfferFact.JOINED]))
)
def test_a_talk_is_a_talk_in_whatever_order_its_facts_come(order: tuple[OfferFact, ...]) -> None:
    state = OfferState.OFFERED
    for fact in order:
        state = offer_after(state, fact) or state
    assert state is OfferState.TALKING


def test_a_leg_that_goes_ends_a_talk_and_says_nothing_of_a_phone_that_rang() -> None:
    assert offer_after(OfferState.TALKING, OfferFact.LEG_GONE) is OfferState.ENDED
    assert offer_after(OfferState.RINGING, OfferFact.LEG_GONE) is None
    assert offer_after(OfferState.TALKING, OfferFact.FAILED) is None


def test_every_open_offer_can_end_and_an_ended_one_stays_so() -> None:
    for state in OfferState:
        ends = {offer_after(state, fact) for fact in OfferFact}
        assert (OfferState.ENDED in ends) == (state is not OfferState.ENDED)


def test_from_every_activity_there_is_a_way_back_to_idle() -> None:
    reachable = {Activity.IDLE}
    for _ in Activity:
        reachable |= {before for (before, _), after in ACTIVITY_STEPS.items() if after in reachable}
    assert reachable == set(Activity)


def test_an_agent_in_wrap_up_gets_no_offer_and_every_talk_has_one() -> None:
    assert activity_after(Activity.WRAP_UP, ActivityFact.OFFERED) is None
    assert activity_after(Activity.TALKING, ActivityFact.TALK_ENDED) is Activity.WRAP_UP
    assert activity_after(Activity.TALKING, ActivityFact.OFFER_FAILED) is None


def test_every_state_and_fact_is_in_a_table() -> None:
    assert {fact for _, fact in OFFER_STEPS} == set(OfferFact)
    assert {fact for _, fact in ACTIVITY_STEPS} == set(ActivityFact)


def test_the_manual_shows_the_tables_as_they_are() -> None:
    assert PAGE.read_text() == states_page(), "write it anew: python -m cordboard.acd.states_page"


@pytest.mark.parametrize(
    ("activity", "device", "shown"),
    [
        (Activity.IDLE, DeviceState.IDLE, "idle"),
        (Activity.IDLE, DeviceState.UNKNOWN, "idle"),
        (Activity.IDLE, DeviceState.IN_USE, "busy_elsewhere"),
        (Activity.IDLE, DeviceState.RINGING, "busy_elsewhere"),
        (Activity.IDLE, DeviceState.BUSY, "busy_elsewhere"),
        (Activity.IDLE, DeviceState.UNAVAILABLE, "unreachable"),
        (Activity.TALKING, DeviceState.IN_USE, "talking"),
        (Activity.WRAP_UP, DeviceState.UNAVAILABLE, "wrap_up"),
    ],
)
def test_what_the_floor_shows(activity: Activity, device: DeviceState, shown: str) -> None:
    assert shown_activity(activity, device) == shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 s"),
        (0.9, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (192, "3 min 12 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
