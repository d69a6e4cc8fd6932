"""Drives one call through its flow on one phone: performs each verb, notes where the call is, passes outcomes on.

A conversation is held by one worker. It ends when the call has ended, when a verb was handed over to the
switch, when the worker drains, or when the link to the call is lost; in the last three cases the call comes
back to any worker, which resumes it (see `reception`).

What is noted where: the channel carries the flow's checkpoint, written with each verb. Variables go to the
store whenever they changed, without waiting for the disk. The channel never runs ahead of the store: until the
variables are written it keeps its last place, so that hearing a question again is the worst that can come of a
crash. Before the call is let go of, the write is waited for.

When the caller has left, the flow may have something to do still (`on_hangup`). That is done here too, without the
phone and without noting anything: if this worker dies meanwhile, it is not done.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, Literal, cast

import structlog

from cordboard.errors import StoreUnavailable, SwitchProtocolError, SwitchUnavailable
from cordboard.flows.checkpoint import parse_checkpoint
from cordboard.flows.run import FlowRun, Step
from cordboard.service.shared import Shared
from cordboard.store.flow_runs import ASK_DEADLINE_S, StoredRun, Written
from cordboard.telephony.outcomes import Failed, HandedOver, HungUp, NotConnected, Outcome, Recorded
from cordboard.telephony.ports import Phone
from cordboard.telephony.verbs import (
    ActAsAgent,
    Dial,
    Enqueue,
    Hangup,
    HttpRequest,
    LookUp,
    Note,
    Record,
    RequestCallback,
    RunScript,
    ServiceVerb,
    Transfer,
    Verb,
    VoicemailBox,
)

log = structlog.get_logger()

LEAVE_S = 2.0  # for the last row of a call that is handed over: else it would hear the last node again
AFTERWARDS_S = 10.0  # for all that is done after the caller has left; a worker that drains waits for it

Result = Literal["finished", "hung_up", "failed", "lost", "handed_over", "drained", "other_flow", "transferred"]


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
            while step.verb is not None and not step.run.gone:
                self._show(step)
                if self._shared.is_draining() and not isinstance(step.verb, Hangup):
                    return await self._leave(step)
                if not isinstance(step.verb, Hangup):
                    self._note(step.run)
                outcome = await self._perform(step.verb, step.run)
                if isinstance(outcome, HandedOver):
                    return "handed_over", step
                step = self._advance(step, outcome)
        except SwitchUnavailable as lost:
            self._log.info("link_lost", reason=str(lost))
            return "lost", step
        except SwitchProtocolError as broken:
            self._log.warning("protocol_broken", reason=str(broken))
            return "lost", step
        if step.verb is not None:
            step = await self._follow_alone(step)
        self._show(step)
        return self._result_of(step), step

    async def _follow_alone(self, step: Step) -> Step:
        """Do what the flow wants done after the caller has left, for `AFTERWARDS_S` at most."""
        try:
            async with asyncio.timeout(AFTERWARDS_S):
                while step.verb is not None:
                    self._show(step)
                    outcome = await self._run_errand(cast("ServiceVerb", step.verb))
                    step = self._advance(step, outcome)
        except TimeoutError:
            self._log.warning("cut_short_after_hang_up", flow=step.run.flow.name, node=step.run.node)
            step = self._advance(step, HungUp())
        return step

    def _advance(self, step: Step, outcome: Outcome) -> Step:
        at = _now()
        following = step.run.advance(outcome, at)
        self._shared.trace.note(self._call, "advance", outcome, "", following, at)
        return following

    async def _perform(self, verb: Verb, run: FlowRun) -> Outcome | HandedOver:
        checkpoint = await self._checkpoint(verb, run)
        outcome = await self._carry_out(verb, checkpoint, run)
        self._last_verb = verb
        if isinstance(outcome, Failed):
            self._log.warning("verb_failed", verb=type(verb).__name__, node=run.node, reason=outcome.reason)
        return outcome

    async def _carry_out(self, verb: Verb, checkpoint: str, run: FlowRun) -> Outcome | HandedOver:
        match verb:
            case Record():
                return await self._record(verb, checkpoint)
            case Enqueue():
                return await self._shared.queueing.wait(
                    self._phone,
                    verb,
                    checkpoint,
                    lambda: self._shared.callers.note(self._call, run.path),
                    seq=parse_checkpoint(checkpoint).seq,
                    came_as=self._came_as(run),
                )
            case LookUp() | HttpRequest() | RunScript():
                return await self._while_here(self._run_errand(verb), verb.timeout_s + 1.0, checkpoint)
            case Note() | RequestCallback() | ActAsAgent():  # a moment's work: it counts even if the caller leaves
                return await self._run_errand(verb)
            case Dial() | Transfer():
                return await self._ring(verb, checkpoint, run)
        return await self._phone.perform(verb, checkpoint)

    async def _ring(self, verb: Dial | Transfer, checkpoint: str, run: FlowRun) -> Outcome | HandedOver:
        """Have somebody rung, unless calls to numbers outside have been too many."""
        rung = self._shared.crossing.rung_from(self._call.switch, verb)
        if rung is None:
            return NotConnected("unreachable")
        if not self._shared.caps.allow(self._call, run.flow.name, rung, time.monotonic()):
            return NotConnected("refused")
        return await self._phone.perform(rung, checkpoint)

    async def _run_errand(self, verb: ServiceVerb) -> Outcome:
        """Do what needs no phone."""
        if isinstance(verb, LookUp):
            return await self._shared.callers.look_up(self._call, verb)
        return await self._shared.errands.run(self._call, verb)

    async def _while_here(self, errand: Coroutine[Any, Any, Outcome], longest_s: float, checkpoint: str) -> Outcome:
        """What comes of an errand, or that the caller has left meanwhile. longest_s: more than the errand takes."""
        running = asyncio.create_task(errand)
        staying = asyncio.create_task(self._phone.stay(longest_s, checkpoint))
        try:
            await asyncio.wait({running, staying}, return_when=asyncio.FIRST_COMPLETED)
            if staying.done() and isinstance(gone := staying.result(), HungUp):
                return gone
            return await running
        finally:
            for task in (running, staying):
                task.cancel()
            await asyncio.gather(running, staying, return_exceptions=True)

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
        await self._write_through(step.run, LEAVE_S)
        is_written = step.run.kept_at <= self._written.seq
        await self._phone.hand_over(step.run.checkpoint() if is_written else self._place)
        return "drained", step

    def _show(self, step: Step) -> None:
        entered = step.run.path[-len(step.entered) :] if step.entered else ()
        for place in entered:
            flow, _, node = place.partition("/")
            self._log.info("node_entered", flow=flow, node=node)
        for fault in step.faults:
            self._shared.metrics.faults.labels(step.run.flow.name).inc()
            self._log.error("flow_fault", flow=step.run.flow.name, reason=fault)

    def _came_as(self, run: FlowRun) -> int:
        """The number of the step with which the call came to this worker, if that was at this node and nothing has
        happened here since; otherwise 0.
        """
        came = self._phone.arrival.checkpoint
        if self._last_verb is not None or not came:
            return 0
        place = parse_checkpoint(came)
        return place.seq if (place.flow, place.node) == (run.flow.name, run.node) else 0

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

    async def _write_through(self, run: FlowRun, deadline_s: float = ASK_DEADLINE_S) -> None:
        """Have the row written before the call is let go of; without a database the call goes on all the same."""
        if run.kept_at <= self._written.seq:
            return
        try:
            await self._shared.runs.save(self._row(run), self._written, deadline_s)
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
