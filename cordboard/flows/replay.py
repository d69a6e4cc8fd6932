"""Makes the steps of a recorded call again, from its trace: the same ones, to the last byte.

An answer to "why did the call go there?" that can be tried out, also on another revision: would it go the same way
today? Pure; used by the command line. Whoever calls it brings the flows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cordboard.errors import FlowError
from cordboard.flows.calling import base_of
from cordboard.flows.flow import Flow
from cordboard.flows.given import Given, make_step
from cordboard.flows.run import FlowRun, Step
from cordboard.flows.trace import TracedStep, record_of
from cordboard.telephony.call import Call

FlowOf = Callable[[str, str], Flow | None]
"""Finds a flow by name and revision."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a replay leaves the recorded way. number: of the step, from 0; reason: if there is no replayed step."""

    number: int
    recorded: dict[str, Any] = field(repr=False)
    replayed: dict[str, Any] | None = field(default=None, repr=False)
    reason: str = ""


def first_difference(
    call: Call, steps: Sequence[TracedStep], flow_of: FlowOf, *, is_exact: bool = True
) -> Difference | None:
    """Where a replay writes another trace than the recorded one; None if there is no such place.

    is_exact: to the last byte; else only the nodes, the ways between them and the verbs count, as for a revision
    whose texts and times are others.
    """
    replayed = replay(call, steps, flow_of)
    for number, noted in enumerate(steps):
        try:
            record = next(replayed)
        except (FlowError, KeyError, ValueError) as fault:
            return Difference(number, noted.data, reason=str(fault))
        told, made = noted.data, json.loads(record)
        is_same = record == noted.record if is_exact else _way(told) == _way(made)
        if not is_same:
            return Difference(number, told, made)
    return None


def replay(call: Call, steps: Iterable[TracedStep], flow_of: FlowOf) -> Iterator[str]:
    """The record that each noted step gives now. Raises FlowError or ValueError where there can be none."""
    last: Step | None = None
    for noted in steps:
        given = noted.given
        last = make_step(_run_before(call, noted, given, last, flow_of), given)
        yield record_of(given, last, is_secret=False)  # what was, is dots already


def _run_before(call: Call, noted: TracedStep, given: Given, last: Step | None, flow_of: FlowOf) -> FlowRun:
    """Where the call was: at the beginning, or as its next worker found it, or where the last step has left it."""
    if given.kind == "start":
        flow = _found(flow_of, noted.flow, noted.revision)
        return last.run.into(flow) if last else FlowRun.begin(flow, call)
    if given.before is not None:
        name, revision = base_of(given.before)
        its_own = name == noted.flow and flow_of(name, revision) is None  # it was gone then, too
        flow = _found(flow_of, name, noted.revision if its_own else revision)
        return FlowRun.restore(flow, call, given.before)
    if last is None:
        raise FlowError("the beginning of the trace is missing", flow=noted.flow)
    return last.run


def _found(flow_of: FlowOf, name: str, revision: str) -> Flow:
    flow = flow_of(name, revision)
    if flow is None:
        raise FlowError(f"revision {revision} is not kept any more", flow=name)
    return flow


def _way(data: Mapping[str, Any]) -> object:
    """What a caller would call the same."""
    ways = [one[:3] for one in data.get("passed", ())]
    return ways, data["node"], list(data.get("verb", ())), data.get("finish")
