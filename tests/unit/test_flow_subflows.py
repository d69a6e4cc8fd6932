"""Flows that call each other: what goes in and comes back, what breaks, and how a call finds its place again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from cordboard.bootstrap.configuration import load_configuration
from cordboard.errors import ConfigurationError, FlowError
from cordboard.flows.calling import base_of
from cordboard.flows.checkpoint import parse_checkpoint
from cordboard.flows.flow import Flow
from cordboard.flows.loader import load_flows
from cordboard.flows.run import Finish, FlowRun, Step
from cordboard.telephony.outcomes import Connected, Done, Failed, Gathered, HungUp
from cordboard.telephony.verbs import Answer, Dial, Gather, Hangup, Play, Say
from tests.doubles.flow_kit import AROUND, CALL, NOON, answered, faults_of, flow_of, load, text_of, walk

CONFIRM = flow_of(
    """
    read: {say: {digits: {cel: number}}, barge_in: false, next: ask}
    ask: {menu: ask, keys: {1: yes_, 2: no_, 3: bye}}
    yes_: {return: {ok: true, rounds: {cel: rounds}}}
    no_: {return: {ok: false, rounds: 0}}
    """,
    head="params: {number: text, rounds: number}\nreturns: {ok: yes_no, rounds: number}",
    name="confirm",
)
CALLING = """
    a: {set: {number: "77"}, next: check}
    check: {subflow: confirm, with: {number: {cel: call.ani}, rounds: 2}, save: check, next: b}
    b: {branch: [{if: "check.ok && check.rounds > 1.5 && number == '77'", then: c}], else: bye}
    c: {play: hello, next: bye}
