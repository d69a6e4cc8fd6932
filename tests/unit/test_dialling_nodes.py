"""`dial` and `transfer`: whom a flow may ring, how it says so, and where each end of it leads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cordboard.flows.flow import Flow
from cordboard.flows.step import Finish
from cordboard.telephony.dial_policy import DialPolicy
from cordboard.telephony.outcomes import (
    Connected,
    Done,
    Gathered,
    NotConnected,
    NotServed,
    Outcome,
    Served,
    Transferred,
)
from cordboard.telephony.outside_numbers import parse_outside
from cordboard.telephony.verbs import (
    AgentDevice,
    Destination,
    Dial,
    Enqueue,
    Extension,
    OutsideNumber,
    Prompt,
    Transfer,
)
from tests.doubles.flow_kit import AROUND, NOON, faults_of, flow_of, text_of, walk

OUTSIDE = parse_outside("PJSIP/{number}@trunk", country="GB", countries=["GB"], caller_id="+442079460100")
WORLD = replace(
    AROUND,
    dial_policy=DialPolicy.of({"10XX": "PJSIP/{extension}"}, OUTSIDE),
    agents={"bob": "PJSIP/1002"},
    destinations={"reception": "from-internal,100,1"},
)
LONDON = OutsideNumber("+442079460123", "PJSIP/+442079460123@trunk", "+442079460100")
ALICE, BOB = Extension("1001", "PJSIP/1001"), AgentDevice("bob", "PJSIP/1002")


def flow(nodes: str) -> Flow:
    return flow_of(nodes, around=WORLD)


def codes(nodes: str) -> list[str]:
    return [finding.code for finding in faults_of(text_of(nodes), WORLD)]


@pytest.mark.parametrize(
    ("target", "verb"),
    [
        ('"1001"', Dial((ALICE,), 20.0)),
        ("{extension: 1001}", Dial((ALICE,), 20.0)),
        ("{agent: bob}", Dial((BOB,), 20.0)),
        ('{number: "+44 20 7946 0123"}', Dial((LONDON,), 20.0)),
        ('{number: "020 7946 0123"}', Dial((LONDON,), 20.0)),
        ('{group: ["1001", {agent: bob}]}', Dial((ALICE, BOB), 20.0)),
        ('{group: [1001, {number: "020 7946 0123"}], strategy: in_order}', Dial((ALICE, LONDON), 20.0, True)),
    ],
)
def test_targets_are_typed(target: str, verb: Dial) -> None:
    assert walk(flow(f"a: {{dial: {target}, otherwise: bye}}"), [])[0].verb == verb


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("{}", "dial-one-target"),
        ("{extension: 1001, agent: bob}", "dial-one-target"),
        ("{group: []}", "dial-one-target"),
        ("{group: [{agent: bob, number: 112}]}", "dial-one-target"),
        ("2001", "extension-refused"),
        ("{agent: rob}", "unknown-agent"),
        ('{number: "+53 7 123 4567"}', "number-refused"),
        ('{number: "0909 879 0123"}', "number-refused"),
        ("{group: [1001, {agent: rob}]}", "unknown-agent"),
        ("{number_from: nothing}", "unknown-variable"),
        ("{queue: nothing}", "unknown-queue"),
        ("{group: [1001], strategy: random}", "unknown-choice"),
        (f"{{group: [{', '.join(['1001'] * 21)}]}}", "out-of-range"),
    ],
)
def test_what_cannot_be_rung_is_told_when_the_flow_loads(target: str, code: str) -> None:
    assert codes(f"a: {{dial: {target}, otherwise: bye}}") == [code]


NUMBER = """
    ask: {gather: ask, save: digits, next: a}
    a: {dial: {number_from: digits}, refused: no, otherwise: bye, next: bye}
    no: {play: sorry, next: bye}
