"""The `script` node: what a script is given, what is kept of what it returns, and where it leads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cordboard.flows.flow import Flow
from cordboard.flows.run import FlowRun, Step
from cordboard.flows.surroundings import ScriptShape
from cordboard.telephony.outcomes import Gathered, Outcome, ScriptEnded, ScriptFailed
from cordboard.telephony.verbs import RunScript
from tests.doubles.flow_kit import AROUND, CALL, NOON, faults_of, flow_of, text_of

SCRIPTS = replace(
    AROUND,
    scripts={
        "price": ScriptShape(
            {"order": "string", "share": "double"}, {"price": "double", "note": "string"}, frozenset({"pin"}), 1.5
        ),
        "ping": ScriptShape({}, {}),
    },
)
NODES = """
    ask: {gather: ask, save: order_no, next: pin}
    pin: {gather: ask, save: pin, secret: true, next: price}
    price:
      script: price
      with: {order: {cel: order_no}, share: 1}
      secrets: {pin: pin}
      save: quote
      next: tell
      on_error: sorry
    tell: {play: hello, next: bye}
    sorry: {play: sorry, next: bye}
"""


def running(flow: Flow) -> Step:
    """The step at which the script runs."""
    step = replace(FlowRun.begin(flow, CALL), answered=True).start(NOON)
    for digits in ("17", "918273"):
        step = step.run.advance(Gathered(digits, "full"), NOON)
    return step


def after(outcome: Outcome) -> Step:
    return running(flow_of(NODES, around=SCRIPTS)).run.advance(outcome, NOON)


def test_it_is_given_values_of_its_types_and_the_digits_it_may_see() -> None:
    step = running(flow_of(NODES, around=SCRIPTS))
    assert step.verb == RunScript("price", 1.5, (("share", 1.0), ("order", "17")), (("pin", "918273"),))
    assert "918273" not in f"{step} {step.verb} {step.run.snapshot()}"


@pytest.mark.parametrize(
    ("outcome", "node", "price", "note"),
    [
        (ScriptEnded({"price": 12.5, "note": "x"}), "tell", 12.5, "x"),
        (ScriptEnded({"price": "x"}), "tell", 0.0, ""),
        (ScriptFailed("it raised ValueError"), "sorry", 0.0, ""),
    ],
)
def test_what_is_kept(outcome: Outcome, node: str, price: float, note: str) -> None:
    step = after(outcome)
    assert step.entered == (node,)
    assert step.run.variables == {"order_no": "17", "quote.price": price, "quote.note": note}


def test_without_a_way_of_its_own_a_fault_goes_to_on_failure() -> None:
    flow = flow_of(NODES.replace("on_error: sorry", ""), "on_failure: bye", SCRIPTS)
    step = running(flow).run.advance(ScriptFailed("it raised ValueError"), NOON)
    assert step.faults == ("price: the script `price` failed: it raised ValueError",)


def test_a_secret_that_nobody_has_keyed_breaks_the_node() -> None:
    flow = flow_of(NODES.replace("next: pin}", "next: price}", 1), "on_failure: bye", SCRIPTS)
    run = replace(FlowRun.begin(flow, CALL), answered=True).start(NOON).run
    step = run.advance(Gathered("17", "full"), NOON)
    assert step.faults == ("price: the secret `pin` has no value yet",)


def test_after_a_crash_the_secret_is_asked_for_again() -> None:
    run = running(flow_of(NODES, around=SCRIPTS)).run
    back = FlowRun.restore(run.flow, CALL, run.snapshot()).resume(NOON)
    assert back.run.node == "pin"


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ("script: prise", ["unknown-script"]),
        ("script: price, with: {order: x, share: 1.5}", ["missing-parameter"]),
        ("script: price, with: {order: x}, secrets: {pin: pin}", ["missing-parameter"]),
        ("script: price, with: {order: 17, share: 1.5}, secrets: {pin: pin}", ["wrong-type"]),
        ("script: price, with: {order: {cel: '17'}, share: 1.5}, secrets: {pin: pin}", ["expression-type"]),
        ("script: price, with: {order: {cel: pin}, share: 1.5}, secrets: {pin: pin}", ["secret-in-expression"]),
        ("script: price, with: {order: x, share: 1.5}, secrets: {pin: order_no}", ["not-secret"]),
        ("script: price, with: {order: x, share: 1.5}, secrets: {pin: pin, pen: pin}", ["unknown-parameter"]),
        ("script: price, with: {order: x, share: 1.5, pin: {cel: pin}}, secrets: {pin: pin}",
         ["unknown-parameter", "secret-in-expression"]),
        ("script: ping, with: {order: x}", ["unknown-parameter"]),
    ],
)  # fmt: skip
def test_findings(options: str, codes: list[str]) -> None:
    nodes = f"""
        ask: {{gather: ask, save: order_no, next: pin}}
        pin: {{gather: ask, save: pin, secret: true, next: run}}
        run: {{{options}, next: bye, on_error: bye}}
    """
    findings = [one for one in faults_of(text_of(nodes), SCRIPTS) if one.is_error]
    assert [one.code for one in findings] == codes
    assert {one.line for one in findings} == {12}


def test_somebody_must_care_for_a_script_that_fails() -> None:
    nodes = "run: {script: ping, next: bye}"
    assert [one.code for one in faults_of(text_of(nodes), SCRIPTS)] == ["no-on-error"]
