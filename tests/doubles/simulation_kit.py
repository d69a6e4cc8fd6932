"""Premises, rehearsals and flow tests from a few lines, for tests of the simulation."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent
from typing import Any

from cordboard.acd.model import Agent, FloorPlan, Queue
from cordboard.config.yaml_reader import parse_yaml
from cordboard.flows.flow import Flow
from cordboard.flows.surroundings import ScriptShape
from cordboard.settings import Numbers
from cordboard.simulation.events import Heard
from cordboard.simulation.flow_tests import FlowTest, parse_tests
from cordboard.simulation.given import Given
from cordboard.simulation.pauses import Hearing
from cordboard.simulation.premises import Premises
from cordboard.simulation.rehearsal import Rehearsal
from cordboard.simulation.suite import Played, play_all
from tests.doubles.flow_kit import AROUND
from tests.doubles.flow_kit import flow_of as any_flow_of

SIMULATED = replace(
    AROUND,
    http_services={"orders": 3.0},
    scripts={"price": ScriptShape(params={"order": "string"}, returns={"price": "double"})},
)

PLAN = FloorPlan(
    queues={"sales": Queue("sales", max_wait_s=60.0), "support": Queue("support")},
    agents={"alice": Agent("alice", "Alice Ray", "PJSIP/1003", ("sales",))},
)


def flow_of(nodes: str, head: str = "") -> Flow:
    """A flow that may ask the service `orders` and run the script `price` too."""
    return any_flow_of(nodes, head, SIMULATED)


def premises_with(*flows: Flow) -> Premises:
    """Premises of these flows, with the queues, extensions and customers of the flow kit."""
    by_name = {flow.name: flow for flow in flows}
    return Premises(by_name, Numbers(numbers={"5000": flows[0].name}), PLAN, SIMULATED)


def rehearse(flow: Flow, **given: Any) -> Rehearsal:
    """A call of a flow that has just begun."""
    return Rehearsal(premises_with(flow), flow, Given.model_validate(given))


def listen(call: Rehearsal) -> Rehearsal:
    """Hear out what is being said."""
    while isinstance(call.pause, Hearing):
        call.settle()
    return call


def finish(call: Rehearsal) -> Rehearsal:
    """Do nothing until the call is over."""
    while not call.is_over:
        call.settle()
    return call


def heard(call: Rehearsal) -> list[str]:
    """What was said to its end, by name."""
    return [event.what.said.name for event in call.events if isinstance(event.what, Heard) and event.what.whole]


def parsed(flow: Flow, text: str, *others: Flow) -> list[FlowTest]:
    """The flow tests of a file's `tests:`."""
    whole = f"flow: {flow.name}\n{dedent(text)}"
    return parse_tests(parse_yaml(whole.encode(), "tests.yaml"), premises_with(flow, *others))


def played(flow: Flow, text: str, *others: Flow) -> list[Played]:
    """The same, played."""
    return play_all(parsed(flow, text, *others), premises_with(flow, *others))
