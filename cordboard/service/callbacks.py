"""Calls people back, and notices which calls were cut off: the dialler of a process.

Every worker has one; the one that holds the lease `dialler` dials, and writes what the switches tell of calls. One
for all switches: what is promised is dialled over the trunk of `outside`, on whichever switch a call was lost. It
looks when something has changed here, and once a second. An attempt is claimed in the store before it is made, and
its leg has an id that follows from the claim: if what came of it is not known (the link or the process was lost),
the leg is looked up before anything else is done. A leg that was answered enters the loop like any call
(`reception`).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from functools import partial
from typing import Protocol

import structlog
from sqlalchemy import Connection

from cordboard.acd.model import Moment
from cordboard.errors import OutcomeUnknown, StoreUnavailable, SwitchError, SwitchUnavailable
from cordboard.service.floor import Floor
from cordboard.service.outside_caps import OutsideCaps
from cordboard.store.acd_values import Changes
from cordboard.store.callback_attempts import Attempt, CalledBack
from cordboard.store.callback_store import CallbackStore, ToDial
from cordboard.store.callbacks import CallbackAsked
from cordboard.store.moments import now
from cordboard.telephony.dial_policy import DialPolicy
from cordboard.telephony.hangup_causes import HangupCause, from_q850
from cordboard.telephony.outcomes import CallbackBooked, CallbackRefused
from cordboard.telephony.ports import CallEvent, CustomerLeg, Leg

LEASE = "dialler"
LEASE_S = 2.5  # renewed with each look of the floor, once a second
BOOK_S = 1.0  # a caller waits in silence meanwhile
CLAIM_S = 2.0
FIND_S = 1.0  # a customer has picked up, and hears nothing yet

log = structlog.get_logger()


class DiallingSwitch(Protocol):
    """What the dialler asks of the switch by which customers are rung."""

    @property
    def is_connected(self) -> bool: ...

    async def call_back(self, leg: CustomerLeg) -> HangupCause | None: ...

    async def list_legs(self) -> Sequence[Leg]: ...


class DiallingSwitches(Protocol):
    """All switches that calls come in on. is_connected: whether any can be heard."""

    @property
    def is_connected(self) -> bool: ...

    def on_call_event(self, callback: Callable[[CallEvent], None]) -> None: ...

    def of(self, device: str) -> DiallingSwitch: ...


class Callbacks:
    """One process's callbacks."""

    def __init__(self, floor: Floor, switches: DiallingSwitches, caps: OutsideCaps) -> None:
        self._floor = floor
        self._switches = switches
        self._caps = caps
        self._store = CallbackStore(floor.store)
        self._holder = f"{floor.name}:{secrets.token_hex(4)}"  # of this process only, as the observer's
        self._policy = DialPolicy()
        self._is_dialling = False  # whether this process holds the lease
        self._has_open = False
        self._working: asyncio.Task[None] | None = None
        self._work_again = False
        self._tasks: set[asyncio.Task[None]] = set()
        switches.on_call_event(self._hear)
        floor.on_look(self._look)
        floor.bell.on_changed(self._changed)

    def use(self, policy: DialPolicy) -> None:
        """Which numbers may be called, from now on."""
        self._policy = policy

    async def aclose(self) -> None:
        """Stop, and let another process dial. Legs that are on their way are found by it."""
        if self._is_dialling:
            self._is_dialling = False
            self._floor.note(self._release)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def book(self, asked: CallbackAsked) -> CallbackBooked | CallbackRefused:
        """Promise somebody a call. Raises StoreUnavailable."""
        return await self._floor.do(lambda connection: self._store.book(connection, now(), asked), BOOK_S)

    # -- legs that have come to the reception --

    @property
    def queues(self) -> Collection[str]:
        """The queues there are."""
        return self._floor.plan.queues.keys()

    async def find(self, call_id: str) -> CalledBack | None:
        """What a leg that was made is to do; None if nobody waits for it any more, or that cannot be found out."""

        def work(connection: Connection) -> tuple[CalledBack | None, Changes]:
            return self._store.called_back(connection, now(), call_id), Changes()

        try:
            return await self._floor.do(work, FIND_S)
        except StoreUnavailable as fault:
            log.error("called_back_for_nothing", call_id=call_id, reason=str(fault))
            return None

    def ended(self, call_id: str, *, by_flow: bool) -> None:
        """The leg has ended here. by_flow: at the end of its flow, and nobody hung up before."""
        if by_flow:
            self._floor.note(lambda connection: self._store.declined(connection, now(), call_id))
        else:
            self._note_ended(call_id, "hung up")

    # -- the lease --

    def _look(self, connection: Connection, moment: Moment) -> Callable[[], None]:
        """Runs in the store thread, with each look of the floor."""
        store = self._floor.store
        is_dialling = self._switches.is_connected and store.take_lease(
            connection, moment, LEASE, self._holder, LEASE_S
        )
        has_open = is_dialling and self._switch.is_connected and self._store.is_any_open(connection, moment)
        return partial(self._looked, is_dialling, has_open)

    def _looked(self, is_dialling: bool, has_open: bool) -> None:
        self._is_dialling, self._has_open = is_dialling, has_open
        self._changed()

    def _release(self, connection: Connection) -> Changes:
        self._floor.store.release_lease(connection, LEASE, self._holder)
        return Changes()

    # -- dialling --

    @property
    def _switch(self) -> DiallingSwitch:
        """The one by which customers are rung. Another one that is down does not matter."""
        outside = self._policy.outside
        return self._switches.of(outside.device if outside is not None else "")

    def _changed(self) -> None:
        """Somebody may have come free. While one claim is under way, once more after it."""
        if not (self._is_dialling and self._has_open):
            return
        if self._working is not None and not self._working.done():
            self._work_again = True
            return
        self._working = self._begin(self._work())

    async def _work(self) -> None:
        self._work_again = True
        while self._work_again:
            self._work_again = False
            with contextlib.suppress(StoreUnavailable):  # the store says so itself
                found = await self._floor.do(self._claim, CLAIM_S)
                for attempt in found.attempts:
                    self._begin(self._dial(attempt))
                if found.overdue:
                    await self._look_up()

    def _claim(self, connection: Connection) -> tuple[ToDial, Changes]:
        found = self._store.claim(connection, now())
        return found, found.changes

    async def _dial(self, attempt: Attempt) -> None:
        """Make the leg. What is not known of it is looked up when it is overdue."""
        customer = self._policy.resolve_number(attempt.number)
        if customer is None:
            log.error("callback_not_allowed", call_id=attempt.call_id, queue=attempt.queue)
            self._note_ended(attempt.call_id, "not allowed")
            return
        if not self._caps.allow_callback(customer.number, attempt.queue, attempt.call_id, time.monotonic()):
            self._note_ended(attempt.call_id, "too many calls", counts=False)
            return
        policy = attempt.policy
        is_agent_first = policy.dial == "agent_first"
        log.info("callback_dialled", call_id=attempt.call_id, queue=attempt.queue, mode=policy.dial)
        leg = CustomerLeg(
            attempt.leg_id, attempt.call_id, customer, policy.ring_s, policy.detect_machines, is_agent_first
        )
        try:
            cause = await self._switch.call_back(leg)
        except (OutcomeUnknown, SwitchUnavailable) as fault:
            log.warning("callback_outcome_unknown", call_id=attempt.call_id, reason=str(fault))
            return
        except SwitchError as fault:
            log.error("callback_not_dialled", call_id=attempt.call_id, reason=str(fault))
            cause = HangupCause.UNKNOWN
        if cause is not None:
            self._note_ended(attempt.call_id, cause.value)

    async def _look_up(self) -> None:
        """Settle the attempts that should have come to something, by the legs that live."""
        try:
            legs = await self._switch.list_legs()
        except SwitchError as fault:
            log.warning("callbacks_not_looked_up", reason=str(fault))
            return
        live = frozenset(leg.leg_id for leg in legs)
        self._floor.note(lambda connection: self._store.settle_overdue(connection, now(), live))

    def _note_ended(self, call_id: str, result: str, *, counts: bool = True) -> None:
        """counts: not if nobody was rung."""
        log.info("callback_attempt_ended", call_id=call_id, result=result)

        def fact(connection: Connection) -> Changes:
            return self._store.attempt_ended(connection, now(), call_id, result, counts=counts)

        self._floor.note(fact)

    # -- what the switch tells --

    def _hear(self, event: CallEvent) -> None:
        if not self._is_dialling:
            return
        match event.kind:
            case "machine" | "gone":
                self._note_ended(event.call_id, "machine" if event.kind == "machine" else "hung up")
            case "not_reached":
                result = from_q850(event.cause).value
                self._floor.note(
                    lambda connection: self._store.not_reached(connection, now(), event.call_id, result)
                )
            case "left" if any(queue.cut_off for queue in self._floor.plan.queues.values()):
                self._floor.note(
                    lambda connection: self._store.left(connection, now(), event.call_id, event.cause, event.at)
                )

    def _begin(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
