"""Takes every call that reaches this worker: new ones to their flow, resumed ones back to their place.

Called by the switch edges, once for each connection of a call. A call may come several times: after a verb
that the switch carried on by itself, and after its last worker died, hung or drained.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from cordboard.errors import FlowError, StoreUnavailable, SwitchError
from cordboard.flows.calling import base_of
from cordboard.flows.checkpoint import Checkpoint, parse_checkpoint
from cordboard.flows.flow import Flow
from cordboard.flows.run import FlowRun, Step
from cordboard.service.called_back import (
    DNIS,
    CalledBackBook,
    NobodyCalledBack,
    flow_named,
    flow_of_leg,
    is_made_here,
)
from cordboard.service.callers import Callers
from cordboard.service.conversation import Conversation, Result
from cordboard.service.crossing import Crossing
from cordboard.service.house import Houses
from cordboard.service.message_notes import LONGEST_RECORDING_S
from cordboard.service.metrics import Metrics
from cordboard.service.outside_caps import OutsideCaps
from cordboard.service.shared import ErrandRunner, MessageTaker, NoErrands, Shared
from cordboard.service.tracing import NoTrace, StepKind, TraceSink
from cordboard.service.waiting_room import WaitingRoom
from cordboard.store.flow_runs import FlowRuns, StoredRun, new_epoch
from cordboard.telephony.call import Call
from cordboard.telephony.outcomes import AgentRung, HungUp, Outcome
from cordboard.telephony.ports import Arrival, Phone

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a call begins on this worker. stored_seq: how far the store has it."""

    step: Step
    stored_seq: int = 0


@dataclass(frozen=True, slots=True)
class Back:
    """A call that has come back. returned: what came of the verb under way; lost: what is wrong, in words."""

    run: FlowRun
    returned: Outcome | None = None
    lost: str = ""


