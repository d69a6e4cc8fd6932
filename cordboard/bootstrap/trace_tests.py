"""Makes a flow test of a recorded call, and tells whether today's flow would still take the call the same way.

Called by `cordboard test --from-trace`. Reads the database, writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cordboard.bootstrap.call_traces import read_trace
from cordboard.bootstrap.floor_files import read_floor_files
from cordboard.bootstrap.rehearsing import premises_of
from cordboard.errors import FlowError
from cordboard.simulation.acting import Caller, CannotBe
from cordboard.simulation.events import Left
from cordboard.simulation.from_trace import RecordedCall, recorded_call
from cordboard.simulation.rehearsal import Rehearsal
from cordboard.simulation.written_tests import written_test


@dataclass(frozen=True)
class TraceTest:
    """A test made from a recorded call. text: an entry of a file's `tests`; differs: how the flow of today goes
    another way than the call went, "" if it does not.
    """

    flow: str
    text: str
    differs: str


def trace_test(directory: Path, call_id: str) -> TraceTest:
    """The test of a recorded call. call_id: whole, or its beginning.

    Raises NotKnown without a trace, StoreUnavailable without a database, FlowError if today's flow cannot be called
    like that.
    """
    premises = premises_of(directory)
    trace = read_trace(read_floor_files(directory), call_id)
    name, call = trace.traced.flow, trace.traced.call
    if name not in premises.flows:
        raise FlowError("there is no such flow any more", flow=name)
    recorded = recorded_call(call, trace.steps, premises.clock)
    rehearsal = Rehearsal(premises, premises.flows[name], recorded.given)
    differs = _act_again(rehearsal, recorded)
    text = written_test(f"as call {call.call_id}", rehearsal, recorded.steps)
    return TraceTest(name, text, differs)


def _act_again(rehearsal: Rehearsal, recorded: RecordedCall) -> str:
    """Do what the caller did; where the call goes another way now, in words."""
    caller = Caller(rehearsal)
    try:
        for step in recorded.steps:
            caller.do(step)
        caller.stay()
    except CannotBe as cannot:
        return f"the call expected {cannot.expected}; now {cannot.instead}"
    left = [f"{event.flow}/{event.node}" for event in rehearsal.events if isinstance(event.what, Left)]
    if left == recorded.path:
        return ""
    return f"the call went {' → '.join(recorded.path)}; now it goes {' → '.join(left)}"
