"""Laws that hold for every flow and every course of a call: random flows, random outcomes, even impossible ones."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cordboard.config.yaml_reader import parse_yaml
from cordboard.errors import ConfigurationError
from cordboard.flows.checkpoint import Checkpoint, parse_checkpoint
from cordboard.flows.flow import Flow
from cordboard.flows.loader import load_flow
from cordboard.flows.run import FlowRun, Step
from cordboard.flows.step import Secret
from cordboard.flows.surroundings import ScriptShape
from cordboard.telephony import verbs as v
from cordboard.telephony.outcomes import (
    ActedAsAgent,
    AgentRefused,
    AgentRung,
    CallbackBooked,
    CallbackRefused,
    Connected,
    Done,
    Failed,
    FlowReturned,
    Gathered,
    HttpAnswered,
    HttpFailed,
    HungUp,
    Interrupted,
    LookedUp,
    NoInput,
    NotConnected,
    NotLookedUp,
    NotServed,
    Outcome,
    Recorded,
    ScriptEnded,
    ScriptFailed,
    Served,
    Transferred,
)
from cordboard.telephony.verbs import ServiceVerb
from tests.doubles.flow_kit import AROUND, CALL, NOON, load

NODES = [f"n{number}" for number in range(6)]
TARGET = st.sampled_from(NODES)
MAYBE = st.one_of(st.none(), TARGET)
PROMPT = st.sampled_from(["hello", "ask"])
KEYS = st.sampled_from(["1", "2", "12", "*"])
WORLD = replace(
    AROUND,
    http_services={"orders": 3.0},
    scripts={"price": ScriptShape({"order": "string"}, {"price": "double"}, frozenset({"pin"}))},
    destinations={"reception": "from-internal,100,1"},
    agents={"alice": "PJSIP/1001"},
    country="GB",
)


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
        "order.state == 'open'",
    ]
)
RECORD = st.sampled_from(
    [
        {"record": "call", "consent": "hello"},
        {"record": "pause"},
        {"record": "stop"},
        {"record": "message", "greeting": "ask"},
    ]
)
ORDER = {"state": {"path": "data.state", "type": "text", "default": ""}}
NODE = st.one_of(
    node(play=PROMPT, barge_in=st.sampled_from([None, False]), next=TARGET),
    node(say=st.sampled_from([{"number": 5}, {"digits": {"cel": "d0"}}, {"time": {"cel": "now"}}]), next=TARGET),
    node(menu=PROMPT, keys=st.dictionaries(KEYS, TARGET, min_size=1), no_input=RETRIES, no_match=RETRIES,
         direct_dial=MAYBE, again=st.one_of(st.none(), PROMPT), barge_in=st.sampled_from([None, False])),
    node(gather=PROMPT, save=st.sampled_from(["d0", "d1"]), max_digits=st.integers(1, 4), no_match=RETRIES,
         next=TARGET),
    node(gather=PROMPT, save=st.just("pin"), secret=st.just(True), no_input=RETRIES, next=TARGET),
    node(branch=st.lists(node(if_=CONDITION, then=TARGET), min_size=1, max_size=3), else_=TARGET),
    node(set=st.just({"count": {"cel": "count + 1"}}), next=TARGET),
    node(hours=st.just({"week": {"mon-fri": "9:00-17:00"}}), open=TARGET, closed=TARGET),
    node(language=st.sampled_from(["en", "es"]), next=TARGET),
    node(dial=st.just("1001"), busy=MAYBE, otherwise=MAYBE, next=MAYBE),
    node(dial=st.just({"extension_from": "d0"}), unknown=MAYBE, otherwise=MAYBE, next=MAYBE),
    node(transfer=st.sampled_from([{"to": "reception"}, {"extension": "1001"}]), otherwise=MAYBE),
    node(voicemail=st.sampled_from(["sales", "office"]), greeting=st.one_of(st.none(), PROMPT), next=MAYBE),
    st.builds(lambda kind, then: {**kind, "next": then}, RECORD, TARGET),
    node(lookup=st.just("crm"), by=st.sampled_from([None, {"cel": "d0"}]), next=TARGET, on_error=TARGET),
    node(http=st.just("orders"), get=st.just("/orders/{d0}"), answer=st.just(ORDER), save=st.just("order"),
         next=TARGET, on_error=TARGET),
    node(script=st.just("price"), with_=st.just({"order": {"cel": "d0"}}), secrets=st.just({"pin": "pin"}),
         save=st.just("quote"), next=TARGET, on_error=MAYBE),
    node(tag=st.just({"reason": "billing", "count": {"cel": "string(count)"}}), next=TARGET),
    node(survey=PROMPT, name=st.just("csat"), next=TARGET, otherwise=MAYBE),
    node(callback=st.just("sales"), offer=PROMPT, confirm=st.sampled_from([None, "hello"]), is_it_right=PROMPT,
         ask_number=st.sampled_from([None, "ask"]), next=TARGET, declined=TARGET, otherwise=TARGET),
    node(queue=st.sampled_from(["sales", "support"]), otherwise=MAYBE, next=MAYBE),
    node(goto=TARGET),
    node(goto=st.just({"flow": "billing"})),
    node(hangup=st.just("normal")),
)  # fmt: skip
# Each variable is set somewhere, whether or not a call comes that way.
DECLARING = {
    "v0": {"set": {"count": 0}, "next": "v1"},
    "v1": {"gather": "ask", "save": "d0", "next": "v2"},
    "v2": {"gather": "ask", "save": "d1", "next": "v3"},
    "v3": {"gather": "ask", "save": "pin", "secret": True, "next": "v4"},
    "v4": {"lookup": "crm", "next": "v5", "on_error": "v5"},
    "v5": {"http": "orders", "get": "/", "answer": ORDER, "save": "order", "next": "n0", "on_error": "n0"},
}
RETURN = node(return_=st.just({"ok": {"cel": "count > 1"}}))


def calling(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """A node that calls a flow."""
    given_ = {"count": {"cel": "count"}}
    return node(subflow=st.just(name), with_=st.just(given_), save=st.just("back"), next=TARGET, on_failure=MAYBE)


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """A flow of six nodes which lead anywhere, perhaps with others that it calls."""
    called: dict[str, Flow] = {}
    for name in draw(st.sampled_from([(), ("inner",), ("inner", "middle")])):
        called[name] = draw_flow(draw, name, called)
    return draw_flow(draw, "random", called)


def draw_flow(draw: st.DrawFn, name: str, called: dict[str, Flow]) -> Flow:
    """One flow. Those that can be called return what those that call them expect."""
    frame: dict[str, Any] = {} if name == "random" else {"params": {"count": "whole"}, "returns": {"ok": "yes_no"}}
    kinds = st.one_of(NODE, *([RETURN] if frame else []), *(calling(other) for other in called))
    for key in ("on_failure", "on_hangup"):
        if target := draw(MAYBE):
            frame[key] = target
    written = frame | {
        "flow": name,
        "languages": ["en", "es"],
        "answer": draw(st.sampled_from(["first_media", "at_once", "never"])),
        "start": draw(st.sampled_from(["n0", "v0"])),
        "prompts": {prompt: {"en": prompt, "es": prompt} for prompt in ("hello", "ask")},
        "nodes": {one: draw(kinds) for one in NODES} | DECLARING,
    }
    # With loops that spin, and other things which lint refuses in new files: the engine has to bear them.
    return load(json.dumps(written), WORLD, called.values(), is_kept=True)


FITTING: dict[type, tuple[Outcome, ...]] = {
    v.Answer: (Done(),),
    v.Play: (Done(), Done(), Interrupted("1"), Interrupted("12")),
    v.Say: (Done(), Interrupted("2")),
    v.Gather: (
        *(Gathered(digits, "full") for digits in ("1", "2", "12", "1001")),
        Gathered("", "end_key"),
        Gathered("*", "timeout"),
        NoInput(),
    ),
    v.Dial: (Connected(3.0), *(NotConnected(why) for why in ("busy", "no_answer", "unreachable", "refused"))),
    v.Transfer: (Transferred(), NotConnected("unreachable")),
    v.Record: (Recorded("/x.wav", 2.0), Recorded("/x.wav", 0.0), Recorded("/x.wav", 2.0, hung_up=True)),
    v.RecordCall: (Done(),),
    v.VoicemailBox: (Done(),),
    v.Enqueue: (Served("alice"), NotServed("max_wait")),
    v.LookUp: (LookedUp("found", {"name": "Ada", "visits": 3}, 1), LookedUp("none"), NotLookedUp("late")),
    v.HttpRequest: (HttpAnswered(200, {"state": "open"}), HttpFailed("no", 404), HttpFailed("late")),
    v.RunScript: (ScriptEnded({"price": 9.5}), ScriptFailed("killed")),
    v.Note: (Done(),),
    v.RequestCallback: (CallbackBooked("c1"), CallbackRefused("already"), CallbackRefused("number")),
    v.ActAsAgent: (ActedAsAgent("alice", "Alice Ray", "paused", "lunch"), AgentRefused("unknown")),
    v.Hangup: (HungUp(),),
}
WILD: tuple[Outcome, ...] = (
    HungUp(),
    Failed("broken"),
    FlowReturned({"ok": True}),
    AgentRung("o1", "joined", None, 0.0),
    *(outcome for outcomes in FITTING.values() for outcome in outcomes),
)
COURSES = st.lists(st.lists(st.integers(0, 999), max_size=25), min_size=3, max_size=3)
PYTHON_TYPES = {"string": str, "int": int, "double": float, "bool": bool}
Taken = list[tuple[Outcome | None, Step]]


def take(first: Step, course: list[int]) -> Taken:
    """The steps of a call, each with the outcome that led to it. A course chooses mostly what the verb can have."""
    taken: Taken = [(None, first)]
    for number, choice in enumerate(course):
        step = taken[-1][1]
        outcomes = WILD if step.verb is None or choice % 10 == 0 else FITTING[type(step.verb)]
        outcome = outcomes[choice // 10 % len(outcomes)]
        taken.append((outcome, step.run.advance(outcome, NOON + timedelta(minutes=number))))
    return taken


def calls(flow: Flow, courses: list[list[int]]) -> list[Taken]:
    """Several calls of a flow."""
    return [take(FlowRun.begin(flow, CALL).start(NOON), course) for course in courses]


def flows_in(flow: Flow) -> dict[str, Flow]:
    """A flow, and all that it calls."""
    found = {flow.name: flow}
    for called in flow.subflows.values():
        found |= flows_in(called)
    return found


def all_secrets(run: FlowRun) -> list[tuple[Flow, Secret]]:
    """The secrets of all flows that a call is in, the outermost first."""
    return [
        *((one.flow, secret) for one in run.stack for secret in one.secrets.values()),
        *((run.flow, secret) for secret in run.secrets.values()),
    ]


def as_stored(run: FlowRun) -> dict[str, Any]:
    """The snapshot as it comes from the database."""
    stored: dict[str, Any] = json.loads(json.dumps(run.snapshot(), allow_nan=False))
    return stored


laws = settings(max_examples=50, deadline=None)


@laws
@given(flows(), COURSES)
def test_a_run_never_raises_and_says_either_what_to_do_or_how_it_ended(
    flow: Flow, courses: list[list[int]]
) -> None:
    for taken in calls(flow, courses):
        asked = 0
        for _, step in taken:
            run = step.run
            assert (step.verb is None) == (step.finish is not None) == (run.finish is not None)
            assert run.base.name in flows_in(flow)
            assert run.node in run.flow.nodes
            assert run.language in run.flow.languages
            kinds = {name: PYTHON_TYPES[run.flow.variables[name]] for name in run.variables}
            assert kinds == {name: type(value) for name, value in run.variables.items()}
            asked += step.verb is not None
            assert run.seq == asked
            assert run.kept_at <= run.seq


@laws
@given(flows(), COURSES)
def test_the_same_events_give_the_same_steps(flow: Flow, courses: list[list[int]]) -> None:
    again = calls(flow, courses)
    assert calls(flow, courses) == again
    assert [step.run.path for one in calls(flow, courses) for _, step in one] == [
        step.run.path for one in again for _, step in one
    ]


@laws
@given(flows(), COURSES)
def test_every_way_that_is_passed_is_one_of_the_nodes_ways(flow: Flow, courses: list[list[int]]) -> None:
    known = flows_in(flow)
    for _, step in (one for taken in calls(flow, courses) for one in taken):
        entered = iter(step.entered)
        for one in step.passed:
            ways = {way.label: way.node for way in known[one.flow].shapes[one.node].exits}
            assert not one.exit or ways[one.exit] in entered, "it leads to a node that was entered, in this order"


@laws
@given(flows(), COURSES)
def test_nothing_is_asked_of_a_call_that_has_left(flow: Flow, courses: list[list[int]]) -> None:
    for taken in calls(flow, courses):
        ends = 0
        for outcome, step in taken:
            ends += isinstance(outcome, HungUp | Transferred)
            if ends or step.run.gone:
                assert step.verb is None or isinstance(step.verb, ServiceVerb)
            if ends > 1 or (ends and not step.run.gone):
                assert step.verb is None


@laws
@given(flows(), COURSES)
def test_a_run_restored_at_any_step_goes_on_as_if_nothing_had_been(flow: Flow, courses: list[list[int]]) -> None:
    for taken in calls(flow, courses):
        for (_, step), (outcome, _) in pairwise(taken):
            run, kept = step.run, replace(step.run, typed="")  # keys typed ahead are lost with the process
            again = FlowRun.restore(run.base, CALL, as_stored(run))
            secrets = all_secrets(run)
            assert outcome is not None
            if not secrets:
                assert again == kept
                assert again.advance(outcome, NOON) == kept.advance(outcome, NOON)
            elif not (run.finish or run.gone or run.awaits_return or run.phase == "ending"):
                assert (again.flow, again.node) == (secrets[0][0], secrets[0][1].asked_at)
                assert not all_secrets(again)


@laws
@given(flows(), COURSES)
def test_the_last_row_and_the_checkpoint_tell_where_a_run_is(flow: Flow, courses: list[list[int]]) -> None:
    for taken in calls(flow, courses):
        row: tuple[Flow, dict[str, Any]] = (flow, {})
        for _, step in taken:
            run = step.run
            text = run.checkpoint()
            assert len(text) <= 512
            assert re.fullmatch(r"[A-Za-z0-9._~:-]+", text)
            place = parse_checkpoint(text)
            assert str(place) == text
            if run.kept_at == run.seq:
                row = run.base, as_stored(run)
            if not (run.finish or run.gone or all_secrets(run)):
                assert found_again(flow, row, place) == replace(run, typed="")


def found_again(flow: Flow, row: tuple[Flow, dict[str, Any]], place: Checkpoint) -> FlowRun:
    """What the next worker makes of the channel's checkpoint and the last row that was needed."""
    if place.kept_at == 0:
        return FlowRun.from_checkpoint(flow, CALL, place)
    return FlowRun.restore(row[0], CALL, row[1], at=place)


