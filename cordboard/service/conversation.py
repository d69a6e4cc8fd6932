"""Drives one call through its flow on one phone: performs each verb, notes where the call is, passes outcomes on.

A conversation is held by one worker. It ends when the call has ended, when a verb was handed over to the
switch, when the worker drains, or when the link to the call is lost; in the last three cases the call comes
back to any worker, which resumes it (see `reception`).

What is noted where: the channel carries the flow's checkpoint, written with each verb. Variables go to the
store whenever they changed, without waiting for the disk. The channel never runs ahead of the store: until the
variables are written it keeps its last place, so that hearing a question again is the worst that can come of a
crash. Before the call is let go of, the write is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

import structlog

from cordboard.errors import StoreUnavailable, SwitchProtocolError, SwitchUnavailable
from cordboard.flows.run import FlowRun, Step
from cordboard.service.metrics import Metrics
from cordboard.store.acd_values import CallerNote
from cordboard.store.flow_runs import FlowRuns, StoredRun, Written
from cordboard.telephony.call import Call
from cordboard.telephony.outcomes import Failed, HandedOver, Outcome, Recorded
from cordboard.telephony.ports import Phone
from cordboard.telephony.verbs import Dial, Enqueue, Hangup, LookUp, Record, Verb, VoicemailBox

log = structlog.get_logger()

Result = Literal["finished", "hung_up", "failed", "lost", "handed_over", "drained", "other_flow"]


class MessageTaker(Protocol):
    """Where what callers say is kept; see `messages`."""

    async def begins(self, call: Call, verb: Record) -> None:
        """The recording is about to begin."""

    def left(self, call: Call, verb: Record, recorded: Recorded) -> None:
        """The recording has ended."""

    async def found(self, call: Call, verb: Record) -> Recorded | None:
        """What was recorded for a verb whose worker was lost; None if it had not begun."""


class Queueing(Protocol):
    """Where callers wait for agents; see `waiting_room`."""

    async def wait(
        self, phone: Phone, verb: Enqueue, checkpoint: str, caller: Callable[[], CallerNote]
    ) -> Outcome | HandedOver:
        """Keep a caller until an agent's phone is rung, the wait is over, or the caller leaves."""


class CallerBook(Protocol):
    """Who the callers are; see `callers`."""

    def note(self, call: Call, path: tuple[str, ...]) -> CallerNote:
        """What is known of a caller now."""

    async def look_up(self, phone: Phone, verb: LookUp, checkpoint: str) -> Outcome:
        """Wait for what the CRM says, no longer than the verb allows, or until the caller leaves."""


@dataclass(frozen=True)
class Shared:
    """What every conversation of a worker shares. is_draining: asked between verbs; recording: the tasks of calls
    whose caller speaks now.
    """

    runs: FlowRuns
    metrics: Metrics
    messages: MessageTaker
    queueing: Queueing
    callers: CallerBook
    is_draining: Callable[[], bool]
    recording: set[asyncio.Task[Any]] = field(default_factory=set)


