"""The nodes that ask and note: what `survey`, `tag` and `callback` ask for, and where each answer leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from cordboard.flows.flow import Flow
from cordboard.flows.run import Finish, FlowRun, Step
from cordboard.telephony.outcomes import (
    CallbackBooked,
    CallbackRefused,
    Done,
    Gathered,
    HungUp,
    NoInput,
    Outcome,
)
from cordboard.telephony.verbs import Gather, Note, Prompt, RequestCallback, Say
from tests.doubles.flow_kit import CALL, NOON, answered, faults_of, flow_of, text_of, walk


def keys(digits: str) -> Gathered:
    return Gathered(digits, "full")


def heard(step: Step) -> list[str]:
    """Names of prompts, and values said between them."""
    assert isinstance(step.verb, Gather)
    said = [one.value if isinstance(one, Say) else one for one in step.verb.prompts]
    return [one.name if isinstance(one, Prompt) else one for one in said]


# survey

SURVEY = """
    a: {survey: ask, name: csat, again: hello, next: b, otherwise: c}
    b: {branch: [{if: csat > 3, then: good}], else: c}
    good: {play: hello, next: bye}
    c: {play: sorry, next: bye}
"""


def test_a_score_is_noted_and_kept_as_a_number() -> None:
    first, noting, good = walk(flow_of(SURVEY), [keys("4"), Done()])
    assert isinstance(first.verb, Gather)
    assert first.verb.max_digits == 1
    assert noting.verb == Note("survey", "csat", "4")
    assert good.entered == ("b", "good")
    assert good.run.variables == {"csat": 4}


@pytest.mark.parametrize("course", [[NoInput(), NoInput()], [keys("6"), keys("0")]])
def test_who_does_not_answer_goes_on_without_a_score(course: list[Outcome]) -> None:
    first, again, gone = walk(flow_of(SURVEY), course)
    assert (heard(first), heard(again)) == (["ask"], ["hello"])
    assert gone.entered == ("c",)
    assert gone.run.variables == {"csat": -1}


def test_without_otherwise_no_answer_goes_the_usual_way() -> None:
    flow = flow_of("a: {survey: ask, name: csat, no_input: {tries: 1}, next: b}\nb: {play: hello, next: bye}")
    assert walk(flow, [NoInput()])[-1].entered == ("b",)


def test_a_scale_of_two_digits() -> None:
    flow = flow_of("a: {survey: ask, name: nps, scale: 0-10, next: bye}")
    first, noting, _ = walk(flow, [keys("10"), Done()])
    assert isinstance(first.verb, Gather)
    assert "1" not in first.verb.ends
    assert {"0", "9", "*"} <= set(first.verb.ends)
    assert noting.verb == Note("survey", "nps", "10")


def test_keys_with_scores_of_their_own() -> None:
    flow = flow_of("a: {survey: ask, name: solved, keys: {1: 100, 2: 0}, next: bye}")
    steps = walk(flow, [keys("2"), Done()])
    assert steps[1].verb == Note("survey", "solved", "0")
    assert steps[2].run.variables == {"solved": 0}


def test_two_surveys_answered_in_one_breath() -> None:
    flow = flow_of("a: {survey: ask, name: csat, next: b}\nb: {survey: ask, name: nps, scale: 0-10, next: bye}")
    step = replace(FlowRun.begin(flow, CALL), answered=True, typed="47").start(NOON)
    assert step.verb == Note("survey", "csat", "4")
    assert step.run.advance(Done(), NOON).verb == Note("survey", "nps", "7")


@pytest.mark.parametrize("scale", ["5", "5-1", "1-101", "0-40", "a-b", "1-5-9"])
def test_what_is_no_scale(scale: str) -> None:
    (found,) = faults_of(text_of(f"a: {{survey: ask, name: csat, scale: {scale}, next: bye}}"))
    assert "scale" in found.message


def test_a_scale_and_keys_contradict_each_other() -> None:
    text = text_of("a: {survey: ask, name: csat, scale: 1-5, keys: {1: 1}, next: bye}")
    assert [found.code for found in faults_of(text)] == ["scale-and-keys"]


# tag


def test_each_tag_is_noted_in_its_order() -> None:
    flow = flow_of(
        """
        s: {set: {visits: 3, vip: true}, next: a}
        a: {tag: {reason: billing, visits: {cel: visits}, vip: {cel: vip}, empty: {cel: "''"}, odd: 1.5}, next: bye}
        """
    )
    steps = walk(flow, [Done(), Done(), Done(), Done()])
    noted = [step.verb for step in steps[:4]]
    assert noted == [
        Note("tag", "reason", "billing"),
        Note("tag", "visits", "3"),
        Note("tag", "vip", "true"),
        Note("tag", "odd", "1.5"),
    ]
    assert steps[4].entered == ("bye",)


def test_a_long_value_is_cut_and_a_long_text_is_refused() -> None:
    flow = flow_of(f"s: {{set: {{long: {'x' * 80}}}, next: a}}\na: {{tag: {{t: {{cel: long}}}}, next: bye}}")
    assert answered(flow).verb == Note("tag", "t", "x" * 64)
    codes = [found.code for found in faults_of(text_of(f"a: {{tag: {{t: {'x' * 65}, u: ''}}, next: bye}}"))]
    assert codes == ["bad-tag", "bad-tag"]


def test_no_secret_becomes_a_tag() -> None:
    text = text_of(
        "g: {gather: ask, save: pin, secret: true, next: a}\na: {tag: {t: {cel: pin}}, next: bye}",
    )
    assert [found.code for found in faults_of(text)] == ["secret-in-expression"]


def test_tags_can_be_noted_after_the_caller_has_left() -> None:
    flow = flow_of("a: {play: hello, next: bye}\nt: {tag: {left: early}, next: bye}", head="on_hangup: t")
    gone = answered(flow).run.advance(HungUp(), NOON)
    assert gone.verb == Note("tag", "left", "early")
    assert gone.run.advance(Done(), NOON).finish == Finish("hung_up")


# callback

CALLBACK = """
    a:
      callback: sales
      offer: ask
      confirm: hello
      is_it_right: again
      ask_number: sorry
      country: GB
      priority: 5
      next: booked
      declined: none
      already: there
      otherwise: no
    booked: {play: hello, next: bye}
    none: {play: hello, next: bye}
    there: {play: hello, next: bye}
    no: {play: hello, next: bye}