@laws
@given(flows(), COURSES, st.integers(0, 25))
def test_a_run_can_be_resumed_at_any_step(flow: Flow, courses: list[list[int]], cut: int) -> None:
    for taken in calls(flow, courses):
        _, step = taken[min(cut, len(taken) - 1)]
        for again in (step.run.resume(NOON), step.run.resume_with(Connected(1), NOON), step.run.fail("x", NOON)):
            assert (again.verb is None) == (again.finish is not None)
            if step.run.finish:
                assert again.finish == step.run.finish
            if step.run.gone:
                assert again.verb is None or isinstance(again.verb, ServiceVerb)


PIN = "8675309"


@laws
@given(flows(), st.sampled_from([[Gathered(PIN, "full")], [Interrupted(PIN)]]), COURSES)
def test_secret_digits_and_keys_typed_ahead_never_show(
    flow: Flow, keyed: list[Outcome], courses: list[list[int]]
) -> None:
    """Wherever a secret gather takes digits, they are in nothing that can be stored or logged, and no more are keys
    that wait for their question.
    """
    step = replace(FlowRun.begin(flow, CALL), node="v3", answered=True).resume(NOON)
    for outcome in keyed:
        step = step.run.advance(outcome, NOON)
    for _, one in (one for course in courses for one in take(step, course)):
        run = one.run
        assert "typed" not in run.snapshot()
        is_hidden = PIN in run.typed or any(secret.digits == PIN for _, secret in all_secrets(run))
        changed = [dict(left.changed) for left in one.passed]
        shown = f"{one!r} {run.checkpoint()} {one.faults} {changed} {json.dumps(run.snapshot())}"
        assert not is_hidden or PIN not in shown


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
        flow = load_flow(parse_yaml(json.dumps(spoilt).encode(), "spoilt.yaml"), WORLD)
    except ConfigurationError as error:
        assert error.findings
        assert all(finding.line >= 1 and finding.message for finding in error.findings)
        return
    assert FlowRun.begin(flow, CALL).start(NOON).run.node in flow.nodes