class Conversation:
    """One call on one phone, held by this worker."""

    def __init__(self, phone: Phone, shared: Shared, *, epoch: int, stored_seq: int = 0) -> None:
        self._phone = phone
        self._shared = shared
        self._call = phone.arrival.call
        self._epoch = epoch
        self._place = phone.arrival.checkpoint
        self._place_of: object = None  # what `_place` stands for
        self._saved_seq = stored_seq
        self._written = Written(stored_seq)
        self._last_verb: Verb | None = None
        self._log = log.bind(call_id=self._call.call_id)

    async def follow(self, step: Step) -> tuple[Result, Step]:
        """Perform the step's verb and all that come after it, until the flow or this worker is done."""
        try:
            while step.verb is not None:
                self._show(step)
                if self._shared.is_draining() and not isinstance(step.verb, Hangup):
                    return await self._leave(step)
                if not isinstance(step.verb, Hangup):
                    self._note(step.run)
                outcome = await self._perform(step.verb, step.run)
                if isinstance(outcome, HandedOver):
                    return "handed_over", step
                step = step.run.advance(outcome, _now())
        except SwitchUnavailable as lost:
            self._log.info("link_lost", reason=str(lost))
            return "lost", step
        except SwitchProtocolError as broken:
            self._log.warning("protocol_broken", reason=str(broken))
            return "lost", step
        self._show(step)
        return self._result_of(step), step

    async def _perform(self, verb: Verb, run: FlowRun) -> Outcome | HandedOver:
        checkpoint = await self._checkpoint(verb, run)
        self._last_verb = verb
        outcome = await self._carry_out(verb, checkpoint, run)
        if isinstance(outcome, Failed):
            self._log.warning("verb_failed", verb=type(verb).__name__, node=run.node, reason=outcome.reason)
        return outcome

    async def _carry_out(self, verb: Verb, checkpoint: str, run: FlowRun) -> Outcome | HandedOver:
        match verb:
            case Record():
                return await self._record(verb, checkpoint)
            case Enqueue():
                return await self._shared.queueing.wait(
                    self._phone, verb, checkpoint, lambda: self._shared.callers.note(self._call, run.path)
                )
            case LookUp():
                return await self._shared.callers.look_up(self._phone, verb, checkpoint)
        return await self._phone.perform(verb, checkpoint)

    async def _record(self, verb: Record, checkpoint: str) -> Outcome | HandedOver:
        """Noted before it begins, as the switch goes on recording if this worker is lost."""
        task = asyncio.current_task()
        assert task is not None
        self._shared.recording.add(task)
        try:
            await self._shared.messages.begins(self._call, verb)
            outcome = await self._phone.perform(verb, checkpoint)
        finally:
            self._shared.recording.discard(task)
        if isinstance(outcome, Recorded):
            self._shared.messages.left(self._call, verb, outcome)
        return outcome

    async def _leave(self, step: Step) -> tuple[Result, Step]:
        """Give the call to another worker, between two verbs."""
        await self._write_through(step.run)
        is_written = step.run.kept_at <= self._written.seq
        await self._phone.hand_over(step.run.checkpoint() if is_written else self._place)
        return "drained", step

    def _show(self, step: Step) -> None:
        for node in step.entered:
            self._log.info("node_entered", flow=step.run.flow.name, node=node)
        for fault in step.faults:
            self._shared.metrics.faults.labels(step.run.flow.name).inc()
            self._log.error("flow_fault", flow=step.run.flow.name, reason=fault)

    def _note(self, run: FlowRun) -> None:
        """Have changed variables written soon."""
        if run.kept_at > self._saved_seq:
            self._shared.runs.save_soon(self._row(run), self._written)
            self._saved_seq = run.kept_at

    async def _checkpoint(self, verb: Verb, run: FlowRun) -> str:
        """The place for the channel: this one if the store has its variables, else the last one that it had."""
        if run.kept_at > self._written.seq:
            if self._place and not isinstance(verb, Dial | VoicemailBox | Record | Enqueue):
                return self._place
            await self._write_through(run)
        if self._place_of != (place := run.place):
            self._place, self._place_of = run.checkpoint(), place
        return self._place

    async def _write_through(self, run: FlowRun) -> None:
        """Have the row written before the call is let go of; without a database the call goes on all the same."""
        if run.kept_at <= self._written.seq:
            return
        try:
            await self._shared.runs.save(self._row(run), self._written)
            self._saved_seq = run.kept_at
        except StoreUnavailable as fault:
            self._log.error("store_unavailable", reason=str(fault))

    def _row(self, run: FlowRun) -> StoredRun:
        return StoredRun(self._call.call_id, self._call.leg_id, self._epoch, run.seq, run.snapshot())

    def _result_of(self, step: Step) -> Result:
        assert step.finish is not None
        if step.finish.kind == "hung_up" and isinstance(self._last_verb, Hangup):
            return "finished"
        return step.finish.kind


def _now() -> datetime:
    return datetime.now(UTC)
