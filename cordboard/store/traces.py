"""What calls did, step by step: written in batches, read by people who ask afterwards, forgotten after some weeks.

Writing is `TraceWriter`'s, called by `service.tracing`. Everything else here works on a connection and is called by
the command line, and by whoever erases or purges. The records themselves are made and read by `flows.trace`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from sqlalchemy import Connection, Select, bindparam, delete, or_, select, update

from cordboard.flows.calling import base_of
from cordboard.flows.given import Given
from cordboard.flows.run import FlowRun, Step
from cordboard.flows.trace import TracedStep, record_of, with_keys
from cordboard.store.tables import call_steps, callers, flow_runs, traced_calls
from cordboard.store.turn import Turn
from cordboard.store.upserts import insert
from cordboard.store.writer import Fate, StoreThread
from cordboard.telephony.call import Call
from cordboard.telephony.call_id import id_at

log = structlog.get_logger()

COLLECT_S = 0.5  # a worker that is killed takes the last steps of this time with it
PENDING_MAX = 20_000  # steps waiting to be written: some seconds' worth of a worker at its limit
TELL_EVERY_S = 10.0  # how often the log says at most that steps were dropped
PURGE_CALLS = 20  # forgotten in one transaction, so that nobody waits for it

_NEW_CALL = insert(traced_calls).on_conflict_do_nothing()
_NEW_STEP = insert(call_steps).on_conflict_do_nothing()
_END = (
    update(traced_calls)
    .where(traced_calls.c.call_id == bindparam("b_call"))
    .values(ended_at=bindparam("b_at"), result=bindparam("b_result"))
)


@dataclass(frozen=True, slots=True)
class StepNote:
    """A step as it was told, not yet put into words.

    number: in nanoseconds of the boot clock. run: what went on, if keys had been typed ahead, which must be hidden;
    is_secret: as of `record_of`.
    """

    number: int
    call: Call
    given: Given
    step: Step
    run: FlowRun | None
    is_secret: bool

    def row(self) -> dict[str, Any]:
        """The step's row in `call_steps`."""
        run, verb, given = self.step.run, self.step.verb, self.given
        if self.run is not None:
            given = with_keys(given, self.run, self.step)
        flow = run.base
        return {
            "call_id": self.call.call_id,
            "number": self.number,
            "at": given.at.timestamp(),
            "kind": given.kind,
            "flow": flow.name,
            "revision": flow.revision,
            "node": f"{run.flow.name}/{run.node}",
            "verb": type(verb).__name__ if verb is not None else "",
            "outcome": type(given.outcome).__name__ if given.outcome is not None else "",
            "record": record_of(given, self.step, is_secret=self.is_secret),
        }

    def call_row(self) -> dict[str, Any]:
        """The row of its call in `traced_calls`."""
        call, flow = self.call, self.step.run.base
        return {
            "call_id": call.call_id,
            "flow": flow.name,
            "revision": flow.revision,
            "switch": call.switch,
            "leg_id": call.leg_id,
            "dnis": call.dnis,
            "started_at": call.started_at.timestamp(),
            "result": "",
            "ani": call.ani,
            "caller_name": call.caller_name,
            "is_erased": False,
        }


@dataclass(slots=True)
class _Batch:
    """What the next transaction will write."""

    steps: list[StepNote] = field(default_factory=list)
    ends: list[dict[str, Any]] = field(default_factory=list)

    def work(self, connection: Connection) -> None:
        """Put it into words, off the event loop, and write it."""
        calls = [note.call_row() for note in self.steps if note.given.kind != "advance"]
        if calls:
            connection.execute(_NEW_CALL, calls)
        if self.steps:
            connection.execute(_NEW_STEP, [note.row() for note in self.steps])
        if self.ends:
            connection.execute(_END, self.ends)


