"""Asking again with other words, keys that came before the question, patterns, extensions keyed in at a menu."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.flows.digit_pattern import PatternRefused, compile_pattern
from cordboard.flows.flow import Flow
from cordboard.flows.question import input_ends
from cordboard.flows.run import FlowRun, Step
from cordboard.flows.type_ahead import TypedAhead, read_typed
from cordboard.telephony.outcomes import Gathered, Interrupted, NoInput, NotServed, Served
from cordboard.telephony.verbs import KEYS, Gather, Prompt
from tests.doubles.flow_kit import CALL, NOON, answered, faults_of, flow_of, text_of, walk


def heard(step: Step) -> list[str]:
    assert isinstance(step.verb, Gather)
    return [one.name for one in step.verb.prompts if isinstance(one, Prompt)]


def keys(digits: str) -> Gathered:
    return Gathered(digits, "full")


def typed_ahead(flow: Flow, keys_pressed: str) -> Step:
    """The first step of a call whose caller has pressed these before anything was asked."""
    return replace(FlowRun.begin(flow, CALL), answered=True, typed=keys_pressed).start(NOON)


# asking again

TAPERED = """
    a:
      menu: ask
      again: hello
      keys: {1: bye}
      no_input: {tries: 4, tapered: [again, [sorry, again]], then: b}
      no_match: {tries: 3, say: sorry, then: b}
    b: {play: hello, next: bye}
"""


def test_each_failure_has_its_words_and_the_last_ones_repeat() -> None:
    steps = walk(flow_of(TAPERED), [NoInput(), NoInput(), NoInput(), NoInput()])
    assert [heard(step) for step in steps[:4]] == [
        ["ask"],
        ["again", "hello"],
        ["sorry", "again", "hello"],
        ["sorry", "again", "hello"],
    ]
    assert steps[4].entered == ("b",)


def test_the_words_of_the_two_kinds_of_failure_are_counted_apart() -> None:
    steps = walk(flow_of(TAPERED), [NoInput(), keys("9"), NoInput()])
    assert [heard(step) for step in steps[1:]] == [
        ["again", "hello"],
        ["sorry", "hello"],
        ["sorry", "again", "hello"],
    ]


def test_after_a_crash_the_whole_question_is_asked_and_the_failures_count_on() -> None:
    resumed = walk(flow_of(TAPERED), [NoInput(), NoInput()])[-1].run.resume(NOON)
    assert heard(resumed) == ["ask"]
    assert resumed.run.attempts == (2, 0)


def test_nothing_more_needs_to_be_asked_where_the_words_before_it_do() -> None:
    flow = flow_of(
        """
        a:
          gather: ask
          again: []
          save: n
          next: bye
          no_input: {say: again}
          no_match: {tapered: [sorry, again]}
        """
    )
    assert [heard(step) for step in walk(flow, [NoInput(), keys("")])[1:]] == [["again"], ["sorry"]]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ("again: [], no_input: {say: again}", "silent-question"),
        ("no_match: {say: again, tapered: [sorry]}", "say-and-tapered"),
        ("no_match: {tapered: [sorry, nothing]}", "unknown-prompt"),
        ("again: nothing", "unknown-prompt"),
    ],
)
def test_what_cannot_be_asked_again(options: str, code: str) -> None:
    assert [found.code for found in faults_of(text_of(f"a: {{menu: ask, keys: {{1: bye}}, {options}}}"))] == [code]


# keys of several digits


def test_nobody_waits_where_no_longer_key_can_come() -> None:
    verb = answered(flow_of("a: {menu: ask, keys: {1: bye, 12: bye, 3: bye, '*': bye}}")).verb
    assert isinstance(verb, Gather)
    assert verb.max_digits == 2
    assert "1" not in verb.ends, "12 may come"
    assert {"3", "*"} <= set(verb.ends)
    assert "4" in verb.ends, "a wrong key is told at once"


def test_a_menu_of_single_keys_says_nothing_of_ends() -> None:
    verb = answered(flow_of("a: {menu: ask, keys: {1: bye, 2: bye}}")).verb
    assert isinstance(verb, Gather)
    assert (verb.max_digits, verb.ends) == (1, ())


@given(st.sets(st.text("12", min_size=1, max_size=4), min_size=1, max_size=6))
def test_an_input_ends_exactly_where_no_wanted_one_goes_on(wanted: set[str]) -> None:
    longest = max(map(len, wanted))
    ends = input_ends(wanted, longest)
    for one in {*wanted, *KEYS}:
        goes_on = any(key.startswith(one) and key != one for key in wanted)
        assert (one in ends) == (len(one) < longest and not goes_on)


# direct dial

DIRECT = """
    a: {menu: ask, keys: {1: b, 2: c}, direct_dial: {next: ring, unknown: e}}
    b: {play: hello, next: bye}
    c: {play: hello, next: bye}
    e: {play: sorry, next: bye}
    ring: {dial: {extension_from: extension}, otherwise: bye}