"""
ONE, TWO = Gathered("1", "full"), Gathered("2", "full")


def restored(step: Step, *flows: Flow) -> FlowRun:
    """The run as another process restores it. flows: those of that process, if not the same."""
    snapshot = json.loads(json.dumps(step.run.snapshot()))
    known = {(flow.name, flow.revision): flow for flow in (*flows, step.run.base)}
    return FlowRun.restore(known[base_of(snapshot)] if not flows else flows[0], CALL, snapshot)


def places(step: Step) -> list[tuple[str, str, str]]:
    return [(one.flow, one.node, one.exit) for one in step.passed]


# what goes in and comes back


def test_a_flow_is_gone_through_and_gives_values_back() -> None:
    flow = flow_of(CALLING, calls=[CONFIRM])
    reading, asking, at_c = walk(flow, [Done(), ONE])
    assert reading.verb == Say("digits", "+442079460123", "en") or isinstance(reading.verb, Play)
    assert (reading.run.flow.name, reading.run.node) == ("confirm", "read")
    assert dict(reading.run.variables) == {"number": "+442079460123", "rounds": 2.0}
    assert isinstance(asking.verb, Gather)
    assert (at_c.run.flow.name, at_c.run.node, at_c.run.stack) == ("test", "c", ())
    assert at_c.run.variables == {"number": "77", "check.ok": True, "check.rounds": 2.0}
    assert at_c.run.path == (
        "test/a", "test/check", "confirm/read", "confirm/ask", "confirm/yes_", "test/b", "test/c"
    )  # fmt: skip


def test_the_nodes_passed_are_told_with_their_flow_and_what_they_changed() -> None:
    flow = flow_of(CALLING, calls=[CONFIRM])
    reading, asking, at_c = walk(flow, [Done(), ONE])
    assert places(reading) == [("test", "a", "next")]
    assert reading.passed[0].changed == {"number": "77"}
    assert places(asking) == [("confirm", "read", "next")]
    assert places(at_c) == [
        ("confirm", "ask", "keys.1"),
        ("confirm", "yes_", ""),
        ("test", "check", "next"),
        ("test", "b", "branch.0.then"),
    ]
    assert at_c.passed[2].changed == {"check.ok": True, "check.rounds": 2.0}
    assert "2.0" not in repr(at_c.passed)


def test_without_a_name_to_save_under_nothing_is_kept() -> None:
    nodes = "a: {subflow: confirm, with: {number: '1', rounds: 2}, next: b}\nb: {play: hello, next: bye}"
    at_b = walk(flow_of(nodes, calls=[CONFIRM]), [Done(), TWO])[-1]
    assert (at_b.run.node, at_b.run.variables) == ("b", {})


def test_the_language_goes_in_and_comes_back() -> None:
    polyglot = flow_of(
        "a: {play: hello, next: b}\nb: {language: en, next: c}\nc: {return: {}}", "returns: {}", name="poly"
    )
    nodes = "a: {language: es, next: b}\nb: {subflow: poly, next: c}\nc: {play: hello, next: bye}"
    inside, after = walk(flow_of(nodes, calls=[polyglot]), [Done()])
    assert inside.run.language == "es"
    assert after.run.language == "en"


def test_a_language_that_only_the_called_flow_speaks_is_left_there() -> None:
    polyglot = flow_of("a: {language: es, next: b}\nb: {return: {}}", "returns: {}", name="poly")
    text = text_of("a: {subflow: poly, next: b}\nb: {play: hello, next: bye}").replace("[en, es]", "[en]")
    only_english = re.sub(", es: [a-z]* es", "", text)
    assert answered(load(only_english, calls=[polyglot])).run.language == "en"


def test_keys_typed_ahead_and_what_was_answered_go_through() -> None:
    flow = flow_of(CALLING, calls=[CONFIRM])
    reading = replace(FlowRun.begin(flow, CALL), answered=True, typed="1").start(NOON)
    assert (reading.run.flow.name, reading.run.answered, reading.run.typed) == ("confirm", True, "1")
    assert reading.run.advance(Done(), NOON).run.node == "c", "the menu inside has taken it"


def test_the_flow_that_took_the_call_says_when_it_is_answered() -> None:
    flow = flow_of(CALLING, "answer: never", calls=[CONFIRM])
    step = FlowRun.begin(flow, CALL).start(NOON)
    assert not isinstance(step.verb, Answer)
    assert step.run.flow.name == "confirm"


def test_a_hang_up_inside_ends_the_call() -> None:
    steps = walk(flow_of(CALLING, calls=[CONFIRM]), [Done(), Gathered("3", "full"), HungUp()])
    assert steps[2].verb == Hangup()
    assert steps[3].finish == Finish("hung_up")
    assert places(steps[3]) == [("confirm", "bye", ""), ("test", "check", "")]


def test_another_flow_is_gone_to_for_good() -> None:
    leaving = flow_of("a: {goto: {flow: billing}}", "returns: {}", name="leaving")
    step = answered(flow_of("a: {subflow: leaving, next: bye}", calls=[leaving]))
    assert step.finish == Finish("other_flow", "billing")
    assert step.run.into(flow_of("a: {play: hello, next: bye}")).stack == ()


# what breaks


def test_a_flow_that_breaks_helps_itself_first() -> None:
    careful = flow_of("a: {play: hello, next: b}\nb: {return: {}}", "returns: {}\non_failure: b", name="careful")
    nodes = "a: {subflow: careful, next: b, on_failure: bye}\nb: {play: again, next: bye}"
    step = walk(flow_of(nodes, calls=[careful]), [Failed("no sound")])[-1]
    assert (step.run.node, step.faults) == ("b", ("careful/a: no sound",))


@pytest.mark.parametrize("own", ["", "on_failure: sorry"])
def test_a_flow_that_cannot_help_itself_breaks_the_node_that_called_it(own: str) -> None:
    careless = flow_of("a: {play: hello, next: sorry}\nsorry: {play: sorry, next: c}\nc: {return: {}}",
                       f"returns: {{}}\n{own}", name="careless")  # fmt: skip
    outcomes = [Failed("one"), Failed("two")] if own else [Failed("one")]
    handled = walk(
        flow_of("a: {subflow: careless, next: bye, on_failure: b}\nb: {play: again, next: bye}", calls=[careless]),
        outcomes,
    )[-1]
    assert (handled.run.node, handled.run.failing) == ("b", False)
    assert handled.passed[-1] == ("test", "a", "on_failure", {})
    unhandled = flow_of(
        "a: {subflow: careless, next: bye}\nb: {play: again, next: bye}", "on_failure: b", calls=[careless]
    )
    step = walk(unhandled, outcomes)[-1]
    assert (step.run.node, step.run.failing) == ("b", True)
    assert step.faults[-1] == "a: the flow careless broke"
    lost = walk(flow_of("a: {subflow: careless, next: bye}", calls=[careless]), outcomes)[-1]
    assert lost.finish == Finish("failed")


def test_each_call_of_a_flow_may_break_anew_but_not_without_end() -> None:
    broken = flow_of("a: {set: {x: {cel: int(call.caller_name)}}, next: b}\nb: {return: {}}",
                     "returns: {}\non_failure: b", name="broken")  # fmt: skip
    step = answered(flow_of("a: {subflow: broken, next: a}", calls=[broken]))
    assert step.finish == Finish("failed")
    unsaved = flow_of(
        "a: {set: {x: {cel: int(call.caller_name)}}, next: b}\nb: {return: {}}", "returns: {}", name="broken"
    )
    again = answered(flow_of("a: {subflow: broken, next: bye, on_failure: a}", "on_failure: a", calls=[unsaved]))
    assert again.finish == Finish("failed")
    assert len(again.entered) < 2_000


def test_flows_that_ask_nothing_and_call_each_other_in_a_loop_end() -> None:
    silent = flow_of("a: {return: {}}", "returns: {}", name="silent")
    step = answered(flow_of("a: {subflow: silent, next: a}", calls=[silent]))
    assert step.finish == Finish("failed")
    assert "loop" in step.faults[0]


def test_a_return_without_a_caller_is_a_fault() -> None:
    step = answered(flow_of("a: {return: {}}\nb: {play: sorry, next: bye}", "returns: {}\non_failure: b"))
    assert (step.entered, step.run.failing) == (("a", "b"), True)


# finding back


def test_a_run_inside_is_restored_with_all_that_waits() -> None:
    outer = flow_of(CALLING, calls=[CONFIRM])
    top = flow_of("t: {subflow: test, save: x, next: u}\nu: {play: again, next: bye}", name="top",
                  calls=[replace(outer, params={}, returns={})])  # fmt: skip
    for step, outcome in zip(walk(top, [Done(), ONE, Done()]), [Done(), ONE, Done(), HungUp()], strict=True):
        again = restored(step)
        assert again == step.run
        assert again.path == step.run.path
        assert again.advance(outcome, NOON) == step.run.advance(outcome, NOON)
    assert len(walk(top, [Done()])[-1].run.stack) == 2


def test_a_checkpoint_names_the_innermost_place_and_asks_for_the_row() -> None:
    first, second, third = walk(flow_of(CALLING, calls=[CONFIRM]), [Done(), ONE])
    place = parse_checkpoint(second.run.checkpoint())
    assert (place.flow, place.revision, place.node) == ("confirm", CONFIRM.revision, "ask")
    assert (first.run.kept_at, second.run.kept_at) == (1, 1)
    assert third.run.kept_at == 3, "coming back is kept, too"
    run = FlowRun.restore(second.run.base, CALL, first.run.snapshot(), at=place)
    assert run == second.run


def test_going_in_is_kept_although_no_variable_changed() -> None:
    plain = flow_of("a: {play: hello, next: b}\nb: {return: {}}", "returns: {}", name="plain")
    flow = flow_of(
        "a: {play: ask, next: s}\ns: {subflow: plain, next: c}\nc: {play: again, next: bye}", calls=[plain]
    )
    assert [step.run.kept_at for step in walk(flow, [Done(), Done(), Done()])] == [0, 2, 3, 3]


def test_a_secret_asked_for_inside_is_asked_for_again_there() -> None:
    pin = flow_of("p: {gather: ask, save: pin, secret: true, next: q}\nq: {play: hello, next: r}\nr: {return: {}}",
                  "returns: {}", name="pin")  # fmt: skip
    flow = flow_of(
        "a: {set: {x: 1}, next: b}\nb: {subflow: pin, next: c}\nc: {play: again, next: bye}", calls=[pin]
    )
    at_q = walk(flow, [Gathered("4711", "full")])[-1]
    assert (at_q.run.node, "4711" in json.dumps(at_q.run.snapshot())) == ("q", False)
    run = restored(at_q)
    assert (run.flow.name, run.node, run.secrets, len(run.stack)) == ("pin", "p", {}, 1)
    assert run.advance(Gathered("1", "full"), NOON).run.node == "q"


def test_a_secret_asked_for_outside_is_asked_for_again_there() -> None:
    inner = flow_of("p: {gather: ask, save: n, next: q}\nq: {return: {}}", "returns: {}", name="inner")
    flow = flow_of(
        """
        a: {gather: ask, save: pin, secret: true, next: b}
        b: {subflow: inner, next: c}
        c: {branch: [{if: size(pin) == 4, then: d}], else: bye}
        d: {play: again, next: bye}
        """,
        calls=[inner],
    )
    inside = walk(flow, [Gathered("4711", "full")])[-1]
    assert inside.run.flow.name == "inner"
    assert walk(flow, [Gathered("4711", "full"), ONE])[-1].run.node == "d", "the secret outlives the call of a flow"
    run = restored(inside)
    assert (run.flow.name, run.node, run.stack, run.variables) == ("test", "a", (), {})


def test_nobody_is_asked_for_a_pin_while_a_party_may_be_talking() -> None:
    ringing = flow_of("p: {dial: '1001', otherwise: q, next: q}\nq: {return: {}}", "returns: {}", name="ringing")
    flow = flow_of(
        """
        a: {gather: ask, save: pin, secret: true, next: b}
        b: {subflow: ringing, next: c}
        c: {play: again, next: bye}
        """,
        calls=[ringing],
    )
    dialling = walk(flow, [ONE])[-1]
    assert isinstance(dialling.verb, Dial)
    assert restored(dialling).resume_with(Connected(3), NOON).run.node == "c"


def test_a_call_goes_on_in_the_flows_of_today_if_they_still_call_each_other() -> None:
    inside = walk(flow_of(CALLING, calls=[CONFIRM]), [Done()])[-1]
    later = flow_of(CALLING.replace("hello", "again"), calls=[CONFIRM])
    assert restored(inside, later).advance(ONE, NOON).run.node == "c"
    without = flow_of("check: {play: hello, next: bye}")
    with pytest.raises(FlowError, match="does not call the flow confirm"):
        restored(inside, without)
    renamed = flow_of(
        CALLING.replace("check:", "verify:", 1).replace("next: check", "next: verify"), calls=[CONFIRM]
    )
    with pytest.raises(FlowError, match="no such node"):
        restored(inside, renamed)


def test_snapshots_of_earlier_releases_are_restored() -> None:
    step = walk(flow_of("a: {play: hello, next: b}\nb: {play: ask, next: bye}"), [Done()])[-1]
    old = {key: value for key, value in step.run.snapshot().items() if key not in ("stack", "gone", "path")}
    assert old["version"] == 1
    assert FlowRun.restore(step.run.flow, CALL, old) == step.run


# loading

CONFIRM_FRAME = "returns: {ok: yes_no}\nparams: {number: text, amount: number}"
SHAPE = flow_of("a: {return: {ok: true}}", CONFIRM_FRAME, name="confirm")
FAULTS = [
    ("a: {subflow: confrm, next: bye}", "unknown-flow", "there is no flow `confrm`", "did you mean `confirm`?"),
    ("a: {subflow: billing, next: bye}", "not-callable", "cannot be called", "returns: {}"),
    ("WITH {number: '1'}, next: bye}", "missing-parameter", "`amount` is missing", "amount"),
    ("WITH {nubmer: '1', number: '', amount: 1}, next: bye}", "unknown-parameter", "`nubmer`", "`number`"),
    ("WITH {number: 5, amount: 1}, next: bye}", "wrong-type", "expected text, found a whole", "quotes"),
    ("WITH {number: '1', amount: true}, next: bye}", "wrong-type", "a decimal number", ""),
    ("WITH {number: {cel: 1 + 1}, amount: 1}, next: bye}", "expression-type", "not text", ""),
    ("WITH {number: {cel: nobody}, amount: 1}, next: bye}", "unknown-variable", "nobody", ""),
    ("a: {goto: {flow: confirm}}", "flow-needs-params", "without its parameters", "subflow: confirm"),
    ("a: {return: {}}", "return-to-nobody", "no flow can call this one", "returns: {}"),
]  # fmt: skip


@pytest.mark.parametrize(("node", "code", "message", "hint"), FAULTS, ids=[row[0] for row in FAULTS])
def test_a_fault_in_a_call(node: str, code: str, message: str, hint: str) -> None:
    written = node.replace("WITH {", "a: {subflow: confirm, with: {")
    (finding,) = faults_of(text_of(written), calls=[SHAPE])
    assert (finding.line, finding.code) == (10, code)
    assert message in finding.message
    assert hint in finding.hint


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ("{}", "missing-returned-value"),
        ("{ok: true, more: 1}", "unknown-returned-value"),
        ("{ok: 1}", "wrong-type"),
        ("{ok: {cel: call.ani}}", "expression-type"),
    ],
)
def test_a_fault_in_what_is_returned(values: str, code: str) -> None:
    assert [one.code for one in faults_of(text_of(f"a: {{return: {values}}}", "returns: {ok: yes_no}"))] == [code]


def test_a_language_that_the_called_flow_does_not_speak() -> None:
    shape = replace(SHAPE, languages=("en",))
    found = faults_of(text_of("a: {subflow: confirm, with: {number: '1', amount: 1}, next: bye}"), calls=[shape])
    assert [(one.code, one.message) for one in found] == [
        ("subflow-language", "the flow `confirm` does not speak `es`")
    ]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("params: {number: txt}", "unknown-choice"),
        ("params: {call: text}", "bad-name"),
        ("returns: {Ok: text}", "bad-name"),
        ("on_hangup: nowhere", "unknown-node"),
    ],
)
def test_a_fault_in_the_frame(frame: str, code: str) -> None:
    assert [one.code for one in faults_of(text_of("a: {play: hello, next: bye}", frame))] == [code]


def test_a_parameter_is_a_variable_like_any_other() -> None:
    nodes = 'a: {branch: [{if: "n > 1.5", then: b}], else: b}\nb: {set: {n: 2.5}, next: c}\nc: {return: {}}'
    assert flow_of(nodes, "params: {n: number}").variables == {"n": "double"}
    assert [one.code for one in faults_of(text_of(nodes.replace("2.5", "x"), "params: {n: number}"))] == [
        "variable-type"
    ]
    secret = "a: {gather: ask, save: n, secret: true, next: b}\nb: {return: {}}"
    assert "secret-overwritten" in [one.code for one in faults_of(text_of(secret, "params: {n: text}"))]


def write(folder: Path, **flows: tuple[str, str]) -> None:
    for name, (nodes, head) in flows.items():
        (folder / f"{name}.yaml").write_text(text_of(nodes, head, name))


def test_flows_are_loaded_behind_those_they_call_and_are_pinned(tmp_path: Path) -> None:
    write(
        tmp_path,
        a=("a: {subflow: b, save: x, next: s}\ns: {branch: [{if: x.ok, then: bye}], else: bye}", ""),
        b=("a: {subflow: c, save: y, next: s}\ns: {return: {ok: {cel: y.ok}}}", "returns: {ok: yes_no}"),
        c=("a: {return: {ok: true}}", "returns: {ok: yes_no}"),
    )
    flows = load_flows(tmp_path, AROUND)
    assert flows["a"].subflows["b"] is flows["b"]
    assert flows["b"].subflows["c"] is flows["c"]
    before = {name: flow.revision for name, flow in flows.items()}
    write(tmp_path, c=("a: {return: {ok: false}}", "returns: {ok: yes_no}"))
    after = load_flows(tmp_path, AROUND)
    assert all(after[name].revision != before[name] for name in "abc"), "a change below is a change of all above"
    write(tmp_path, c=("a: {return: {ok: true}}", "returns: {ok: yes_no}"))
    assert {name: flow.revision for name, flow in load_flows(tmp_path, AROUND).items()} == before


def codes_of(folder: Path) -> list[tuple[str, int, str]]:
    with pytest.raises(ConfigurationError) as refused:
        load_flows(folder, AROUND)
    return [(Path(one.file).name, one.line, one.code) for one in refused.value.findings]


def test_a_circle_of_calls_is_a_fault(tmp_path: Path) -> None:
    write(
        tmp_path,
        a=("a: {subflow: b, next: s}\ns: {return: {}}", "returns: {}"),
        b=("a: {subflow: c, next: s}\ns: {return: {}}", "returns: {}"),
        c=("s: {return: {}}\na: {subflow: a, next: s}", "returns: {}\nstart: a"),
        own=("a: {subflow: own, next: s}\ns: {return: {}}", "returns: {}"),
    )
    found = codes_of(tmp_path)
    assert ("own.yaml", 10, "subflow-cycle") in found or ("own.yaml", 9, "subflow-cycle") in found
    assert [code for _, _, code in found] == ["subflow-cycle", "subflow-cycle"]


def chain(length: int) -> Iterable[tuple[str, tuple[str, str]]]:
    for number in range(length):
        nodes = f"a: {{subflow: f{number + 1}, next: s}}\ns: {{return: {{}}}}"
        yield f"f{number}", (nodes if number < length - 1 else "a: {return: {}}", "returns: {}")


def test_flows_call_each_other_ten_deep_and_no_deeper(tmp_path: Path) -> None:
    write(tmp_path, **dict(chain(11)))
    flows = load_flows(tmp_path, AROUND)
    step = answered(flows["f0"])
    assert step.faults == ("f0: no flow has called this one: there is nowhere to return to",) or step.finish
    write(tmp_path, **dict(chain(12)))
    assert [code for _, _, code in codes_of(tmp_path)] == ["subflow-depth"]


def test_all_faults_of_flows_that_call_each_other_come_at_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        a=("a: {subflow: b, save: x, next: s}\ns: {say: {digits: {cel: x.no}}, next: by}", ""),
        b=("a: {plya: hello}", "returns: {ok: text}"),
    )
    found = codes_of(tmp_path)
    assert {code for _, _, code in found} >= {"unknown-variable", "unknown-node", "unknown-verb"}


def test_a_number_cannot_lead_to_a_flow_with_parameters(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    write(
        tmp_path / "flows",
        confirm=("a: {return: {}}", "params: {n: text}"),
        open=("a: {return: {}}", "returns: {}"),
    )
    (tmp_path / "cordboard.yaml").write_text("extensions: {'0': PJSIP/1000}\n")
    (tmp_path / "numbers.yaml").write_text("numbers:\n  5000: confirm\n  5001: open\ndefault: confirm\n")
    with pytest.raises(ConfigurationError) as refused:
        load_configuration(tmp_path, need_secrets=False)
    assert [(one.line, one.column, one.code) for one in refused.value.findings] == [
        (2, 9, "flow-needs-params"),
        (4, 10, "flow-needs-params"),
    ]
