"""The node `as_agent`: what it asks of the service, what it keeps, where it goes; and what it refuses at load."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cordboard.errors import ConfigurationError
from cordboard.flows.run import FlowRun, Step
from cordboard.flows.surroundings import Surroundings
from cordboard.flows.trace import verb_json
from cordboard.telephony.outcomes import ActedAsAgent, AgentRefused, Gathered, Outcome
from cordboard.telephony.verbs import ActAsAgent, Gather, Hangup
from tests.doubles.flow_kit import CALL, NOON, load

AROUND = Surroundings(pause_reasons=frozenset({"lunch"}), dispositions=frozenset({"sold"}))
FLOW = """
flow: line
languages: [en]
on_failure: bye
prompts: {ask: {en: "Code?"}}
nodes:
  code: {gather: ask, save: code, max_digits: 4, next: pin}
  pin: {gather: ask, save: pin, secret: true, max_digits: 6, next: log_in}
  log_in: {as_agent: log_in, by: code, code: code, pin: pin, next: used, otherwise: refused}
  used: {branch: [{if: "agent.wraps_up && agent.presence == 'available'", then: sold}], else: lunch}
  refused: {branch: [{if: "agent.refused == 'unknown' && agent.name == ''", then: code}], else: bye}
  sold: {as_agent: dispose, disposition: sold, next: lunch, otherwise: refused}
  lunch: {as_agent: pause, reason: lunch, next: bye, otherwise: refused}
  bye: {hangup: normal}
"""
BY_NUMBER = """
flow: line
languages: [en]
on_failure: bye
prompts: {}
nodes:
  log_in: {as_agent: log_in, by: ani, save: me, next: out}
  out: {as_agent: log_out, save: me, next: bye}
  bye: {hangup: normal}
"""
ALICE = ActedAsAgent("alice", "Alice Ray", "paused")


def walk(text: str, *outcomes: Outcome) -> Step:
    """The step after these outcomes."""
    flow = load(text, AROUND)
    step = replace(FlowRun.begin(flow, CALL), answered=True).start(NOON)
    for outcome in outcomes:
        step = step.run.advance(outcome, NOON)
    return step


def keyed() -> tuple[Outcome, Outcome]:
    return Gathered("2109", "full"), Gathered("301758", "full")


def test_a_code_and_a_pin_log_in_and_say_who_it_is() -> None:
    asked = walk(FLOW, *keyed())
    assert asked.verb == ActAsAgent("log_in", code="2109", pin="301758")
    paused = walk(FLOW, *keyed(), ALICE)
    assert paused.verb == ActAsAgent("pause", "alice", value="lunch")
    kept = {name: value for name, value in paused.run.variables.items() if name.startswith("agent.")}
    assert kept == {
        "agent.name": "alice", "agent.full_name": "Alice Ray", "agent.presence": "paused", "agent.reason": "",
        "agent.wraps_up": False, "agent.refused": "",
    }  # fmt: skip


def test_a_call_that_waits_for_its_result_can_be_told_from_none() -> None:
    waiting = replace(ALICE, presence="available", wraps_up=True)
    assert walk(FLOW, *keyed(), waiting).verb == ActAsAgent("dispose", "alice", value="sold")


def test_who_is_refused_is_nobody_and_may_try_again() -> None:
    again = walk(FLOW, *keyed(), AgentRefused("unknown"))
    assert isinstance(again.verb, Gather)
    assert again.run.node == "code"
    assert isinstance(walk(FLOW, *keyed(), AgentRefused("too_many")).verb, Hangup)


def test_who_is_refused_something_stays_who_they_are() -> None:
    step = walk(FLOW, *keyed(), ALICE, AgentRefused("full"))
    assert step.run.variables["agent.refused"] == "full"
    assert step.run.variables["agent.name"] == "alice"


def test_without_otherwise_a_refusal_is_the_flows_failure() -> None:
    step = walk(BY_NUMBER, AgentRefused("unknown"))
    assert step.faults == ("log_in: `as_agent: log_in` was refused (unknown), and `otherwise` is not given",)


def test_by_number_nothing_is_keyed_and_another_name_is_kept_under() -> None:
    assert walk(BY_NUMBER).verb == ActAsAgent("log_in")
    out = walk(BY_NUMBER, ALICE)
    assert out.verb == ActAsAgent("log_out", "alice")


def test_the_pin_is_in_no_trace() -> None:
    verb = walk(FLOW, *keyed()).verb
    assert isinstance(verb, ActAsAgent)
    assert "301758" not in str(verb_json(verb))
    assert verb_json(verb)["ActAsAgent"]["pin"] == "••••••"


@pytest.mark.parametrize(
    ("node", "code"),
    [
        ("{as_agent: log_in, next: bye}", "missing-key"),
        ("{as_agent: log_in, by: code, next: bye}", "missing-key"),
        ("{as_agent: log_in, by: code, code: code, next: bye}", "missing-key"),
        ("{as_agent: log_in, by: ani, code: code, next: bye}", "no-effect"),
        ("{as_agent: log_in, by: code, code: code, pin: code, next: bye}", "not-secret"),
        ("{as_agent: log_in, by: code, code: cod, pin: pin, next: bye}", "unknown-variable"),
        ("{as_agent: dispose, next: bye}", "missing-key"),
        ("{as_agent: dispose, disposition: bought, next: bye}", "unknown-disposition"),
        ("{as_agent: pause, reason: golf, next: bye}", "unknown-pause-reason"),
        ("{as_agent: pause, disposition: sold, next: bye}", "no-effect"),
        ("{as_agent: ready, save: somebody, next: bye}", "nobody-logged-in"),
        ("{as_agent: begin, next: bye}", "unknown-choice"),
        ("{as_agent: ready, next: by}", "unknown-node"),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(node: str, code: str) -> None:
    text = FLOW.replace("  bye:", f"  odd: {node}\n  bye:").replace("next: bye, otherwise: refused", "next: odd")
    with pytest.raises(ConfigurationError) as refused:
        load(text, AROUND)
    found: list[Any] = [one for one in refused.value.findings if one.code == code]
    assert [one.line for one in found] == [14], refused.value.findings
