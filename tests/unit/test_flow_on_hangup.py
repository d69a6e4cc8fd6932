"""What a flow still does when the caller has left, and that it asks nothing of the call."""

from __future__ import annotations

import json

import pytest

from cordboard.flows.run import Finish, FlowRun
from cordboard.telephony.outcomes import Done, Failed, HungUp, LookedUp, NotLookedUp, Recorded, Transferred
from cordboard.telephony.verbs import Answer, Hangup, LookUp
from tests.doubles.flow_kit import CALL, NOON, flow_of, walk

LEAVING = """
    a: {play: hello, next: b}
    b: {play: ask, next: bye}
    note: {set: {left: true}, next: who}
    who: {lookup: crm, next: after, on_error: after}
    after: {branch: [{if: left, then: b}], else: b}
"""
FOUND = LookedUp("found", {"name": "Ada"}, 1)


def test_the_flow_goes_on_at_on_hangup_with_what_needs_no_call() -> None:
    _, asking, over = walk(flow_of(LEAVING, "on_hangup: note"), [HungUp(), FOUND])
    assert isinstance(asking.verb, LookUp)
    assert (asking.run.gone, asking.run.variables, asking.entered) == (True, {"left": True}, ("note", "who"))
    assert [(one.node, one.exit) for one in asking.passed] == [("a", ""), ("note", "next")]
    assert over.finish == Finish("hung_up")
    assert over.entered == ("after", "b"), "it ends silently where a node needs the call"


def test_a_second_hang_up_ends_it() -> None:
    over = walk(flow_of(LEAVING, "on_hangup: note"), [HungUp(), HungUp()])[-1]
    assert (over.verb, over.finish) == (None, Finish("hung_up"))


def test_it_happens_once_in_a_call() -> None:
    flow = flow_of(
        "a: {play: hello, next: bye}\nnote: {lookup: crm, next: note, on_error: note}", "on_hangup: note"
    )
    assert walk(flow, [HungUp(), FOUND, HungUp()])[-1].finish == Finish("hung_up")


def test_a_caller_who_leaves_before_the_answer_has_left_too() -> None:
    first = FlowRun.begin(flow_of(LEAVING, "on_hangup: note\nanswer: at_once"), CALL).start(NOON)
    assert first.verb == Answer()
    step = first.run.advance(HungUp(), NOON)
    assert isinstance(step.verb, LookUp), "and nothing is answered any more"


def test_a_caller_who_left_a_message_and_then_the_call() -> None:
    flow = flow_of("a: {voicemail: sales}\nnote: {lookup: crm, next: bye, on_error: bye}", "on_hangup: note")
    steps = walk(flow, [Recorded("/x.wav", 3.0, hung_up=True)])
    assert isinstance(steps[-1].verb, LookUp)


@pytest.mark.parametrize(
    "nodes", ["a: {hangup: busy}", "a: {play: hello, next: bye}", "a: {dial: '0', otherwise: bye}"]
)
def test_a_call_that_the_flow_ends_itself_has_no_caller_who_left(nodes: str) -> None:
    flow = flow_of(f"{nodes}\nnote: {{lookup: crm, next: bye, on_error: bye}}", "on_hangup: note")
    steps = walk(flow, [])
    while not isinstance(steps[-1].verb, Hangup):
        steps.append(steps[-1].run.advance(Done() if "play" in nodes else Failed("x"), NOON))
        if steps[-1].finish:
            return
    assert steps[-1].run.advance(HungUp(), NOON).finish == Finish("hung_up")


def test_a_call_that_was_given_away_has_no_caller_who_left() -> None:
    step = walk(flow_of(LEAVING, "on_hangup: note"), [Transferred()])[-1]
    assert (step.verb, step.finish) == (None, Finish("transferred"))


def test_what_breaks_after_the_call_needs_no_safe_place() -> None:
    breaking = """
        a: {play: hello, next: bye}
        note: {lookup: crm, next: x, on_error: x}
        x: {set: {n: {cel: int(call.caller_name)}}, next: bye}
    """
    flow = flow_of(breaking, "on_hangup: note")
    step = walk(flow, [HungUp(), FOUND])[-1]
    assert (step.finish, len(step.faults)) == (Finish("hung_up"), 1)
    helped = walk(flow_of(breaking, "on_hangup: note\non_failure: note"), [HungUp(), NotLookedUp("late")])[-1]
    assert helped.entered == ("x", "note")
    assert isinstance(helped.verb, LookUp)
    assert helped.run.advance(Failed("again"), NOON).finish == Finish("hung_up")


def test_the_innermost_flow_that_cares_is_gone_to() -> None:
    inner = flow_of("p: {play: ask, next: q}\nq: {return: {}}", "returns: {}", name="inner")
    nodes = """
        a: {set: {n: 5}, next: b}
        b: {subflow: inner, next: bye}
        note: {lookup: crm, by: {cel: string(n)}, next: bye, on_error: bye}
    """
    outer = walk(flow_of(nodes, "on_hangup: note", calls=[inner]), [HungUp()])[-1]
    assert outer.verb is not None
    assert (outer.run.flow.name, outer.verb.number, outer.run.stack) == ("test", "5", ())  # type: ignore[union-attr]
    assert [(one.flow, one.node) for one in outer.passed] == [("inner", "p"), ("test", "b")]
    caring = flow_of("p: {play: ask, next: q}\nq: {return: {}}\nr: {set: {x: 1}, next: q}",
                     "returns: {}\non_hangup: r", name="inner")  # fmt: skip
    step = walk(flow_of(nodes, "on_hangup: note", calls=[caring]), [HungUp()])[-1]
    assert step.finish == Finish("hung_up"), "one is all there is: a return from there ends the run"
    assert step.entered == ("r", "q")


def test_a_flow_can_be_called_after_the_caller_has_left() -> None:
    helper = flow_of("p: {set: {x: 1}, next: q}\nq: {return: {}}", "returns: {}", name="helper")
    nodes = """
        a: {play: hello, next: bye}
        note: {subflow: helper, next: who}
        who: {lookup: crm, next: bye, on_error: bye}
    """
    step = walk(flow_of(nodes, "on_hangup: note", calls=[helper]), [HungUp()])[-1]
    assert (step.run.node, isinstance(step.verb, LookUp)) == ("who", True)


def test_the_next_flow_knows_that_the_caller_has_left() -> None:
    flow = flow_of("a: {play: hello, next: bye}\nnote: {goto: {flow: billing}}", "on_hangup: note")
    step = walk(flow, [HungUp()])[-1]
    assert step.finish == Finish("other_flow", "billing")
    assert step.run.into(flow).start(NOON).finish == Finish("hung_up")
    silent = flow_of("a: {lookup: crm, next: bye, on_error: bye}")
    assert isinstance(step.run.into(silent).start(NOON).verb, LookUp)


def test_a_run_that_goes_on_alone_can_be_stored() -> None:
    flow = flow_of(LEAVING, "on_hangup: note")
    step = walk(flow, [HungUp()])[-1]
    assert FlowRun.restore(flow, CALL, json.loads(json.dumps(step.run.snapshot()))) == step.run
