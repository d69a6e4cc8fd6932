"""Finds the trace of a call for people who ask: `cordboard trace`, `cordboard replay`, tests made from a call.

Read only; the service goes on undisturbed. Raises StoreUnavailable where there is no database, NotKnown for a call
of which there is no trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from cordboard.bootstrap.floor_files import FloorFiles, NotKnown, reading
from cordboard.flows.trace import TracedStep
from cordboard.store.traces import TracedCall, last_calls, steps_of, traced_beginning_with

SHORTEST_ID = 6  # characters; fewer would fit all calls of a day
CALLS_LISTED = 10


@dataclass(frozen=True, slots=True)
class CallTrace:
    """A call and its steps, from first to last."""

    traced: TracedCall
    steps: Sequence[TracedStep]


def read_trace(files: FloorFiles, call_id: str) -> CallTrace:
    """The trace of a call. call_id: whole, or its beginning."""
    with reading(files) as connection:
        traced = _one_call(connection, call_id.strip().upper())
        steps = steps_of(connection, traced.call.call_id)
    if traced.is_erased:
        raise NotKnown(f"the trace of {traced.call.call_id} was erased, as its caller was")
    if not steps:
        raise NotKnown(f"no step of {traced.call.call_id} was written")
    return CallTrace(traced, steps)


def read_last_calls(files: FloorFiles, most: int) -> list[TracedCall]:
    """The calls that came last, the last one first."""
    with reading(files) as connection:
        return last_calls(connection, most)


def _one_call(connection: Connection, begun: str) -> TracedCall:
    """The one call whose id begins so."""
    if len(begun) < SHORTEST_ID:
        raise NotKnown(f"`{begun}` is too short; give {SHORTEST_ID} characters of a call's id, or more")
    found = traced_beginning_with(connection, begun, CALLS_LISTED + 1)
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotKnown(f"there is no trace of a call `{begun}`; `cordboard trace --last 10` lists the last ones")
    ids = [one.call.call_id for one in found[:CALLS_LISTED]] + ["..."] * (len(found) > CALLS_LISTED)
    raise NotKnown("\n  ".join([f"several calls begin with `{begun}`; give more of the id:", *ids]))
