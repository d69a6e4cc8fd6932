"""What callers ask for as they wait: steps that lower, drop, swap and add, and an agent tried first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordboard.acd.model import Agent, WaitingCall
from cordboard.acd.needs_json import asks_as_json, needs_as_json, needs_from_json
from cordboard.acd.needs_words import asked_of, in_words
from cordboard.acd.relaxation import waited_s
from cordboard.telephony.needs import Needs, RelaxStep, after_refusal, needs_after, next_change_s, with_defaults
from tests.doubles.matching_kit import NOW

NEEDS = Needs(
    require=(("spanish", 3), ("billing", 2)),
    prefer=(("patience", 4),),
    relax=(
        RelaxStep(30.0, lower=(("spanish", 1), ("patience", 2))),
        RelaxStep(60.0, swap=(("spanish", "english"),)),
        RelaxStep(90.0, drop=("billing",), require=(("calm", 1),)),
    ),
    agent="alice",
    agent_s=20.0,
)


@pytest.mark.parametrize(
    ("waited", "require", "prefer", "agent"),
    [
        (0.0, (("spanish", 3), ("billing", 2)), (("patience", 4),), "alice"),
        (19.9, (("spanish", 3), ("billing", 2)), (("patience", 4),), "alice"),
        (20.0, (("spanish", 3), ("billing", 2)), (("patience", 4),), ""),
        (30.0, (("spanish", 1), ("billing", 2)), (("patience", 2),), ""),
        (60.0, (("english", 1), ("billing", 2)), (("patience", 2),), ""),
        (90.0, (("english", 1), ("calm", 1)), (("patience", 2),), ""),
    ],
)
def test_each_step_fires_at_its_second(
    waited: float, require: tuple[tuple[str, int], ...], prefer: tuple[tuple[str, int], ...], agent: str
) -> None:
    asked = needs_after(NEEDS, waited)
    assert (asked.require, asked.prefer, asked.agent) == (require, prefer, agent)


@pytest.mark.parametrize(("english", "asked"), [(1, 3), (5, 5)])
def test_a_skill_swapped_for_one_that_is_asked_for_already_is_asked_for_once(english: int, asked: int) -> None:
    needs = Needs((("english", english), ("spanish", 3)), relax=(RelaxStep(30.0, swap=(("spanish", "english"),)),))
    assert needs_after(needs, 30.0).require == (("english", asked),)


def test_what_changes_next_is_the_agent_tried_first_then_each_step() -> None:
    changes, waited = [], 0.0
    while (changed_s := next_change_s(NEEDS, waited)) is not None:
        changes.append(changed_s)
        waited = changed_s
    assert changes == [20.0, 30.0, 60.0, 90.0]


def test_lowering_never_raises() -> None:
    lowered = needs_after(Needs((("spanish", 1),), relax=(RelaxStep(5.0, lower=(("spanish", 4),)),)), 5.0)
    assert lowered.require == (("spanish", 1),)


def test_asking_anew_for_a_skill_takes_the_place_of_what_was_asked() -> None:
    asked = needs_after(Needs((("spanish", 1),), relax=(RelaxStep(5.0, require=(("spanish", 4),)),)), 5.0)
    assert asked.require == (("spanish", 4),)


def test_who_refused_comes_again_at_the_second_and_who_is_excluded_never() -> None:
    asked = after_refusal(replace(NEEDS, exclude=("carol",)), "bob", 25.5)
    assert next_change_s(asked, 20.0) == 25.5
    assert (needs_after(asked, 25.4).refused, needs_after(asked, 25.5).refused) == ((("bob", 25.5),), ())
    assert needs_after(asked, 999.0).exclude == ("carol",)
    assert after_refusal(asked, "bob", 40.0).refused == (("bob", 40.0),), "the last time counts"


@given(st.floats(0.0, 1e7), st.floats(0.001, 1e5))
def test_at_the_second_a_step_is_due_it_is_not_still_to_come(entered: float, after_s: float) -> None:
    asked = Needs((("a", 1),), relax=(RelaxStep(after_s, drop=("a",)),))
    woken_at = entered + after_s
    assert needs_after(asked, woken_at - entered).require == ()
    assert next_change_s(asked, woken_at - entered) is None


steps = st.lists(
    st.builds(
        RelaxStep,
        after_s=st.sampled_from((10.0, 20.0, 30.0, 40.0)),
        drop=st.sampled_from(((), ("a",), ("b",))),
        lower=st.sampled_from(((), (("a", 1),))),
        swap=st.sampled_from(((), (("a", "c"),))),
        require=st.sampled_from(((), (("b", 2),))),
    ),
    unique_by=lambda step: step.after_s,
).map(lambda found: tuple(sorted(found, key=lambda step: step.after_s)))
needs = st.builds(
    Needs,
    require=st.sampled_from(((), (("a", 3),), (("a", 3), ("b", 5)))),
    prefer=st.sampled_from(((), (("d", 2),))),
    relax=steps,
    agent=st.sampled_from(("", "alice")),
    agent_s=st.sampled_from((5.0, 25.0)),
    exclude=st.sampled_from(((), ("bob",))),
    refused=st.sampled_from(((), (("carol", 15.0),), (("carol", 15.0), ("dan", 99.0)))),
)
moments = st.sampled_from((0.0, 4.9, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 99.0))


@settings(max_examples=200, deadline=None)
@given(needs, moments, moments)
def test_relaxing_in_two_parts_is_relaxing_once(asked: Needs, first: float, second: float) -> None:
    earlier, later = sorted((first, second))
    assert needs_after(needs_after(asked, earlier), later) == needs_after(asked, later)


@settings(max_examples=200, deadline=None)
@given(needs)
def test_json_keeps_everything(asked: Needs) -> None:
    known = asked if asked.agent else replace(asked, agent_s=0.0)
    assert needs_from_json(needs_as_json(known)) == known


def test_who_asks_for_nothing_is_an_empty_text_and_likes_are_alike() -> None:
    assert (needs_as_json(Needs()), asks_as_json(Needs(prefer=(("a", 1),)))) == ("", "")
    refused = asks_as_json(Needs(refused=(("a", 5.0),)))
    assert refused == asks_as_json(Needs(refused=(("a", 9.0),))) != ""
    one, other = Needs((("a", 1), ("b", 2)), relax=NEEDS.relax), Needs((("b", 2), ("a", 1)))
    assert asks_as_json(one) == asks_as_json(other)


def test_a_flow_adds_to_what_its_queue_asks_for_and_lifts_it_with_0() -> None:
    queue = Needs((("spanish", 3), ("billing", 1)), relax=(RelaxStep(9.0, drop=("billing",)),))
    asked = with_defaults(Needs((("spanish", 0), ("internet", 2))), queue)
    assert asked == Needs((("billing", 1), ("internet", 2)), relax=queue.relax)


def test_waiting_is_measured_by_the_clock_that_nobody_can_set() -> None:
    call = WaitingCall("e", "c", "sales", 0, NOW.wall - 3600, entered_boot=NOW.boot - 5)
    assert waited_s(call, NOW) == 5.0
    assert waited_s(replace(call, entered_boot=None), NOW) == 3600.0


# in words


def words(waited: float) -> tuple[str, ...]:
    alice = Agent("alice", "Alice", "PJSIP/1", ("sales",), skills={"spanish": 4, "billing": 2, "patience": 3})
    return asked_of(alice, WaitingCall("e", "c", "sales", 0, NOW.wall - waited, NEEDS), NOW)


def test_the_reason_names_levels_and_until_when_they_are_asked_for() -> None:
    assert words(0) == (
        "alice is the one to be tried first until 20 s",
        "alice has spanish 4, asked for 3 until 30 s",
        "alice has billing 2, asked for 2 until 90 s",
    )
    assert words(30) == (
        "alice has spanish 4, asked for 1 until 60 s",
        "alice has billing 2, asked for 2 until 90 s",
        "alice has patience 3, preferred at 2",
        "relaxed after 30 s: asked for spanish 3 and billing 2 before",
    )


def test_an_end_that_was_reckoned_is_told_in_tenths_of_a_second() -> None:
    needs = replace(NEEDS, agent_s=76.29921)
    alice = Agent("alice", "Alice", "PJSIP/1", ("sales",))
    call = WaitingCall("e", "c", "sales", 0, NOW.wall, needs)
    assert asked_of(alice, call, NOW)[0] == "alice is the one to be tried first until 76.3 s"


def test_needs_are_told_in_a_line() -> None:
    assert in_words(NEEDS) == "spanish 3 and billing 2, alice first"
    assert in_words(Needs()) == "nothing"
    assert in_words(Needs(agent="bob")) == "bob first"