"""


def test_an_extension_is_dialled_at_the_menu() -> None:
    first, second = walk(flow_of(DIRECT), [keys("1042")])
    assert isinstance(first.verb, Gather)
    assert first.verb.max_digits == 4
    assert "1" not in first.verb.ends, "1001 begins with it"
    assert {"2", "0"} <= set(first.verb.ends), "no extension goes on behind them"
    assert second.entered == ("ring",)
    assert second.run.variables == {"extension": "1042"}
    assert second.verb is not None
    assert "PJSIP/1042" in repr(second.verb)


@pytest.mark.parametrize(("digits", "node"), [("1", "b"), ("2", "c"), ("0", "ring"), ("1999", "e")])
def test_keys_of_the_menu_go_first_and_unknown_extensions_have_their_way(digits: str, node: str) -> None:
    assert walk(flow_of(DIRECT), [keys(digits)])[-1].entered == (node,)


def test_what_is_neither_is_no_match() -> None:
    direct = """
    a: {menu: ask, keys: {1: bye}, direct_dial: ring}
    ring: {dial: {extension_from: extension}, otherwise: bye}
    """
    assert walk(flow_of(direct), [keys("1999")])[-1].run.attempts == (0, 1)
    narrowed = direct.replace("direct_dial: ring", "direct_dial: {next: ring, lengths: [1]}")
    flow = flow_of(narrowed)
    assert walk(flow, [keys("1042")])[-1].run.attempts == (0, 1)
    verb = answered(flow).verb
    assert isinstance(verb, Gather)
    assert verb.max_digits == 1


# type-ahead


@pytest.mark.parametrize(
    ("verb", "typed", "read"),
    [
        (Gather((), 1, 5, 3), "12", TypedAhead("1", "2", is_complete=True)),
        (Gather((), 4, 5, 3, "#"), "12#9", TypedAhead("12", "9", is_complete=True)),
        (Gather((), 2, 5, 3, "#"), "12#9", TypedAhead("12", "9", is_complete=True)),
        (Gather((), 2, 5, 3, "#"), "123", TypedAhead("12", "3", is_complete=True)),
        (Gather((), 4, 5, 3, "#"), "12", TypedAhead("12")),
        (Gather((), 4, 5, 3, "#"), "#1", TypedAhead("", "1", is_complete=True)),
        (Gather((), 2, 5, 3, ends=("3",)), "31", TypedAhead("3", "1", is_complete=True)),
        (Gather((), 2, 5, 3, ends=("3",)), "1", TypedAhead("1")),
    ],
)
def test_keys_are_read_as_the_phone_would_have(verb: Gather, typed: str, read: TypedAhead) -> None:
    assert read_typed(verb, typed) == read


MENUS = """
    a: {menu: ask, keys: {1: b, 2: c, 23: bye}}
    b: {menu: ask, keys: {3: c}}
    c: {gather: ask, save: account, min_digits: 2, max_digits: 4, next: d}
    d: {play: hello, next: bye}
