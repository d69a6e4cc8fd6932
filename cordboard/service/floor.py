"""The ACD of one process: the store's transactions, and what has to be told to whom after each.

Used by the waiting room (callers), the observer (what the switch sees) and the desk (what agents do). Whoever
frees an agent or brings a caller has them matched in the same transaction; the workers whose callers were matched
are woken. Once a second, and whenever a deadline in the store is due, the floor looks after both: leases are
renewed, wrap-ups end, offers nobody rang are withdrawn. When that is, `look_timer` says; who is told, `bell`; what
agents do is in `agent_acts`.
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

from cordboard.acd.model import FloorPlan, LeftBecause, Moment, OfferEnd, OfferResult
from cordboard.errors import StoreUnavailable
from cordboard.service.agent_acts import AgentActs
from cordboard.service.bell import Bell, Listener, call
from cordboard.service.look_timer import LookTimer
from cordboard.service.outbox import Fact, Outbox
from cordboard.service.wait_times import WaitTimes
from cordboard.service.wakes import Waker
from cordboard.store.acd_reads import StoreReader
from cordboard.store.acd_store import AcdStore
from cordboard.store.acd_values import (
    CallerNote,
    Changes,
    Entered,
    Entering,
    FloorSnapshot,
    HeldPlace,
    OfferToRing,
    Verdict,
)
from cordboard.store.leases import observer_lease
from cordboard.store.moments import now
from cordboard.store.writer import Fate, StoreThread
from cordboard.telephony.outcomes import AgentRung

WRITE_S = 2.0  # for what an agent or a caller waits for
RENEWED_AT_ONCE = 250  # leases in one transaction
ENTER_S = 0.5  # a caller hears nothing yet
CLOSE_S = 2.0

T = TypeVar("T")

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
        self._timer = LookTimer(self._look)
        self.bell = Bell(name, wakes, self._timer.look_by)
        self.agents = AgentActs(self.store, self.do)
        self._outbox = Outbox(thread, self.bell.tell)
        self._wait_times = WaitTimes(name, self.store, thread, reader, self.bell.tell)
        self._on_plan: list[Listener] = []
        self._on_look: list[Callable[[Connection, Moment], Listener]] = []
        self.waiting_here: Callable[[], Collection[str]] = tuple  # the calls that wait on this process
        self._is_look = True  # the next question for offers is that of a look
        self.on_look(self._wait_times.look)

    # -- life --

    def start(self) -> None:
        """Begin to look after what is due, and to listen for wakes."""
        self._wakes.listen()
        self.note(self._log_out_unknown)  # taken out while nothing ran
        self._timer.start()

    async def aclose(self) -> None:
        """Stop; facts that are still to be written get a moment."""
        await self._timer.aclose()
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
        self.look()
        call(self._on_plan)

    def on_plan(self, listener: Listener) -> None:
        """Call this when there is a new configuration."""
        self._on_plan.append(listener)

    def on_look(self, work: Callable[[Connection, Moment], Listener]) -> None:
        """Do this in the transaction of each look, once a second or more often. What it returns is called once
        that is written.
        """
        self._on_look.append(work)

    def look(self) -> None:
        """Look now, as something has come about that the store does not know."""
        self._timer.look_now()

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
        self.bell.tell(entered.changes)
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
        self.bell.tell(changes)
        return PendingOffers(tuple(taken), tuple(waiting))

    async def position(self, call_id: str) -> int | None:
        """The place of a waiting caller, from 1; None if they do not wait. Raises StoreUnavailable."""
        found: int | None = await self._thread.ask(lambda c: self.store.position(c, call_id), WRITE_S)
        return found

    def told_place(self, call_id: str, queue: str, place: int) -> None:
        """A caller is told their place in line; whoever has the call after us must know, so that it is not told
        again.
        """
        self.note(lambda connection: self.store.note_told_place(connection, now(), call_id, queue, place))

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
        self.bell.tell(changes)
        found: list[Verdict] = verdicts
        return found

    def leave(self, call_id: str, because: LeftBecause, held: HeldPlace | None = None, *, key: str = "") -> None:
        """Take a caller out of their queue; written later if it cannot be now, as of now.

        held: the stay that is over, and no later one; None if the call is. key: pressed to leave.
        """
        at = now().wall

        def fact(connection: Connection) -> Changes:
            return self.store.leave(connection, now(), call_id, because, at, held=held, key=key)

        self.note(fact)

    def step_out(self, call_id: str, held_for_s: float, key: str, held: HeldPlace | None = None) -> None:
        """Keep a caller's place while they are elsewhere; written later if it cannot be now, as of now.

        key: pressed to step out; held: as for `leave`.
        """
        until = now().boot + held_for_s

        def fact(connection: Connection) -> Changes:
            return self.store.step_out(connection, now(), call_id, until, key=key, held=held)

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
                self.bell.wake_owners(made)

        found = cast(T, await self._thread.ask(noted, longest_s, told))
        self.bell.tell_the_rest(made)
        return found

    # -- what people see --

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

    async def _look(self) -> None:
        await self._renew()

        def work(connection: Connection) -> tuple[list[Listener], Changes]:
            moment = now()
            written = [extra(connection, moment) for extra in self._on_look]
            return written, self.store.sweep(connection, moment)

        written, changes = await self._thread.ask(work, WRITE_S)
        call(written)
        self.bell.tell(changes)
        self._is_look = True
        self.bell.ask_for_offers()  # a wake that was lost

    async def _renew(self) -> None:
        """We live, and hold these callers. In parts, so that an offer asked for meanwhile comes between two."""
        waiting = tuple(self.waiting_here())
        for first in range(0, len(waiting), RENEWED_AT_ONCE):
            part = waiting[first : first + RENEWED_AT_ONCE]
            await self._thread.ask(partial(self._renew_part, part), WRITE_S)

    def _renew_part(self, call_ids: Collection[str], connection: Connection) -> None:
        self.store.renew(connection, now(), self.name, call_ids)


_END: Mapping[str, OfferEnd] = {end.value: end for end in OfferEnd} | {"joined": OfferEnd.SERVED}


@contextlib.asynccontextmanager
async def _deadline(seconds: float) -> AsyncIterator[None]:
    """A deadline whose passing is the store's fault."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as late:
        raise StoreUnavailable("earlier facts are not written yet") from late
