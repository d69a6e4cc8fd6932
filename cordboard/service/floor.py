"""The ACD of one process: the store's transactions, and what has to be told to whom after each.

Used by the waiting room (callers), the observer (what the switch sees) and the desk (what agents do). Whoever
frees an agent or brings a caller has them matched in the same transaction; the workers whose callers were matched
are woken. Once a second, and whenever a deadline in the store is due, the floor looks after both: leases are
renewed, wrap-ups end, offers nobody rang are withdrawn.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar, cast

import structlog
from sqlalchemy import Connection

from cordboard.acd.model import FloorPlan, LeftBecause, Moment, OfferEnd, OfferResult, Presence
from cordboard.errors import StoreUnavailable
from cordboard.service.outbox import Fact, Outbox
from cordboard.service.wait_times import WaitTimes
from cordboard.service.wakes import DESK, Waker
from cordboard.store.acd_reads import StoreReader
from cordboard.store.acd_store import AcdStore
from cordboard.store.acd_values import CallerNote, Changes, Entered, Entering, FloorSnapshot, OfferToRing, Verdict
from cordboard.store.leases import observer_lease
from cordboard.store.moments import now
from cordboard.store.writer import Fate, StoreThread
from cordboard.telephony.outcomes import AgentRung

OBSERVER_LEASE = observer_lease("asterisk")
LOOK_S = 1.0  # between two looks at what is due, if nothing is due before
WRITE_S = 2.0  # for what an agent or a caller waits for
RENEWED_AT_ONCE = 250  # leases in one transaction
ENTER_S = 0.5  # a caller hears nothing yet
CLOSE_S = 2.0

T = TypeVar("T")
Listener = Callable[[], None]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PendingOffers:
    """taken: offers of quiet callers, marked ringing; waiting: calls that must be interrupted for theirs."""

    taken: tuple[OfferToRing, ...]
    waiting: tuple[str, ...]


class Floor:
    """One process's share in the ACD. name: of the process, and the owner of its waiting callers."""

    def __init__(self, name: str, plan: FloorPlan, thread: StoreThread, reader: StoreReader, wakes: Waker) -> None:
        self.name = name
        # Nobody is offered a call while nobody hears what phones do.
        self.store = AcdStore(plan, needs_lease=observer_lease(plan.switches[0]))
        self._thread = thread
        self._reader = reader
        self._wakes = wakes
        self._outbox = Outbox(thread, self._tell)
        self._wait_times = WaitTimes(name, self.store, thread, reader, self._tell)
        self._on_offers: list[Listener] = []
        self._on_changed: list[Listener] = []
        self._on_overdue: list[Listener] = []
        self._on_plan: list[Listener] = []
        self._on_look: list[Callable[[Connection, Moment], Listener]] = []
        self.waiting_here: Callable[[], Collection[str]] = tuple  # the calls that wait on this process
        self._due = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._look_at = 0.0  # the moment of the timer
        self._is_look = True  # the next question for offers is that of a look
        self.on_look(self._wait_times.look)

    # -- life --

    def start(self) -> None:
        """Begin to look after what is due, and to listen for wakes."""
        self._wakes.listen()
        self.note(self._log_out_unknown)  # taken out while nothing ran
        self._looking = asyncio.create_task(self._look_again_and_again())

    async def aclose(self) -> None:
        """Stop; facts that are still to be written get a moment."""
        if self._timer is not None:
            self._timer.cancel()
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
        await self._wait_times.aclose()
        await self._outbox.aclose(CLOSE_S)
        self._wakes.close()

    @property
    def plan(self) -> FloorPlan:
        """Queues and agents as configured now."""
        return self.store.plan

    def use(self, plan: FloorPlan) -> None:
        """A new configuration. Callers and agents stay where they are."""
        self.store.plan = plan
        self.note(self._log_out_unknown)
        self._due.set()
        self._call(self._on_plan)

    def on_offers(self, listener: Listener) -> None:
        """Call this when one of this process's callers may have an offer."""
        self._on_offers.append(listener)

    def on_changed(self, listener: Listener) -> None:
        """Call this when something that people look at may have changed."""
        self._on_changed.append(listener)

    def on_plan(self, listener: Listener) -> None:
        """Call this when there is a new configuration."""
        self._on_plan.append(listener)

    def on_overdue(self, listener: Listener) -> None:
        """Call this when the store has offers of which the switch should have said more by now."""
        self._on_overdue.append(listener)

    def on_look(self, work: Callable[[Connection, Moment], Listener]) -> None:
        """Do this in the transaction of each look, once a second or more often. What it returns is called once
        that is written.
        """
        self._on_look.append(work)

    def woken(self) -> None:
        """Another process says that there is something to see."""
        self._call(self._on_offers)
        self._call(self._on_changed)

    def look(self) -> None:
        """Look now, as something has come about that the store does not know."""
        self._due.set()

    # -- callers --

    async def enter(self, entering: Entering, caller: CallerNote) -> Entered:
        """Put a caller into a queue, or back into their place. Raises StoreUnavailable."""
        async with _deadline(ENTER_S):
            await self._outbox.emptied()  # what came of their last offer is a fact that must be known first

        def work(connection: Connection) -> Entered:
            moment = now()
            self.store.note_caller(connection, moment, caller)
            return self.store.enter(connection, moment, entering)

        entered: Entered = await self._thread.ask(work, ENTER_S)
        self._tell(entered.changes)
        return entered

    async def take_offers(self, quiet: Collection[str]) -> PendingOffers:
        """The offers of this process's callers; those of `quiet` calls are marked ringing.

        An answer that was lost on its way is asked for again with each look. Raises StoreUnavailable.
        """
        again, self._is_look = self._is_look, False
        are_all_quiet = len(quiet) == len(self.waiting_here())

        def work(connection: Connection) -> tuple[list[OfferToRing], Changes, list[str]]:
            taken, changes = self.store.take_offers(connection, now(), self.name, quiet, again=again)
            return taken, changes, [] if are_all_quiet else self.store.pending_offers(connection, self.name)

        taken, changes, waiting = await self._thread.ask(work, WRITE_S)
        self._tell(changes)
        return PendingOffers(tuple(taken), tuple(waiting))

    async def position(self, call_id: str) -> int | None:
        """The place of a waiting caller, from 1; None if they do not wait. Raises StoreUnavailable."""
        found: int | None = await self._thread.ask(lambda c: self.store.position(c, call_id), WRITE_S)
        return found

    async def estimated_wait(self, call_id: str) -> float | None:
        """The seconds to tell a waiting caller: four in five wait no longer, and it is never more than they were
        told before. None if they do not wait, or for agents of whom none is at work. Raises StoreUnavailable.
        """
        return await self._wait_times.told(call_id)

    async def review(self, call_ids: Collection[str]) -> list[Verdict]:
        """Apply the rules of their queues to callers who wait here. Raises StoreUnavailable."""

        def work(connection: Connection) -> tuple[list[Verdict], Changes]:
            return self.store.review(connection, now(), self.name, call_ids)

        verdicts, changes = await self._thread.ask(work, WRITE_S)
        self._tell(changes)
        found: list[Verdict] = verdicts
        return found

    def leave(self, call_id: str, because: LeftBecause, entered: Entered | None = None, *, key: str = "") -> None:
        """Take a caller out of their queue; written later if it cannot be now, as of now.

        entered: the stay that is over, and no later one; None if the call is. key: pressed to leave.
        """
        at = now().wall
        entry_id, fence = (entered.entry_id, entered.fence) if entered is not None else ("", None)

        def fact(connection: Connection) -> Changes:
            return self.store.leave(
                connection, now(), call_id, because, at, entry_id=entry_id, fence=fence, key=key
            )

        self.note(fact)

    def step_out(self, call_id: str, held_for_s: float, key: str, entered: Entered | None = None) -> None:
        """Keep a caller's place while they are elsewhere; written later if it cannot be now, as of now.

        key: pressed to step out; entered: as for `leave`.
        """
        until = now().boot + held_for_s
        entry_id, fence = (entered.entry_id, entered.fence) if entered is not None else ("", None)

        def fact(connection: Connection) -> Changes:
            return self.store.step_out(connection, now(), call_id, until, key=key, entry_id=entry_id, fence=fence)

        self.note(fact)

    def came_and_went(self, entering: Entering, caller: CallerNote, because: LeftBecause) -> None:
        """A caller leaves who could not be entered; written when it can be."""
        at = now().wall

        def fact(connection: Connection) -> Changes:
            self.store.note_caller(connection, now(), caller)
            return self.store.come_and_go(connection, now(), entering, because, at)

        self.note(fact)

    def rung(self, call_id: str, rung: AgentRung, *, caller_is_here: bool) -> None:
        """What came of ringing an agent, or several, for this call."""
        result, *others = (
            OfferResult(one.offer_id, _END[one.result], one.joined_at, one.ended_at) for one in (rung, *rung.others)
        )
        self.note(lambda connection: self.store.settle(connection, now(), call_id, result, caller_is_here, others))

    def note(self, fact: Fact) -> None:
        """Have a fact written, in its turn."""
        self._outbox.put(fact)

    async def do(self, work: Callable[[Connection], tuple[T, Changes]], longest_s: float) -> T:
        """Run a transaction, and tell whom it concerns; what it found. Raises StoreUnavailable.

        Other processes that have a phone to ring are woken by the thread, the moment it is written.
        """
        made = Changes()

        def noted(connection: Connection) -> T:
            nonlocal made
            found, made = work(connection)
            return found

        def told(fate: Fate) -> None:
            if fate == "written":
                self._wake_owners(made)

        found = cast(T, await self._thread.ask(noted, longest_s, told))
        self._hear(made)
        return found

    # -- agents --

    async def set_presence(self, agent: str, presence: Presence, reason: str = "") -> None:
        """What the agent chose. Raises StoreUnavailable, ValueError for an agent or a reason that is not known."""
        await self._write(lambda c: self.store.set_presence(c, now(), agent, presence, reason))

    async def dispose(self, agent: str, offer_id: str, disposition: str, note: str = "") -> None:
        """What came of a call, as the agent says; ends the wrap-up. Raises StoreUnavailable, ValueError."""
        await self._write(lambda c: self.store.dispose(c, now(), agent, offer_id, disposition, note))

    async def force_presence(self, by: str, agent: str, presence: Presence, reason: str = "") -> None:
        """What somebody else has decided for an agent. by: who, as the agent is told. Raises as `set_presence`."""
        await self._write(lambda c: self.store.force_presence(c, now(), agent, presence, reason, by=by))

    async def extend_wrap_up(self, agent: str, offer_id: str) -> None:
        """More time for the notes on a call. Raises StoreUnavailable, ValueError where there is none to be had."""
        await self._write(lambda c: self.store.extend_wrap_up(c, now(), agent, offer_id))

    async def dispose_last(self, agent: str, disposition: str) -> None:
        """What came of the call the agent has, or has had last. Raises StoreUnavailable, ValueError."""
        await self._write(lambda c: self.store.dispose_last(c, now(), agent, disposition))

    async def extend_last(self, agent: str) -> None:
        """More time for the notes on the call the agent wraps up. Raises StoreUnavailable, ValueError."""
        await self._write(lambda c: self.store.extend_last(c, now(), agent))

    async def snapshot(self) -> FloorSnapshot:
        """Everything people look at. Raises StoreUnavailable."""
        return await self._reader.ask(lambda connection: self._reader.snapshot(connection, now(), self.plan))

    # -- inside --

    def _log_out_unknown(self, connection: Connection) -> Changes:
        """An agent who is taken out and later put back has not been at work meanwhile."""
        removed, changes = self.store.log_out_unknown(connection, now())
        for agent in removed:
            log.info("agent_removed", agent=agent)
        return changes

    async def _write(self, work: Fact) -> None:
        """Do what somebody asks for. What cannot be is refused (ValueError) before anything is written, and is an
        answer like any other: no fault of the store.
        """

        def answered(connection: Connection) -> tuple[ValueError | None, Changes]:
            try:
                return None, work(connection)
            except ValueError as refusal:
                return refusal, Changes()

        refusal = await self.do(answered, WRITE_S)
        if refusal is not None:
            raise refusal

    def _tell(self, changes: Changes) -> None:
        """Tell everybody whom it concerns."""
        self._wake_owners(changes)
        self._hear(changes)

    def _wake_owners(self, changes: Changes) -> None:
        """Those elsewhere who have a phone to ring. In any thread."""
        self._wakes.wake(changes.owners - {self.name})

    def _hear(self, changes: Changes) -> None:
        """Tell all but those who are woken first."""
        if self.name in changes.owners:
            self._call(self._on_offers)
        if changes.overdue:
            self._call(self._on_overdue)
        if changes.changed:
            self._wakes.wake({DESK} - {self.name})
            self._call(self._on_changed)
        if changes.next_due_in_s is not None and changes.next_due_in_s < LOOK_S:
            self._look_in(max(0.0, changes.next_due_in_s))

    def _look_in(self, seconds: float) -> None:
        """Look then, unless a look is due before that anyway."""
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if loop.time() < self._look_at <= at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._look_at = at  # not the timer's `when`: what uvloop gives for a moment that is now has none
        self._timer = loop.call_at(at, self._due.set)

    async def _look_again_and_again(self) -> None:
        while True:
            await self._look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._due.wait()
            self._due.clear()

    async def _look(self) -> None:
        """Whatever goes wrong in one look, there is another."""
        try:
            await self._look_once()
        except StoreUnavailable:
            pass  # the store says so itself
        except Exception:
            log.exception("look_failed")

    async def _look_once(self) -> None:
        await self._renew()

        def work(connection: Connection) -> tuple[list[Listener], Changes]:
            moment = now()
            written = [extra(connection, moment) for extra in self._on_look]
            return written, self.store.sweep(connection, moment)

        written, changes = await self._thread.ask(work, WRITE_S)
        self._call(written)
        self._tell(changes)
        self._is_look = True
        self._call(self._on_offers)  # a wake that was lost

    async def _renew(self) -> None:
        """We live, and hold these callers. In parts, so that an offer asked for meanwhile comes between two."""
        waiting = tuple(self.waiting_here())
        for first in range(0, len(waiting), RENEWED_AT_ONCE):
            part = waiting[first : first + RENEWED_AT_ONCE]
            await self._thread.ask(partial(self._renew_part, part), WRITE_S)

    def _renew_part(self, call_ids: Collection[str], connection: Connection) -> None:
        self.store.renew(connection, now(), self.name, call_ids)

    @staticmethod
    def _call(listeners: list[Listener]) -> None:
        for listener in listeners:
            listener()


_END: Mapping[str, OfferEnd] = {end.value: end for end in OfferEnd} | {"joined": OfferEnd.SERVED}


@contextlib.asynccontextmanager
async def _deadline(seconds: float) -> AsyncIterator[None]:
    """A deadline whose passing is the store's fault."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as late:
        raise StoreUnavailable("earlier facts are not written yet") from late