"""
OWN = RequestCallback("sales", "+442079460123", "en", 5, "GB")
OTHER = replace(OWN, number="02079460999")
TO_BOOKING: Sequence[Outcome] = (keys("1"), keys("1"))


def test_the_callers_own_number_is_read_back_and_booked() -> None:
    offer, confirm, booking, booked = walk(flow_of(CALLBACK), [*TO_BOOKING, CallbackBooked("c1")])
    assert heard(offer) == ["ask"]
    assert heard(confirm) == ["hello", "442079460123", "again"]
    assert booking.verb == OWN
    assert booked.entered == ("booked",)
    assert booked.run.variables == {"callback.number": "", "callback.booked": True}


def test_another_number_is_asked_for_and_read_back_too() -> None:
    course = [keys("1"), keys("2"), Gathered("02079460999", "end_key"), keys("1"), CallbackBooked("c1")]
    _, _, number, confirm, booking, booked = walk(flow_of(CALLBACK), course)
    assert heard(number) == ["sorry"]
    assert isinstance(number.verb, Gather)
    assert (number.verb.max_digits, number.verb.end_key) == (15, "#")
    assert heard(confirm) == ["hello", "02079460999", "again"]
    assert booking.verb == OTHER
    assert booked.run.variables == {"callback.number": "02079460999", "callback.booked": True}


def test_a_number_entered_survives_a_crash() -> None:
    confirm = walk(flow_of(CALLBACK), [keys("1"), keys("2"), keys("02079460999")])[-1]
    restored = FlowRun.restore(confirm.run.flow, CALL, confirm.run.snapshot()).resume(NOON)
    assert heard(restored) == ["hello", "02079460999", "again"]


@pytest.mark.parametrize(
    ("course", "node"),
    [
        ([keys("2")], "none"),
        ([NoInput(), NoInput(), NoInput()], "none"),
        ([keys("1"), NoInput(), NoInput(), NoInput()], "none"),
        ([*TO_BOOKING, CallbackRefused("already")], "there"),
        ([*TO_BOOKING, CallbackRefused("full")], "no"),
        ([*TO_BOOKING, CallbackRefused("no_store")], "no"),
    ],
)
def test_each_end_has_its_way(course: list[Outcome], node: str) -> None:
    step = walk(flow_of(CALLBACK), course)[-1]
    assert step.entered == (node,)
    assert step.run.variables == {"callback.number": "", "callback.booked": False}


def test_failures_are_counted_for_each_question() -> None:
    steps = walk(flow_of(CALLBACK), [keys("9"), keys("9"), keys("1"), keys("9"), keys("9")])
    assert [step.run.attempts for step in steps] == [(0, 0), (0, 1), (0, 2), (0, 0), (0, 1), (0, 2)]


@pytest.mark.parametrize("digits", ["", "1234", "12*45678"])
def test_digits_that_are_no_number_are_asked_for_again(digits: str) -> None:
    step = walk(flow_of(CALLBACK), [keys("1"), keys("2"), Gathered(digits, "end_key")])[-1]
    assert heard(step) == ["sorry"]
    assert step.run.attempts == (0, 1)


def test_a_number_the_service_refuses_is_asked_for_again() -> None:
    step = walk(flow_of(CALLBACK), [*TO_BOOKING, CallbackRefused("number")])[-1]
    assert heard(step) == ["sorry"]
    assert step.run.advance(keys("02079460999"), NOON).run.variables["callback.number"] == "02079460999"


def of_stranger(flow: Flow) -> Step:
    """The first step of a call without a number."""
    call = replace(CALL, ani="anonymous")
    return replace(FlowRun.begin(flow, call), answered=True).start(NOON)


def test_who_calls_from_no_number_is_asked_for_one() -> None:
    number = of_stranger(flow_of(CALLBACK)).run.advance(keys("1"), NOON)
    assert heard(number) == ["sorry"]
    without = flow_of(CALLBACK.replace("      ask_number: sorry\n", ""))
    assert of_stranger(without).run.advance(keys("1"), NOON).entered == ("no",)


def test_without_confirm_the_number_is_taken_as_it_is() -> None:
    plain = flow_of("a: {callback: sales, offer: ask, next: bye, declined: bye}", head="on_failure: bye")
    _, booking, refused = walk(plain, [keys("1"), CallbackRefused("full")])
    assert booking.verb == RequestCallback("sales", "+442079460123", "en")
    assert refused.faults == ("a: no callback (full), and `otherwise` is not given",)


def test_who_comes_back_after_a_booking_is_offered_anew() -> None:
    flow = flow_of(CALLBACK.replace("next: booked", "next: a"))
    course = [keys("1"), keys("2"), keys("02079460999"), keys("1"), CallbackBooked("c1")]
    step = walk(flow, course)[-1]
    assert heard(step) == ["ask"]
    assert heard(step.run.advance(keys("1"), NOON)) == ["hello", "442079460123", "again"]


def test_the_whole_offer_can_be_answered_in_one_breath() -> None:
    step = replace(FlowRun.begin(flow_of(CALLBACK), CALL), answered=True, typed="1202079460999#1").start(NOON)
    assert step.verb == OTHER


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ("yes_key: 2", "same-key"),
        ("confirm: hello", "missing-key"),
        ("min_digits: 9, max_digits: 8", "out-of-range"),
        ("country: England", "unknown-country"),
        ("ask_number: nothing", "unknown-prompt"),
    ],
)
def test_offers_that_cannot_be_made(options: str, code: str) -> None:
    text = text_of(f"a: {{callback: sales, offer: ask, next: bye, declined: bye, {options}}}")
    assert [found.code for found in faults_of(text)] == [code]


def test_the_queue_is_one_there_is() -> None:
    text = text_of("a: {callback: sails, offer: ask, next: bye, declined: bye}")
    (found,) = faults_of(text)
    assert (found.code, "sales" in found.hint) == ("unknown-queue", True)
