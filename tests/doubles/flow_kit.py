"""Makes flows from a few lines of YAML and walks calls through them, for tests of the engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from textwrap import dedent

from cordboard.config.findings import Finding
from cordboard.config.yaml_reader import parse_yaml
from cordboard.errors import ConfigurationError
from cordboard.flows.flow import Flow
from cordboard.flows.loader import load_flow
from cordboard.flows.run import FlowRun, Step
from cordboard.flows.subflows import shape_of
from cordboard.flows.surroundings import MessageBox, Surroundings
from cordboard.telephony.call import Call
from cordboard.telephony.dial_policy import DialPolicy
from cordboard.telephony.outcomes import Outcome

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
CALL = Call(
    call_id="01KAJ5Q8XZC3T4V6W7Y8Z9ABCD",
    switch="asterisk",
    leg_id="1795360000.1",
    dnis="5000",
    started_at=NOON,
    ani="+442079460123",
    caller_name="Ada Lovelace",
)
AROUND = Surroundings(
    dial_policy=DialPolicy.of({"0": "PJSIP/1000", "10XX": "PJSIP/{extension}"}),
    voicemail_boxes={"sales": MessageBox("sales"), "office": MessageBox("office", mailbox="100@default")},
    flow_names=frozenset({"billing"}),
    queues=frozenset({"sales", "support"}),
    customer_fields={"name": "string", "tier": "string", "visits": "int", "balance": "double", "vip": "bool"},
)
HEAD = "flow: test\nlanguages: [en, es]\nprompts:\n"
PROMPTS = "".join(f"  {name}: {{en: {name} en, es: {name} es}}\n" for name in ("hello", "ask", "again", "sorry"))


def flow_of(
    nodes: str, head: str = "", around: Surroundings = AROUND, *, name: str = "test", calls: Iterable[Flow] = ()
) -> Flow:
    """A flow of these nodes, with prompts hello, ask, again, sorry and a node `bye`. head: more of the frame.

    calls: the flows that it may call.
    """
    return load(text_of(nodes, head, name), around, calls)


def load(text: str, around: Surroundings = AROUND, calls: Iterable[Flow] = (), *, is_kept: bool = False) -> Flow:
    """The flow of a file. is_kept: also with loops that spin and the like. Raises ConfigurationError."""
    flows = {flow.name: flow for flow in calls}
    shapes = {name: shape_of(flow) for name, flow in flows.items()}
    known = replace(around, flow_names=around.flow_names | flows.keys(), subflows={**around.subflows, **shapes})
    return load_flow(parse_yaml(text.encode(), "test.yaml"), known, flows, is_kept=is_kept)


def text_of(nodes: str, head: str = "", name: str = "test") -> str:
    """The YAML of such a flow."""
    indented = "".join(f"  {line}\n" for line in dedent(nodes).strip().splitlines())
    frame = f"{HEAD.replace('flow: test', f'flow: {name}')}{PROMPTS}{dedent(head).strip()}"
    return f"{frame}\nnodes:\n{indented}  bye: {{hangup: normal}}\n"


def faults_of(text: str, around: Surroundings = AROUND, calls: Iterable[Flow] = ()) -> tuple[Finding, ...]:
    """The findings a flow file is refused with."""
    try:
        load(text, around, calls)
    except ConfigurationError as error:
        return error.findings
    return ()


def answered(flow: Flow, now: datetime = NOON) -> Step:
    """The first step of a call that is answered already, so that tests need not begin with `Answer`."""
    return replace(FlowRun.begin(flow, CALL), answered=True).start(now)


def walk(flow: Flow, outcomes: Iterable[Outcome], now: datetime = NOON) -> list[Step]:
    """All steps of an answered call whose verbs have these outcomes."""
    steps = [answered(flow, now)]
    for outcome in outcomes:
        steps.append(steps[-1].run.advance(outcome, now))
    return steps
