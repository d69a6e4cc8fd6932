"""Takes every call that reaches this worker: new ones to their flow, resumed ones back to their place.

Called by the switch edges, once for each connection of a call. A call may come several times: after a verb
that the switch carried on by itself, and after its last worker died, hung or drained.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from cordboard.errors import FlowError, StoreUnavailable, SwitchError
from cordboard.flows.checkpoint import Checkpoint, parse_checkpoint
from cordboard.flows.flow import Flow
from cordboard.flows.run import FlowRun, Step
from cordboard.service.conversation import Conversation, Desk, Result
from cordboard.service.house import Houses
from cordboard.service.metrics import Metrics
from cordboard.store.flow_runs import FlowRuns, StoredRun
from cordboard.telephony.call import Call
from cordboard.telephony.outcomes import Recorded
from cordboard.telephony.ports import Arrival, Phone
from cordboard.telephony.verbs import Record

log = structlog.get_logger()

CLOSED_EPOCH = 1 << 30  # the switch itself says the caller is gone: whoever held the row, it goes


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a call begins on this worker. epoch and stored_seq are those of its row, if it has one."""

    step: Step
    epoch: int = 1
    stored_seq: int = 0


class Reception:
    """One worker's front door."""

    def __init__(
        self,
        houses: Houses,
        runs: FlowRuns,
        metrics: Metrics,
        message_left: Callable[[Call, Record, Recorded], None],
    ) -> None:
        self._houses = houses
        self._runs = runs
        self._metrics = metrics
        self._is_draining = False
        self._desk = Desk(runs, metrics, message_left, lambda: self._is_draining)

    def drain(self) -> None:
        """From now on hand every call over between two verbs."""
        self._is_draining = True

    async def take(self, phone: Phone) -> None:
        """Serve one call until it ends here."""
        arrival = phone.arrival
        if arrival.ended:
            self._runs.close_soon(arrival.call.call_id, CLOSED_EPOCH)
            self._let_go(arrival.call, "hung_up", time.monotonic())
            return
        began = time.monotonic()
        with self._metrics.active.track_inprogress():
            result = await self._serve(phone, arrival)
        self._let_go(arrival.call, result, began)

    async def _serve(self, phone: Phone, arrival: Arrival) -> Result:
        entry = await (self._resume(arrival) if arrival.checkpoint else self._welcome(arrival.call))
        if entry is None:
            return await self._give_up(phone)
        conversation = Conversation(phone, self._desk, epoch=entry.epoch, stored_seq=entry.stored_seq)
        result = await self._follow_all(conversation, entry.step)
        if result == "failed":
            result = await self._give_up(phone)
        if result in ("finished", "hung_up", "failed") and conversation.has_row:
            self._runs.close_soon(arrival.call.call_id, entry.epoch)
        return result

    async def _give_up(self, phone: Phone) -> Result:
        """Send the call to the safe destination."""
        try:
            await phone.abandon()
        except SwitchError as fault:
            log.warning("not_sent_to_safety", call_id=phone.arrival.call.call_id, reason=str(fault))
            return "lost"
        return "failed"

    async def _follow_all(self, conversation: Conversation, step: Step) -> Result:
        """Follow a flow, and the flow it passes the call to, and so on."""
        result, step = await conversation.follow(step)
        while result == "other_flow":
            assert step.finish is not None
            flow = self._houses.current.flows.get(step.finish.flow)
            if flow is None:
                log.error("flow_gone", call_id=step.run.call.call_id, flow=step.finish.flow)
                return "failed"
            result, step = await conversation.follow(step.run.into(flow).start(_now()))
        return result

    async def _welcome(self, call: Call) -> Entry | None:
        flow = self._houses.current.flow_for(call.dnis)
        if flow is None:
            log.warning("no_flow", call_id=call.call_id, dnis=call.dnis)
            return None
        log.info("call_arrived", call_id=call.call_id, ani=call.ani, dnis=call.dnis, flow=flow.name,
                 revision=flow.revision)  # fmt: skip
        self._metrics.arrived.labels(flow.name).inc()
        return Entry(FlowRun.begin(flow, call).start(_now()))

    async def _resume(self, arrival: Arrival) -> Entry | None:
        try:
            place = parse_checkpoint(arrival.checkpoint)
        except ValueError as fault:
            log.error("checkpoint_unreadable", call_id=arrival.call.call_id, reason=str(fault))
            return None
        flow = self._houses.flow_of(place.flow, place.revision)
        if flow is None:
            log.error("flow_gone", call_id=arrival.call.call_id, flow=place.flow)
            return None
        try:
            return await self._resume_in(flow, place, arrival)
        except FlowError as fault:
            log.error("place_gone", call_id=arrival.call.call_id, flow=flow.name, reason=str(fault))
            return None

    async def _resume_in(self, flow: Flow, place: Checkpoint, arrival: Arrival) -> Entry:
        row = await self._row_of(place)
        how = "returned" if arrival.returned is not None else "restarted"
        log.info("call_resumed", call_id=arrival.call.call_id, flow=flow.name, node=place.node, how=how)
        self._metrics.resumed.labels(how).inc()
        step = _step_after(flow, place, row, arrival)
        return Entry(step, row.epoch, row.seq) if row else Entry(step)

    async def _row_of(self, place: Checkpoint) -> StoredRun | None:
        """The call's row, of which this worker is the holder from now on."""
        try:
            return await self._runs.take_over(place.call_id)
        except StoreUnavailable as fault:
            log.error("store_unavailable", call_id=place.call_id, reason=str(fault))
            return None

    def _let_go(self, call: Call, result: Result, began: float) -> None:
        self._metrics.let_go.labels(result).inc()
        held_s = round(time.monotonic() - began, 3)
        event = "call_handed_over" if result in ("handed_over", "drained", "lost") else "call_ended"
        log.info(event, call_id=call.call_id, result=result, held_s=held_s)


def _step_after(flow: Flow, place: Checkpoint, row: StoredRun | None, arrival: Arrival) -> Step:
    """The first step of a call that has come back.

    A run without variables needs no row. Otherwise the row holds them, and where the call was when they
    changed; the channel may be further on, with the same variables. A row older than the last change (its
    write was lost with the worker) wins with its own place: the caller hears a question again. A row newer
    than the channel comes from a drain. A row of another flow is of no use: the call left that flow, and what
    it has kept since is lost.
    """
    call = arrival.call
    run = FlowRun.from_checkpoint(flow, call, place)
    if place.kept_at:
        if row is None or row.snapshot["flow"] != place.flow:
            return run.fail("what the caller had entered is lost", _now())
        is_further = place.kept_at <= row.seq < place.seq
        run = FlowRun.restore(flow, call, row.snapshot, at=place if is_further else None)
    return run.resume_with(arrival.returned, _now()) if arrival.returned else run.resume(_now())


def _now() -> datetime:
    return datetime.now(UTC)
