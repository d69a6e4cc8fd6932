"""A trace says what happened in a call, without secrets, and a replay of it writes the same to the last byte."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_flow_laws import FITTING, WILD, flows

from cordboard.flows.flow import Flow
from cordboard.flows.replay import first_difference
from cordboard.flows.trace import as_text, outcome_json, outcome_of
from cordboard.telephony import outcomes as o
from cordboard.telephony.hangup_causes import HangupCause
from cordboard.telephony.verbs import Gather
from tests.doubles.flow_kit import CALL, NOON, flow_of
from tests.doubles.trace_kit import TracedWalk

ROWS = {
    o.Done: o.Done(),
    o.Gathered: o.Gathered("12#", "end_key"),
    o.NoInput: o.NoInput(),
    o.Connected: o.Connected(3.25),
    o.NotConnected: o.NotConnected("busy"),
    o.Recorded: o.Recorded("/a.wav", 2.5, hung_up=True),
    o.HungUp: o.HungUp(HangupCause.BUSY),
    o.Failed: o.Failed("no such file"),
    o.Served: o.Served("alice"),
    o.NotServed: o.NotServed("max_wait"),
    o.LeftByKey: o.LeftByKey("1", keeps_place=True),
    o.AgentRung: o.AgentRung("o1", "joined", 1.5, 2.5),
    o.LookedUp: o.LookedUp("several", {"tier": "gold", "visits": 3, "vip": True, "balance": 1.0}, 2, ({"a": 1},)),
    o.NotLookedUp: o.NotLookedUp("late"),
    o.Interrupted: o.Interrupted("4"),
    o.Transferred: o.Transferred(),
    o.HttpAnswered: o.HttpAnswered(200, {"state": "sent", "big": 2**70, "half": "\ud800"}),
    o.HttpFailed: o.HttpFailed("late", 503),
    o.ScriptEnded: o.ScriptEnded({"price": 2}),
    o.ScriptFailed: o.ScriptFailed("killed"),
    o.CallbackBooked: o.CallbackBooked("c1"),
    o.CallbackRefused: o.CallbackRefused("full"),
    o.ActedAsAgent: o.ActedAsAgent("alice", "Alice Ray", "paused", "lunch", wraps_up=True),
    o.AgentRefused: o.AgentRefused("full"),
    o.FlowReturned: o.FlowReturned({"ok": True}),
}
PIN = """
start: {gather: ask, save: pin, secret: true, min_digits: 4, max_digits: 4, next: used}
used: {branch: [{if: "size(pin) == 4", then: account}], else: bye}
account: {gather: ask, save: account, max_digits: 6, next: bye}
"""
AHEAD = """
greeting: {play: hello, next: main}
main: {menu: ask, keys: {1: pin, 2: greeting}, no_match: {then: bye}, no_input: {then: bye}}
pin: {gather: ask, save: pin, secret: true, min_digits: 4, max_digits: 4, next: bye}
"""


@pytest.mark.parametrize("kind", get_args(o.Outcome), ids=lambda kind: kind.__name__)
def test_every_outcome_is_read_back_as_it_was(kind: type) -> None:
    outcome = ROWS[kind]
    text = as_text(outcome_json(outcome))
    assert outcome_of(json.loads(text)) == outcome
    assert {type(value) for value in json.loads(text)[kind.__name__].values()} <= {
        str,
        int,
        float,
        bool,
        dict,
        list,
    }


@pytest.mark.parametrize("data", [{}, {"Nothing": {}}, {"Gathered": {"keys": "1"}}, {"HungUp": {"cause": "bored"}}])
def test_what_is_no_outcome_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        outcome_of(data)


CHOICES = st.lists(st.integers(0, 9_999), max_size=25)
SECRET = "8675309"


def go(walk: TracedWalk, choice: int) -> None:
    """On by what mostly can happen now, sometimes by what cannot, or on another worker."""
    verb = walk.step.verb
    fitting = FITTING[type(verb)] if verb is not None and choice % 7 else WILD
    outcome = fitting[choice // 100 % len(fitting)]
    if isinstance(verb, Gather) and verb.secret and isinstance(outcome, o.Gathered):
        outcome = o.Gathered(SECRET, "full")
    match choice // 7 % 12:
        case 0:
            walk.come_back()
        case 1:
            walk.come_back(outcome)
        case 2:
            walk.fail("the switch broke")
        case 3 if not walk.step.finish:
            walk.lose()
        case _:
            walk.advance(outcome)
    if walk.step.finish and walk.step.finish.kind == "other_flow":
        walk.into(walk.first)


@settings(max_examples=150, deadline=None)
@given(flows(), CHOICES)
def test_a_replay_writes_the_same_to_the_last_byte_and_no_secret(flow: Flow, choices: list[int]) -> None:
    """Whatever the flow and the call, also if it passes through workers, and from one flow into the next."""
    walk = TracedWalk(flow)
    for choice in choices:
        go(walk, choice)
    assert walk.difference() is None
    assert SECRET not in walk.text


@settings(max_examples=50, deadline=None)
@given(flows(), CHOICES, st.data())
def test_a_record_that_says_something_else_is_noticed(flow: Flow, choices: list[int], data: st.DataObject) -> None:
    walk = TracedWalk(flow)
    for choice in choices:
        go(walk, choice)
    steps = walk.steps
    number = data.draw(st.integers(0, len(steps) - 1))
    other = as_text(steps[number].data | {"node": "elsewhere/node"})
    steps[number] = replace(steps[number], record=other)
    found = first_difference(CALL, steps, lambda name, _: walk.flows.get(name))
    assert found is not None
    assert found.number == number


def test_secret_digits_are_so_many_dots_and_route_alike() -> None:
    walk = TracedWalk(flow_of(PIN))
    walk.advance(o.Done(), o.Gathered("8675", "full"), o.Gathered("123456", "full"), o.HungUp())
    assert "8675" not in walk.text
    assert '"digits":"••••"' in walk.text
    assert "123456" in walk.text
    assert walk.step.run.variables == {"account": "123456"}
    assert walk.difference() is None


def test_keys_typed_ahead_show_where_they_led_and_a_pin_behind_them_does_not() -> None:
    walk = TracedWalk(flow_of(AHEAD))
    walk.advance(o.Done(), o.Interrupted("18675"))
    assert walk.step.run.secrets["pin"].digits == "8675"
    assert walk.steps[-1].given.keys == "1••••"
    assert "8675" not in walk.text
    assert walk.difference() is None


def test_a_key_typed_ahead_that_is_all_there_is_shows() -> None:
    walk = TracedWalk(flow_of(AHEAD))
    walk.advance(o.Done(), o.Interrupted("2"))
    assert (walk.step.run.node, walk.steps[-1].given.keys) == ("greeting", "2")
    assert walk.difference() is None


def test_wrong_keys_typed_ahead_need_not_show() -> None:
    walk = TracedWalk(flow_of(AHEAD))
    walk.advance(o.Done(), o.Interrupted("98675"))
    assert walk.steps[-1].given.keys == "•••••"
    assert walk.difference() is None


def test_a_record_names_the_way_each_node_was_left_by_and_what_it_changed() -> None:
    walk = TracedWalk(flow_of(PIN))
    walk.advance(o.Done(), o.Gathered("8675", "full"), o.Gathered("123456", "full"))
    passed = [one for step in walk.steps for one in step.data.get("passed", [])]
    assert passed == [
        ["test", "start", "next", {"pin": ""}],
        ["test", "used", "branch.0.then", {}],
        ["test", "account", "next", {"account": "123456"}],
    ]
    assert walk.steps[1].data["verb"] == {
        "Gather": {"prompts": ["test/ask.en"], "max_digits": 4, "first_digit_s": 5.0, "inter_digit_s": 3.0,
                   "end_key": "#", "secret": True}
    }  # fmt: skip


def test_a_replay_on_another_revision_says_where_the_call_would_go_another_way() -> None:
    walk = TracedWalk(flow_of("main: {menu: ask, keys: {1: hello, 2: bye}}\nhello: {play: hello, next: bye}"))
    walk.advance(o.Done(), o.Gathered("1", "full"), o.Done(), o.HungUp())
    walk.flows["test"] = flow_of("main: {menu: ask, keys: {1: other, 2: bye}}\nother: {play: hello, next: bye}")
    found = walk.difference(is_exact=False)
    assert found is not None and found.replayed is not None
    assert (found.number, found.recorded["node"], found.replayed["node"]) == (2, "test/hello", "test/other")
    walk.flows["test"] = flow_of(
        "main: {menu: ask, keys: {1: hello, 2: bye}, no_input: {after_s: 9}}\nhello: {play: hello, next: bye}"
    )
    assert walk.difference() is not None, "another time is another trace"
    assert walk.difference(is_exact=False) is None, "and the same way"


def test_a_revision_that_is_gone_or_a_lost_beginning_is_said_so() -> None:
    walk = TracedWalk(flow_of(PIN))
    walk.advance(o.Done(), o.Gathered("8675", "full"))
    gone = first_difference(CALL, walk.steps, lambda *_: None)
    assert gone is not None and "is not kept any more" in gone.reason
    cut = first_difference(CALL, walk.steps[1:], lambda name, _: walk.flows[name])
    assert cut is not None and "the beginning of the trace is missing" in cut.reason


def test_times_come_back_to_the_microsecond() -> None:
    from cordboard.store.traces import moment

    for number in range(1000):
        at = NOON + timedelta(seconds=number * 86_400.777, microseconds=number)
        assert moment(at.timestamp()) == at
