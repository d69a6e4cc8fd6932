"""Laws that hold for every flow and every course of a call: random flows, random outcomes, even impossible ones."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cordboard.config.yaml_reader import parse_yaml
from cordboard.errors import ConfigurationError
from cordboard.flows.checkpoint import parse_checkpoint
from cordboard.flows.flow import Flow
from cordboard.flows.loader import load_flow
from cordboard.flows.run import FlowRun, Step
from cordboard.telephony.outcomes import (
    AgentRung,
    Connected,
    Done,
    Failed,
    Gathered,
    HungUp,
    LookedUp,
    NoInput,
    NotConnected,
    NotLookedUp,
    NotServed,
    Outcome,
    Recorded,
    Served,
)
from tests.doubles.flow_kit import AROUND, CALL, NOON

NODES = [f"n{number}" for number in range(6)]
TARGET = st.sampled_from(NODES)
MAYBE = st.one_of(st.none(), TARGET)
PROMPT = st.sampled_from(["hello", "ask"])
KEYS = st.sampled_from(["1", "2", "12", "*"])
TEXTS = ["d0", "d1"]


def node(**options: Any) -> st.SearchStrategy[dict[str, Any]]:
    """A node of these options, without those that came out as None."""
    return st.fixed_dictionaries(options).map(
        lambda drawn: {key.rstrip("_"): value for key, value in drawn.items() if value is not None}
    )


RETRIES = node(tries=st.integers(1, 3), say=st.one_of(st.none(), PROMPT), then=MAYBE)
CONDITION = st.sampled_from(
    [
        "customer.found && customer.visits > 2",
        "count > 2",
        "d0 == '1'",
        "int(d1) > 5",
        "call.language == 'es'",
        "size(pin) == 4",
        "count / (count - 1) > 1",
    ]
)
NODE = st.one_of(
    node(play=PROMPT, next=TARGET),
    node(say=st.sampled_from([{"number": 5}, {"digits": {"cel": "d0"}}, {"time": {"cel": "now"}}]), next=TARGET),
    node(menu=PROMPT, keys=st.dictionaries(KEYS, TARGET, min_size=1), no_input=RETRIES, no_match=RETRIES),
    node(gather=PROMPT, save=st.sampled_from(TEXTS), max_digits=st.integers(1, 4), no_match=RETRIES, next=TARGET),
    node(gather=PROMPT, save=st.just("pin"), secret=st.just(True), no_input=RETRIES, next=TARGET),
    node(branch=st.lists(node(if_=CONDITION, then=TARGET), min_size=1, max_size=3), else_=TARGET),
    node(set=st.just({"count": {"cel": "count + 1"}}), next=TARGET),
    node(hours=st.just({"week": {"mon-fri": "9:00-17:00"}}), open=TARGET, closed=TARGET),
    node(language=st.sampled_from(["en", "es"]), next=TARGET),
    node(dial=st.just("1001"), busy=MAYBE, otherwise=MAYBE, next=MAYBE),
    node(dial=st.just({"extension_from": "d0"}), unknown=MAYBE, otherwise=MAYBE, next=MAYBE),
    node(voicemail=st.sampled_from(["sales", "office"]), greeting=st.one_of(st.none(), PROMPT), next=MAYBE),
    node(lookup=st.just("crm"), by=st.sampled_from([None, {"cel": "d0"}]), next=TARGET, on_error=TARGET),
    node(queue=st.sampled_from(["sales", "support"]), otherwise=MAYBE, next=MAYBE),
    node(goto=TARGET),
    node(goto=st.just({"flow": "billing"})),
    node(hangup=st.just("normal")),
)
# Each variable is set somewhere, whether or not a call comes that way.
DECLARING = {
    "v0": {"set": {"count": 0}, "next": "v1"},
    "v1": {"gather": "ask", "save": "d0", "next": "v2"},
    "v2": {"gather": "ask", "save": "d1", "next": "v3"},
    "v3": {"gather": "ask", "save": "pin", "secret": True, "next": "v4"},
    "v4": {"lookup": "crm", "next": "n0", "on_error": "n0"},
}


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """A flow that passes every check, of six nodes which lead anywhere."""
    written = {
        "flow": "random",
        "languages": ["en", "es"],
        "answer": draw(st.sampled_from(["first_media", "at_once", "never"])),
        "start": draw(st.sampled_from(["n0", "v0"])),
        "prompts": {name: {"en": name, "es": name} for name in ("hello", "ask")},
        "nodes": {name: draw(NODE) for name in NODES} | DECLARING,
    }
    on_failure = draw(MAYBE)
    if on_failure:
        written["on_failure"] = on_failure
    return load_flow(parse_yaml(json.dumps(written).encode(), "random.yaml"), AROUND)


OUTCOMES: st.SearchStrategy[Outcome] = st.one_of(
    st.just(Done()),
    st.just(Done()),
    st.builds(Gathered, st.text("0123456789*#", max_size=5), st.sampled_from(["full", "end_key", "timeout"])),
    st.builds(Gathered, st.sampled_from(["1", "2", "12", "1001"]), st.just("full")),
    st.just(NoInput()),
    st.just(Connected(3.0)),
    st.builds(NotConnected, st.sampled_from(["busy", "no_answer", "rejected", "unreachable"])),
    st.builds(Recorded, st.just("/x.wav"), st.just(2.0), st.booleans()),
    st.just(Served("alice")),
    st.builds(NotServed, st.sampled_from(["max_wait", "no_store"])),
    st.builds(AgentRung, st.just("o1"), st.sampled_from(["joined", "busy", "no_key"]), st.none(), st.just(0.0)),
    st.builds(
        LookedUp, st.sampled_from(["found", "several", "none"]), st.just({"name": "Ada", "visits": 3}), st.just(2)
    ),
    st.just(NotLookedUp("late")),
    st.just(Failed("broken")),
    st.just(HungUp()),
)
COURSES = st.lists(OUTCOMES, max_size=25)


def steps_of(flow: Flow, course: list[Outcome]) -> list[Step]:
    steps = [FlowRun.begin(flow, CALL).start(NOON)]
    for number, outcome in enumerate(course):
        steps.append(steps[-1].run.advance(outcome, NOON + timedelta(minutes=number)))
    return steps


@settings(max_examples=100, deadline=None)
@given(flows(), COURSES)
def test_a_run_never_raises_and_says_either_what_to_do_or_how_it_ended(flow: Flow, course: list[Outcome]) -> None:
    for step in steps_of(flow, course):
        assert (step.verb is None) == (step.finish is not None) == (step.run.finish is not None)
        assert step.run.node in flow.nodes
        assert step.run.language in flow.languages
        assert set(step.run.variables) <= set(flow.variables)


@settings(max_examples=100, deadline=None)
@given(flows(), COURSES)
def test_nothing_is_asked_after_the_caller_left(flow: Flow, course: list[Outcome]) -> None:
    is_over = False
    for outcome, step in zip([None, *course], steps_of(flow, course), strict=True):
        is_over = is_over or isinstance(outcome, HungUp)
        if is_over:
            assert step.verb is None
            assert step.finish is not None


@settings(max_examples=100, deadline=None)
@given(flows(), COURSES)
def test_a_run_restored_at_any_step_goes_on_as_if_nothing_had_been(flow: Flow, course: list[Outcome]) -> None:
    for step, outcome in zip(steps_of(flow, course), course, strict=False):
        snapshot = json.loads(json.dumps(step.run.snapshot(), allow_nan=False))
        run = FlowRun.restore(flow, CALL, snapshot)
        if not step.run.secrets:
            assert run == step.run
            assert run.advance(outcome, NOON) == step.run.advance(outcome, NOON)
        elif not run.finish and not step.run.awaits_return and step.run.phase != "ending":
            assert run.node == next(iter(step.run.secrets.values())).asked_at
            assert run.secrets == {}


@settings(max_examples=100, deadline=None)
@given(flows(), COURSES)
def test_a_checkpoint_is_small_plain_and_says_where_the_run_is(flow: Flow, course: list[Outcome]) -> None:
    for step in steps_of(flow, course):
        text = step.run.checkpoint()
        assert len(text) <= 512
        assert re.fullmatch(r"[A-Za-z0-9._~:-]+", text)
        place = parse_checkpoint(text)
        assert str(place) == text
        if not step.run.finish:
            run = replace(step.run, variables={}, secrets={}, hops=0)
            assert FlowRun.from_checkpoint(flow, CALL, place) == run


@settings(max_examples=100, deadline=None)
@given(flows(), COURSES)
def test_the_same_course_gives_the_same_steps_and_seq_counts_verbs(flow: Flow, course: list[Outcome]) -> None:
    steps = steps_of(flow, course)
    assert steps == steps_of(flow, course)
    asked = 0
    for step in steps:
        asked += step.verb is not None
        assert step.run.seq == asked
        assert step.run.kept_at <= step.run.seq


@settings(max_examples=100, deadline=None)
@given(flows(), COURSES, st.integers(0, 25))
def test_a_run_can_be_resumed_at_any_step(flow: Flow, course: list[Outcome], cut: int) -> None:
    steps = steps_of(flow, course)
    step = steps[min(cut, len(steps) - 1)]
    for again in (step.run.resume(NOON), step.run.resume_with(Connected(1), NOON), step.run.fail("x", NOON)):
        assert (again.verb is None) == (again.finish is not None)
        assert again.run.variables.items() >= {}.items()
        if step.run.finish:
            assert again.finish == step.run.finish


@settings(max_examples=100, deadline=None)
@given(flows(), st.lists(st.sampled_from(["8675309", "90909"]), min_size=1, max_size=3), COURSES)
def test_secret_digits_never_show(flow: Flow, pins: list[str], course: list[Outcome]) -> None:
    """Wherever a secret gather takes digits, they are in nothing that can be stored or logged."""
    secret_course: list[Outcome] = [Done(), *(Gathered(pin, "full") for pin in pins), *course]
    run = replace(FlowRun.begin(flow, CALL), node="v3", answered=True)
    step = run.resume(NOON)
    for outcome in secret_course:
        step = step.run.advance(outcome, NOON)
        kept = {secret.digits for secret in step.run.secrets.values()}
        shown = f"{step!r} {json.dumps(step.run.snapshot()['secrets'])} {step.run.checkpoint()} {step.faults}"
        assert not any(pin in shown for pin in kept & set(pins))


WORDS = ["n0", "hello", "play", "cel", "now", "count", "9:00-17:00", "next", "if", "then", "tries", "en", "flow"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(WORDS),
)
JUNK: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
    max_leaves=6,
)


def paths_of(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for key, inner in inside for path in paths_of(inner, (*here, key)))]


def replaced(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    if not path:
        return junk
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], junk)
    return copy


@settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(NODES, NODE)), st.data(), JUNK)
def test_whatever_stands_anywhere_a_file_gives_a_flow_or_findings(
    nodes: dict[str, Any], data: st.DataObject, junk: Any
) -> None:
    written = {
        "flow": "random",
        "languages": ["en", "es"],
        "on_failure": "n0",
        "prompts": {name: {"en": name, "es": name} for name in ("hello", "ask")},
        "nodes": nodes | DECLARING,
    }
    spoilt = replaced(written, data.draw(st.sampled_from(paths_of(written))), junk)
    try:
        flow = load_flow(parse_yaml(json.dumps(spoilt).encode(), "spoilt.yaml"), AROUND)
    except ConfigurationError as error:
        assert error.findings
        assert all(finding.line >= 1 and finding.message for finding in error.findings)
        return
    assert FlowRun.begin(flow, CALL).start(NOON).run.node in flow.nodes