"""


def test_keys_typed_ahead_lead_through_menus_without_their_being_played() -> None:
    step = typed_ahead(flow_of(MENUS), "131234")
    assert step.entered == ("a", "b", "c", "d")
    assert step.run.variables == {"account": "1234"}
    assert step.run.typed == ""


def test_keys_that_play_hears_are_those_of_the_next_question() -> None:
    flow = flow_of("p: {play: hello, next: a}" + MENUS.replace("\n    ", "\n"))
    step = answered(flow).run.advance(Interrupted("1"), NOON)
    assert step.entered == ("a", "b")
    assert heard(step) == ["ask"]


def test_what_is_typed_in_part_is_gone_on_with_in_silence() -> None:
    step = typed_ahead(flow_of(MENUS), "2")
    assert isinstance(step.verb, Gather)
    assert (step.verb.prompts, step.verb.typed, step.verb.max_digits) == ((), "2", 2)
    assert step.run.advance(keys("23"), NOON).entered == ("bye",)
    account = typed_ahead(flow_of(MENUS), "1312")
    assert isinstance(account.verb, Gather)
    assert (account.verb.prompts, account.verb.typed) == ((), "12")
    assert account.run.advance(keys("12"), NOON).run.variables == {"account": "12"}


def test_keys_left_over_are_the_next_questions_and_wrong_ones_throw_them_away() -> None:
    step = typed_ahead(flow_of(MENUS), "19345")
    assert step.entered == ("a", "b")
    assert step.run.attempts == (0, 1)
    assert step.run.typed == ""
    assert step.run.advance(keys("3"), NOON).entered == ("c",)


def test_a_question_that_must_be_heard_takes_nothing_typed_before() -> None:
    step = typed_ahead(flow_of("a: {menu: ask, keys: {1: bye}, barge_in: false}"), "1")
    assert heard(step) == ["ask"]
    assert step.run.typed == ""


def test_a_secret_typed_ahead_shows_nowhere() -> None:
    flow = flow_of("a: {gather: ask, save: pin, max_digits: 4, secret: true, next: b}\nb: {play: hello, next: bye}")
    step = typed_ahead(flow, "9876")
    assert step.entered == ("a", "b")
    assert step.run.secrets["pin"].digits == "9876"
    part = typed_ahead(flow, "987")
    for shown in (step, part):
        assert "987" not in f"{shown!r} {shown.run.snapshot()} {shown.run.checkpoint()} {shown.passed}"


def test_keys_typed_before_a_talk_answer_nothing_after_it() -> None:
    flow = flow_of("a: {queue: sales, next: b, otherwise: b}\nb: {menu: ask, keys: {1: bye}}")
    for outcome in (Served("alice"), NotServed("max_wait")):
        step = typed_ahead(flow, "1").run.advance(outcome, NOON)
        assert heard(step) == ["ask"]


# patterns


def test_digits_that_do_not_fit_the_pattern_are_no_match() -> None:
    flow = flow_of("a: {gather: ask, save: n, pattern: '[1-9][0-9]{2}|0', next: bye}")
    for digits, fits in {"123": True, "0": True, "012": False, "1234": False, "12": False}.items():
        step = walk(flow, [keys(digits)])[-1]
        assert (step.entered == ("bye",)) is fits, digits


@pytest.mark.parametrize("pattern", ["(1)\\1", "(?=1)1", "[1-", "(1", "1{2000}", "1" * 201])
def test_what_is_no_pattern_or_could_run_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(PatternRefused):
        compile_pattern(pattern)
    written = pattern.replace("'", "''")
    (found,) = faults_of(text_of(f"a: {{gather: ask, save: n, pattern: '{written}', next: bye}}"))
    assert found.code == "bad-pattern"


@pytest.mark.parametrize("pattern", ["(1+)+", "((1|11)+)+", "(1|1)*", "((1*)*)*", "(.*.*.*)*2"])
def test_no_pattern_takes_long_whatever_the_digits(pattern: str) -> None:
    """A backtracking matcher needs longer than the universe has existed for these."""
    compiled = compile_pattern(pattern)
    began = time.process_time()
    compiled.fits("1" * 63 + "3")
    assert time.process_time() - began < 1.0


def test_a_secret_has_no_pattern() -> None:
    (found,) = faults_of(text_of("a: {gather: ask, save: n, secret: true, pattern: '1+', next: bye}"))
    assert (found.code, found.line, found.column) == ("secret-pattern", 10, 52)
