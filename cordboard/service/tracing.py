"""Where every step of every call is noted, for people who ask afterwards why a call went where it went.

Told by `conversation` and `reception` after each step that the engine has made. Noting never waits and never fails:
a trace that cannot be written costs no call anything.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import structlog

from cordboard.errors import StoreUnavailable
from cordboard.flows.given import Given, typed_keys
from cordboard.flows.given import StepKind as StepKind
from cordboard.flows.run import FlowRun, Step
from cordboard.flows.trace import is_secret_question
from cordboard.store.moments import boot_ns
from cordboard.store.traces import StepNote, purge
from cordboard.store.writer import StoreThread
from cordboard.telephony.call import Call
from cordboard.telephony.outcomes import Outcome

log = structlog.get_logger()

OVER = ("finished", "hung_up", "failed", "transferred")  # other results: the call goes on, elsewhere
CALLS_MAX = 20_000  # more than a worker takes
DAY_S = 86_400.0
PURGE_EVERY_S = 3_600.0
PURGE_DEADLINE_S = 5.0


class TraceSink(Protocol):
    """Takes the steps of live calls."""

    def note(
        self,
        call: Call,
        kind: StepKind,
        outcome: Outcome | None,
        reason: str,
        step: Step,
        at: datetime,
        *,
        before: FlowRun | None = None,
    ) -> None:
        """A step was made. Never waits, never raises.

        outcome: what `advance` or `resume_with` was given; reason: what `fail` was given; at: the time given.
        before: where a call that came back was found, for the first step on this worker; else None.
        """

    def ended(self, call_id: str, result: str) -> None:
        """The call has left this worker. result: as of `conversation`, "drained" too. Never waits, never raises."""


class NoTrace:
    """Keeps nothing: for tests, and where traces are switched off."""

    def note(self, *_told: object, **_more: object) -> None:
        """Nothing."""

    def ended(self, call_id: str, result: str) -> None:
        """Nothing."""


class StepWriter(Protocol):
    """Where steps are written; see `store.traces`."""

    def add(self, note: StepNote) -> None:
        """Have a step written soon."""

    def end(self, call_id: str, result: str) -> None:
        """Have it written soon how a call has ended."""


class CallTraces:
    """Has the steps of this worker's calls written. keep_days: for how long they are kept; 0: none is written."""

    def __init__(self, writer: StepWriter, keep_days: float = 30) -> None:
        self._writer = writer
        self.keep_days = keep_days
        self._last: dict[str, Step] = {}  # of each call: what the next outcome answers

    def note(
        self,
        call: Call,
        kind: StepKind,
        outcome: Outcome | None,
        reason: str,
        step: Step,
        at: datetime,
        *,
        before: FlowRun | None = None,
    ) -> None:
        """Have it written soon. What costs time is done off the event loop."""
        if not self.keep_days:
            return
        last = self._last.get(call.call_id)
        found = before.snapshot() if before is not None else None
        given = Given(kind, at, outcome, reason, before=found)
        run = before or (last.run if last is not None else None)
        if run is not None and not typed_keys(run, outcome):
            run = None
        elif run is not None and kind == "start":
            run = run.into(step.run.base)
        is_secret = last is None or is_secret_question(last.verb)  # not known: better hidden
        self._writer.add(StepNote(boot_ns(), call, given, step, run, is_secret))
        self._remember(call.call_id, step)

    def ended(self, call_id: str, result: str) -> None:
        """Have the end written, if it is one."""
        self._last.pop(call_id, None)
        if result in OVER and self.keep_days:
            self._writer.end(call_id, result)

    def _remember(self, call_id: str, step: Step) -> None:
        if call_id not in self._last and len(self._last) >= CALLS_MAX:
            del self._last[next(iter(self._last))]  # nobody has told us of its end
        self._last[call_id] = step


async def forget_old_traces(thread: StoreThread, keep_days: Callable[[], float]) -> None:
    """Purge, again and again, until cancelled. One process of the service does it."""
    while True:
        await _forget(thread, time.time() - keep_days() * DAY_S)
        await asyncio.sleep(PURGE_EVERY_S)


async def _forget(thread: StoreThread, before: float) -> None:
    """Forget all calls that came before, a few at a time, so that nobody waits for the disk because of it."""
    try:
        while await thread.ask(lambda connection: purge(connection, before), PURGE_DEADLINE_S):
            pass
    except StoreUnavailable as fault:  # the next round may do better
        log.warning("traces_not_purged", reason=str(fault))