"""


def test_a_number_that_a_caller_keyed_goes_through_the_policy() -> None:
    assert walk(flow(NUMBER), [Gathered("02079460123", "full")])[-1].verb == Dial((LONDON,), 20.0)
    for digits in ("0053712345678", "09098790123", "118118", "1001"):
        assert walk(flow(NUMBER), [Gathered(digits, "full")])[-1].entered == ("a", "no"), digits


def test_too_many_calls_to_numbers_go_the_same_way() -> None:
    steps = walk(flow(NUMBER), [Gathered("02079460123", "full"), NotConnected("refused")])
    assert steps[-1].entered == ("no",)


def test_a_group_leaves_out_whom_the_policy_does_not_allow() -> None:
    nodes = """
        ask: {gather: ask, save: digits, next: a}
        a: {dial: {group: [{number_from: digits}, 1001]}, refused: no, otherwise: bye}
        no: {play: sorry, next: bye}
    """
    assert walk(flow(nodes), [Gathered("09098790123", "full")])[-1].verb == Dial((ALICE,), 20.0)
    nobody = nodes.replace(", 1001]", "]")
    assert walk(flow(nobody), [Gathered("09098790123", "full")])[-1].entered == ("a", "no")


def test_what_is_said_before_a_call_is_accepted_goes_with_the_verb() -> None:
    verb = walk(flow("a: {dial: 1001, screen: hello, otherwise: bye}"), [])[0].verb
    assert verb == Dial((ALICE,), 20.0, screen=(Prompt("test", "hello", "en", "hello en"),))


@pytest.mark.parametrize(("kind", "found"), [("digits", []), ("spelled", ["unfit-option"])])
def test_of_values_only_digits_can_be_said_before_a_call_is_accepted(kind: str, found: list[str]) -> None:
    prompts = f"prompts: {{from: {{en: 'A call from {{call.ani | {kind}}}.'}}}}"
    nodes = "nodes:\n  a: {dial: 1001, screen: from, otherwise: bye}\n  bye: {hangup: normal}\n"
    assert [one.code for one in faults_of(f"flow: t\n{prompts}\n{nodes}", WORLD)] == found


def test_who_does_not_accept_has_rejected_the_call() -> None:
    nodes = "a: {dial: 1001, screen: hello, rejected: no, otherwise: bye}\nno: {play: sorry, next: bye}"
    assert walk(flow(nodes), [NotConnected("rejected")])[-1].entered == ("no",)


def test_a_queue_is_waited_in_as_by_its_own_node() -> None:
    nodes = """
        a: {dial: {queue: sales}, next: b, otherwise: no}
        b: {play: hello, next: bye}
        no: {play: sorry, next: bye}
    """
    first, *_ = walk(flow(nodes), [])
    assert first.verb == Enqueue("sales", "en")
    for outcome, node in ((Served("alice"), "b"), (NotServed("max_wait"), "no")):
        assert walk(flow(nodes), [outcome])[-1].entered == (node,)


@pytest.mark.parametrize("option", ["ring_s: 5", "screen: hello", "busy: bye"])
def test_options_that_a_queue_has_no_use_for_are_told(option: str) -> None:
    assert codes(f"a: {{dial: {{queue: sales}}, otherwise: bye, {option}}}") == ["unfit-option"]


# -- transfer --


@pytest.mark.parametrize(
    ("target", "destination"),
    [
        ("{to: reception}", Destination("reception", "from-internal,100,1")),
        ("1001", ALICE),
        ("{agent: bob}", BOB),
        ('{number: "020 7946 0123"}', LONDON),
    ],
)
def test_a_transfer_ends_the_flow_for_good(target: str, destination: object) -> None:
    first, last = walk(flow(f"a: {{transfer: {target}, otherwise: bye}}"), [Transferred()])
    assert first.verb == Transfer(destination)  # type: ignore[arg-type]
    assert (last.verb, last.finish) == (None, Finish("transferred"))
    assert last.run.advance(Done(), NOON).finish == Finish("transferred")


@pytest.mark.parametrize("outcome", [NotConnected("unreachable"), NotConnected("refused")])
def test_a_call_that_cannot_be_given_away_stays_with_the_flow(outcome: Outcome) -> None:
    nodes = "a: {transfer: {to: reception}, otherwise: no}\nno: {play: sorry, next: bye}"
    assert walk(flow(nodes), [outcome])[-1].entered == ("no",)
    faulty = walk(flow_of("a: {transfer: {to: reception}}", "on_failure: bye", WORLD), [outcome])[-1]
    assert faulty.entered == ("bye",) and "not transferred" in faulty.faults[0]


def test_digits_that_are_nobodys_are_not_transferred() -> None:
    nodes = """
        ask: {gather: ask, save: digits, next: a}
        a: {transfer: {extension_from: digits}, otherwise: no}
        no: {play: sorry, next: bye}
    """
    assert walk(flow(nodes), [Gathered("1005", "full")])[-1].verb == Transfer(Extension("1005", "PJSIP/1005"))
    assert walk(flow(nodes), [Gathered("2005", "full")])[-1].entered == ("a", "no")


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("{to: recption}", "unknown-destination"),
        ("{}", "dial-one-target"),
        ("{to: reception, extension: 1001}", "dial-one-target"),
        ("{queue: sales}", "unknown-key"),
    ],
)
def test_a_place_that_is_not_there_is_told_when_the_flow_loads(target: str, code: str) -> None:
    assert codes(f"a: {{transfer: {target}, otherwise: bye}}") == [code]


def test_a_conversation_goes_on_after_a_group() -> None:
    nodes = 'a: {dial: {group: ["1001", {agent: bob}]}, next: b, otherwise: bye}\nb: {play: hello, next: bye}'
    assert walk(flow(nodes), [Connected(3.0)])[-1].entered == ("b",)