class TraceWriter:
    """Collects steps for a moment and has them written together. dropped: steps that were not written, in all."""

    def __init__(self, thread: StoreThread) -> None:
        self._thread = thread
        self._batch = _Batch()
        self._timer: asyncio.TimerHandle | None = None
        self.dropped = 0
        self._told = 0  # how many of them the log has told of

    def add(self, note: StepNote) -> None:
        """Have a step written soon, unless too many wait already."""
        if len(self._batch.steps) >= PENDING_MAX:
            self._drop(1)
            return
        self._batch.steps.append(note)
        self._flush_soon()

    def end(self, call_id: str, result: str) -> None:
        """Have it written soon how a call has ended."""
        if len(self._batch.ends) < PENDING_MAX:
            self._batch.ends.append({"b_call": call_id, "b_at": time.time(), "b_result": result})
            self._flush_soon()

    def flush(self) -> None:
        """Hand what was collected to the thread now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._batch.steps and not self._batch.ends:
            return
        batch, self._batch = self._batch, _Batch()
        loop = asyncio.get_running_loop()

        def told(fate: Fate) -> None:
            if fate != "written" and not loop.is_closed():
                loop.call_soon_threadsafe(self._put_back if fate == "try_again" else self._lose, batch)

        self._thread.post(batch.work, told)

    def _flush_soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(COLLECT_S, self.flush)

    def _put_back(self, batch: _Batch) -> None:
        """Try again what could not be written, as far as there is room."""
        room = PENDING_MAX - len(self._batch.steps)
        if len(batch.steps) > room:
            self._drop(len(batch.steps) - room)
        self._batch.steps = batch.steps[:room] + self._batch.steps
        self._batch.ends = batch.ends[: PENDING_MAX - len(self._batch.ends)] + self._batch.ends
        self._flush_soon()

    def _lose(self, batch: _Batch) -> None:
        self._drop(len(batch.steps))

    def _drop(self, count: int) -> None:
        """Counted, and told together with all that are dropped within some seconds."""
        if self.dropped == self._told:
            asyncio.get_running_loop().call_later(TELL_EVERY_S, self._tell)
        self.dropped += count

    def _tell(self) -> None:
        log.error("trace_dropped", steps=self.dropped - self._told)
        self._told = self.dropped


@dataclass(frozen=True, slots=True)
class TracedCall:
    """A call of which there is a trace. result: "" while it lives, or if nobody heard of its end.

    is_erased: who called, and what they entered, was forgotten: there are no steps any more.
    """

    call: Call
    flow: str
    revision: str
    ended_at: datetime | None
    result: str
    is_erased: bool


def last_calls(connection: Connection, most: int) -> list[TracedCall]:
    """The calls that came last, the last one first."""
    return _calls(connection, select(traced_calls).order_by(traced_calls.c.call_id.desc()).limit(most))


def traced_beginning_with(connection: Connection, text: str, most: int) -> list[TracedCall]:
    """Calls whose id begins with the text, the earliest first."""
    column = traced_calls.c.call_id
    found = select(traced_calls).where(column >= text, column < f"{text}\U0010ffff")
    return _calls(connection, found.order_by(column).limit(most))


def _calls(connection: Connection, found: Select[Any]) -> list[TracedCall]:
    return [_call_of(row) for row in connection.execute(found)]


def _call_of(row: Any) -> TracedCall:
    call = Call(
        call_id=row.call_id,
        switch=row.switch,
        leg_id=row.leg_id,
        dnis=row.dnis,
        started_at=moment(row.started_at),
        ani=row.ani,
        caller_name=row.caller_name,
    )
    ended_at = moment(row.ended_at) if row.ended_at is not None else None
    return TracedCall(call, row.flow, row.revision, ended_at, row.result, row.is_erased)


def steps_of(connection: Connection, call_id: str) -> list[TracedStep]:
    """A call's steps from first to last."""
    mine = select(call_steps).where(call_steps.c.call_id == call_id).order_by(call_steps.c.number)
    rows = connection.execute(mine)
    return [TracedStep(row.kind, moment(row.at), row.flow, row.revision, row.record) for row in rows]


def moment(at: float) -> datetime:
    """The aware time of a row. Seconds since 1970 keep the microseconds of any date of this century."""
    return datetime.fromtimestamp(at, UTC)


def revisions_in_use(connection: Connection) -> set[tuple[str, str]]:
    """Flows and revisions that calls are on, as far as the database knows: it has not heard of their end, or where
    they are is noted for a successor.
    """
    live = select(traced_calls.c.flow, traced_calls.c.revision).where(traced_calls.c.ended_at.is_(None)).distinct()
    kept = [orjson.loads(text) for text in connection.execute(select(flow_runs.c.snapshot)).scalars()]
    return {(row.flow, row.revision) for row in connection.execute(live)} | set(map(base_of, kept))


def purge(connection: Connection, before: float) -> int:
    """Forget a few of the calls that came before, in seconds since 1970, the earliest first; how many."""
    column = traced_calls.c.call_id
    first = select(column).where(column < id_at(before)).order_by(column).limit(PURGE_CALLS)
    ids: Sequence[str] = connection.execute(first).scalars().all()
    if ids:  # steps whose call has no row go with the first call behind them
        connection.execute(delete(call_steps).where(call_steps.c.call_id <= ids[-1]))
        connection.execute(delete(traced_calls).where(column.in_(ids)))
    return len(ids)


def erase_traces(turn: Turn, party_ref: str) -> None:
    """Forget what a person has entered, and who it was: the steps of their calls, and number and name."""
    known = callers.c.party_ref == party_ref
    numbers = select(callers.c.ani).where(known, callers.c.ani != "")
    calls = select(callers.c.call_id).where(known)
    theirs = or_(traced_calls.c.call_id.in_(calls), traced_calls.c.ani.in_(numbers))
    ids = select(traced_calls.c.call_id).where(theirs)
    turn.connection.execute(delete(call_steps).where(call_steps.c.call_id.in_(ids)))
    turn.connection.execute(update(traced_calls).where(theirs).values(ani="", caller_name="", is_erased=True))
