"""`record`: nobody is recorded who has not been told, and a message is kept where the flow finds it."""

from __future__ import annotations

import pytest

from cordboard.flows.step import Finish
from cordboard.telephony.outcomes import Done, Gathered, NoInput, Outcome, Recorded
from cordboard.telephony.verbs import Gather, Play, Prompt, Record, RecordCall
from tests.doubles.flow_kit import CALL, NOON, faults_of, flow_of, text_of, walk

HELLO = (Prompt("test", "hello", "en", "hello en"),)
START = RecordCall("start", CALL.call_id)


def codes(nodes: str) -> list[str]:
    return [finding.code for finding in faults_of(text_of(nodes))]


def test_the_caller_is_told_before_the_call_is_recorded() -> None:
    steps = walk(flow_of("a: {record: call, consent: hello, next: bye}"), [Done(), Done()])
    assert [step.verb for step in steps[:2]] == [Play(HELLO), START]
    assert steps[2].entered == ("bye",)


def test_where_they_have_been_told_before_it_begins_at_once() -> None:
    assert walk(flow_of("a: {record: call, consent: given_before, next: bye}"), [])[0].verb == START


OPT_OUT = """
    a: {record: call, consent: hello, opt_out: {key: "9", then: no, after_s: 1.5}, next: b}
    b: {play: ask, next: bye}
    no: {play: sorry, next: bye}
"""


def test_who_presses_the_key_is_not_recorded() -> None:
    first, last = walk(flow_of(OPT_OUT), [Gathered("9", "full")])
    assert first.verb == Gather(HELLO, max_digits=1, first_digit_s=1.5, inter_digit_s=1.0)
    assert last.entered == ("no",)


@pytest.mark.parametrize("answer", [NoInput(), Gathered("1", "full")])
def test_who_does_not_press_it_is(answer: Outcome) -> None:
    steps = walk(flow_of(OPT_OUT), [answer, Done()])
    assert steps[1].verb == START and steps[2].entered == ("b",)


def test_the_announcement_is_made_again_after_a_crash_in_it() -> None:
    step = walk(flow_of(OPT_OUT), [])[0]
    assert step.run.resume(NOON).verb == step.verb


@pytest.mark.parametrize("action", ["pause", "resume", "stop"])
def test_a_recording_is_steered(action: str) -> None:
    steps = walk(flow_of(f"a: {{record: {action}, next: bye}}"), [Done()])
    assert steps[0].verb == RecordCall(action)  # type: ignore[arg-type]
    assert steps[1].entered == ("bye",)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ("record: call", "record-without-consent"),
        ("record: call, consent: nothing", "unknown-prompt"),
        ("record: call, consent: given_before, opt_out: {key: 9, then: bye}", "unfit-option"),
        ("record: call, consent: hello, max_s: 5", "unfit-option"),
        ("record: stop, consent: hello", "unfit-option"),
        ("record: message, consent: hello", "unfit-option"),
        ("record: everything", "unknown-choice"),
        ("record: call, consent: hello, opt_out: {key: 99, then: bye}", "out-of-range"),
    ],
)
def test_what_cannot_be_is_told(options: str, code: str) -> None:
    assert codes(f"a: {{{options}, next: bye}}") == [code]


MESSAGE = """
    a: {record: message, greeting: hello, save: address, max_s: 30, silence_s: 3, beep: false, next: b, nothing: no}
    b: {branch: [{if: "address.seconds > 5.0 && address.file != ''", then: long}], else: bye}
    long: {play: ask, next: bye}
    no: {play: sorry, next: a}
"""
FILE = f"{CALL.call_id}-2"


def test_a_message_is_kept_with_its_length() -> None:
    steps = walk(flow_of(MESSAGE), [Done(), Recorded("/x/1.wav", 7.5)])
    assert steps[1].verb == Record("flow.messages", FILE, 30.0, 3.0, "#", beep=False)
    assert steps[2].entered == ("b", "long")
    assert steps[2].run.variables == {"address.file": "/x/1.wav", "address.seconds": 7.5}


def test_less_than_a_second_is_nothing() -> None:
    step = walk(flow_of(MESSAGE), [Done(), Recorded("/x/1.wav", 0.4)])[-1]
    assert step.entered == ("no",)
    assert step.run.variables == {"address.file": "", "address.seconds": 0.0}


def test_two_messages_of_a_call_are_two_files() -> None:
    steps = walk(flow_of(MESSAGE), [Done(), Recorded("/x/1.wav", 0.0), Done(), Done()])
    assert isinstance(steps[-1].verb, Record) and steps[-1].verb.file != FILE


def test_a_message_whose_caller_hangs_up_ends_the_flow() -> None:
    step = walk(flow_of(MESSAGE), [Done(), Recorded("/x/1.wav", 3.0, hung_up=True)])[-1]
    assert step.finish == Finish("hung_up")


def test_a_message_whose_worker_was_lost_is_found_by_the_next() -> None:
    run = walk(flow_of(MESSAGE), [Done()])[-1].run
    assert run.awaits_return and run.recording == Record("flow.messages", FILE, 30.0, 3.0, "#", beep=False)