class Reception:
    """One worker's front door."""

    def __init__(
        self,
        houses: Houses,
        runs: FlowRuns,
        metrics: Metrics,
        messages: MessageTaker,
        waiting_room: WaitingRoom,
        callers: Callers,
        *,
        errands: ErrandRunner | None = None,
        trace: TraceSink | None = None,
        caps: OutsideCaps | None = None,
        crossing: Crossing | None = None,
        called_back: CalledBackBook | None = None,
    ) -> None:
        self._houses = houses
        self._runs = runs
        self._metrics = metrics
        self._waiting_room = waiting_room
        self._callers = callers
        self._is_draining = False
        self._trace = trace or NoTrace()
        self._called_back = called_back or NobodyCalledBack()
        self._shared = Shared(
            runs,
            metrics,
            messages,
            waiting_room,
            callers,
            lambda: self._is_draining,
            errands or NoErrands(),
            self._trace,
            caps or OutsideCaps(),
            crossing or Crossing(),
        )

    def drain(self) -> None:
        """From now on hand every call over between two verbs, and those who wait in a queue now."""
        self._is_draining = True
        self._waiting_room.drain()

    async def wait_recorded(self, longest_s: float = LONGEST_RECORDING_S) -> None:
        """Wait until no caller is speaking after the beep: a message is best ended by the worker that began it."""
        if self._shared.recording:
            await asyncio.wait(tuple(self._shared.recording), timeout=longest_s)

    async def take(self, phone: Phone) -> None:
        """Serve one call until it ends here."""
        arrival = phone.arrival
        if isinstance(arrival.returned, AgentRung):
            self._waiting_room.rung(arrival, arrival.returned)
        if arrival.ended:
            await self._close(phone)
            return
        began = time.monotonic()
        with self._metrics.active.track_inprogress():
            result = await self._serve(phone, arrival)
        self._let_go(arrival.call, result, began)

    async def _close(self, phone: Phone) -> None:
        """The caller has left while no worker had the call."""
        began = time.monotonic()
        call, epoch = phone.arrival.call, new_epoch()
        self._waiting_room.gone(call.call_id)
        step = await self._farewell(phone.arrival, epoch)
        if step is not None:
            await self._follow_all(Conversation(phone, self._shared, epoch=epoch), step)
        self._callers.ended(call.call_id)
        self._runs.close_soon(call.call_id, epoch, is_ours=False)
        self._let_go(call, "hung_up", began)

    async def _farewell(self, arrival: Arrival, epoch: int) -> Step | None:
        """What the flow of a call that has ended wants done; None if it wants nothing, or cannot be found."""
        try:
            place = parse_checkpoint(arrival.checkpoint)
            if not self._flow(place.flow, place.revision).may_care_for_hangup:
                return None
            back = self._find_back(arrival, place, await self._row_of(place.call_id, epoch))
        except (FlowError, KeyError, ValueError) as fault:
            log.warning("left_unnoticed", call_id=arrival.call.call_id, reason=str(fault))
            return None
        if back.lost:
            log.warning("left_unnoticed", call_id=arrival.call.call_id, reason=back.lost)
            return None
        at = _now()
        return self._noted("return", HungUp(), back.run.advance(HungUp(), at), at, before=back.run)

    async def _serve(self, phone: Phone, arrival: Arrival) -> Result:
        epoch = new_epoch()
        if not arrival.checkpoint:
            self._callers.arrived(arrival.call)
        entry = await (self._resume(arrival, epoch) if arrival.checkpoint else self._welcome(arrival.call))
        if entry is None:
            return await self._give_up(phone)
        conversation = Conversation(phone, self._shared, epoch=epoch, stored_seq=entry.stored_seq)
        result = await self._follow_all(conversation, entry.step)
        if result == "failed":
            result = await self._give_up(phone)
        if result in ("finished", "hung_up", "failed", "transferred"):
            if arrival.call.dnis == DNIS:
                self._called_back.ended(arrival.call.call_id, by_flow=result in ("finished", "transferred"))
            self._waiting_room.ended(arrival.call.call_id, has_left=result == "hung_up")
            self._callers.ended(arrival.call.call_id)
            self._runs.close_soon(arrival.call.call_id, epoch)
        else:
            self._callers.let_go(arrival.call.call_id)
            self._runs.let_go(arrival.call.call_id)
        return result

    async def _give_up(self, phone: Phone) -> Result:
        """Send the call to the safe destination."""
        self._waiting_room.lost(phone.arrival.call.call_id)
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
            at = _now()
            step = self._noted("start", None, step.run.into(flow).start(at), at)
            result, step = await conversation.follow(step)
        return result

    async def _welcome(self, call: Call) -> Entry | None:
        if call.dnis == DNIS:
            return await self._welcome_back(call)
        flow = self._houses.current.flow_for(call.dnis)
        if flow is None:
            log.warning("no_flow", call_id=call.call_id, dnis=call.dnis)
            return None
        log.info("call_arrived", call_id=call.call_id, ani=call.ani, dnis=call.dnis, flow=flow.name,
                 revision=flow.revision)  # fmt: skip
        self._metrics.arrived.labels(flow.name).inc()
        at = _now()
        return Entry(self._noted("start", None, FlowRun.begin(flow, call).start(at), at))

    async def _welcome_back(self, call: Call) -> Entry:
        """A leg that we have made ourselves: into the flow which its queue has for that, or the queue itself."""
        wanted = await self._called_back.find(call.call_id)
        language = wanted.language if wanted is not None else None
        flow = flow_of_leg(wanted, self._houses.current.flows, self._called_back.queues)
        log.info("called_back", call_id=call.call_id, flow=flow.name, revision=flow.revision)
        at = _now()
        return Entry(self._noted("start", None, FlowRun.begin(flow, call, language).start(at), at))

    async def _resume(self, arrival: Arrival, epoch: int) -> Entry | None:
        try:
            place = parse_checkpoint(arrival.checkpoint)
        except ValueError as fault:
            log.error("checkpoint_unreadable", call_id=arrival.call.call_id, reason=str(fault))
            return None
        row = await self._row_of(place.call_id, epoch)
        try:
            back = self._find_back(arrival, place, row)
        except (FlowError, KeyError) as fault:
            log.error("place_gone", call_id=arrival.call.call_id, flow=place.flow, reason=str(fault))
            return None
        how = "returned" if arrival.returned is not None else "restarted"
        log.info("call_resumed", call_id=arrival.call.call_id, flow=back.run.flow.name, node=back.run.node, how=how)
        self._metrics.resumed.labels(how).inc()
        return Entry(await self._step_back(back), row.seq if row else 0)

    async def _step_back(self, back: Back) -> Step:
        """The first step of a call that has come back, with what its verb came to if that went on by itself."""
        run, outcome = back.run, back.returned
        if not back.lost and outcome is None and run.recording is not None:
            outcome = await self._shared.messages.found(run.call, run.recording)
        at = _now()
        if back.lost:
            return self._noted("fail", None, run.fail(back.lost, at), at, reason=back.lost, before=run)
        if outcome is not None:
            return self._noted("return", outcome, run.resume_with(outcome, at), at, before=run)
        return self._noted("resume", None, run.resume(at), at, before=run)

    def _noted(
        self,
        kind: StepKind,
        outcome: Outcome | None,
        step: Step,
        at: datetime,
        *,
        reason: str = "",
        before: FlowRun | None = None,
    ) -> Step:
        """The same step, in the trace."""
        self._trace.note(step.run.call, kind, outcome, reason, step, at, before=before)
        return step

    def _find_back(self, arrival: Arrival, place: Checkpoint, row: StoredRun | None) -> Back:
        """Where a call that has come back was.

        The newer of row and channel says where the call is. The row is newer if its last worker was lost just
        after it had written, or drained. The channel is newer while variables do not change; those of the row
        are still true then, unless the database has lost them. Raises FlowError if there is no such place now.
        """
        if row is not None and row.seq > place.seq:
            return Back(FlowRun.restore(self._flow(*base_of(row.snapshot)), arrival.call, row.snapshot))
        flow = self._flow(place.flow, place.revision)
        if place.kept_at == 0:
            return Back(FlowRun.from_checkpoint(flow, arrival.call, place), arrival.returned)
        if row is None or row.seq < place.kept_at or row.snapshot["flow"] != place.flow:
            return Back(
                FlowRun.from_checkpoint(flow, arrival.call, place), lost="what the caller had entered is lost"
            )
        if row.snapshot.get("stack"):
            flow = self._flow(*base_of(row.snapshot))
        return Back(FlowRun.restore(flow, arrival.call, row.snapshot, at=place), arrival.returned)

    def _flow(self, name: str, revision: str) -> Flow:
        """The flow a call began with, or today's of that name. Raises FlowError if there is none."""
        if is_made_here(revision):
            return flow_named(name, self._called_back.queues)
        flow = self._houses.flow_of(name, revision)
        if flow is None:
            raise FlowError("there is no such flow any more", flow=name)
        return flow

    async def _row_of(self, call_id: str, epoch: int) -> StoredRun | None:
        """The call's row, of which this worker is the holder from now on."""
        try:
            return await self._runs.take_over(call_id, epoch)
        except StoreUnavailable as fault:
            log.error("store_unavailable", call_id=call_id, reason=str(fault))
            return None

    def _let_go(self, call: Call, result: Result, began: float) -> None:
        self._metrics.let_go.labels(result).inc()
        self._trace.ended(call.call_id, result)
        held_s = round(time.monotonic() - began, 3)
        event = "call_handed_over" if result in ("handed_over", "drained", "lost") else "call_ended"
        log.info(event, call_id=call.call_id, result=result, held_s=held_s)


def _now() -> datetime:
    return datetime.now(UTC)
