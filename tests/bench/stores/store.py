"""One process's hold on a store, as the service has it: the thread that writes, and the ACD's transactions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import NoReturn, TypeVar

from sqlalchemy import Connection

from cordboard.acd.model import OfferEnd, OfferResult, Presence
from cordboard.service.floor import RENEWED_AT_ONCE
from cordboard.service.look_timer import LOOK_S
from cordboard.store import acd_entering
from cordboard.store.acd_store import AcdStore
from cordboard.store.acd_values import Changes, Entered, Entering, OfferToRing
from cordboard.store.address import Address
from cordboard.store.leases import observer_lease
from cordboard.store.moments import now
from cordboard.store.turn import Turn
from cordboard.store.writer import StoreThread, open_database
from cordboard.telephony.ports import AgentLegEvent
from tests.bench.stores.big_floor import OWNER, BigFloor

T = TypeVar("T")
LONGEST_S = 60.0  # nothing is refused, however slow
HELD_S = 3_600.0  # nobody renews leases here
TOGETHER = 500  # callers entered in one transaction
REASON = "break"
OBSERVER_LEASE = observer_lease("asterisk")


class BenchStore:
    """The store of one process."""

    def __init__(self, address: Address, floor: BigFloor) -> None:
        self.acd = AcdStore(floor.plan, needs_lease=OBSERVER_LEASE)
        self.floor = floor
        self._held: dict[str, None] = {}  # call ids, in the order in which they came
        self._thread = StoreThread(open_database(address))
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._thread.close()

    async def ask(self, work: Callable[[Connection], T]) -> T:
        """In a transaction of the thread."""
        found: T = await self._thread.ask(work, LONGEST_S)
        return found

    async def fill(self) -> None:
        """Somebody observes; all callers wait; the agents of quiet queues are free, the others have never come.

        PostgreSQL then counts its rows, as autovacuum has it do once a minute.
        """
        await self.ask(lambda c: self.acd.take_lease(c, now(), OBSERVER_LEASE, OWNER, HELD_S))
        for first in range(0, self.floor.waiting, TOGETHER):
            await self._enter_some(range(first, min(first + TOGETHER, self.floor.waiting)))
        for agent in self.floor.quiet_agents:
            await self.set_presence(agent, Presence.AVAILABLE)
        await self.ask(lambda c: c.exec_driver_sql("ANALYZE") if c.dialect.name == "postgresql" else None)

    async def _enter_some(self, numbers: Collection[int]) -> None:
        def work(connection: Connection) -> None:
            turn = Turn(connection, now(), self.floor.plan)  # one for all: nobody is matched yet
            for number in numbers:
                entering = self.floor.entering(number, now().wall)
                acd_entering.enter(turn, entering)
                self._held[entering.call_id] = None
            turn.finish()

        await self.ask(work)
        await self.renew()

    async def renew(self) -> None:
        """The callers' worker lives, and tells so in parts, as the service does."""
        held = tuple(self._held)
        for first in range(0, len(held), RENEWED_AT_ONCE):
            part = held[first : first + RENEWED_AT_ONCE]
            await self.ask(partial(self._renew_part, part))

    def _renew_part(self, call_ids: Collection[str], connection: Connection) -> None:
        self.acd.renew(connection, now(), OWNER, call_ids)

    async def look(self) -> Changes:
        """What each process of the service does once a second."""
        await self.renew()
        return await self.ask(lambda c: self.acd.sweep(c, now()))

    async def set_presence(self, agent: str, presence: Presence) -> Changes:
        """What an agent chooses."""
        reason = REASON if presence is Presence.PAUSED else ""
        return await self.ask(lambda c: self.acd.set_presence(c, now(), agent, presence, reason))

    async def enter(self, entering: Entering) -> Entered:
        """A caller comes."""
        self._held[entering.call_id] = None
        return await self.ask(lambda c: self.acd.enter(c, now(), entering))

    async def ring(self) -> list[OfferToRing]:
        """Take the offers of this process's callers, to ring them."""

        def work(connection: Connection) -> list[OfferToRing]:
            waiting = self.acd.pending_offers(connection, OWNER)
            return self.acd.take_offers(connection, now(), OWNER, waiting)[0]

        return await self.ask(work)

    async def serve(self, offer: OfferToRing) -> None:
        """They have talked, and it is over."""
        at = now().wall
        result = OfferResult(offer.offer_id, OfferEnd.SERVED, at, at)
        self._held.pop(offer.call_id, None)
        gone = AgentLegEvent("gone", offer.offer_id, "", "", at)
        await self.ask(lambda c: self.acd.settle(c, now(), offer.call_id, result, caller_is_here=False))
        await self.ask(lambda c: self.acd.agent_leg(c, now(), gone))


@contextmanager
def open_store(address: Address, floor: BigFloor) -> Iterator[BenchStore]:
    """For as long as the context lasts."""
    store = BenchStore(address, floor)
    try:
        yield store
    finally:
        store.close()


@asynccontextmanager
async def each_second(work: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Do this again and again meanwhile, as the service does; what is measured has to wait for it."""

    async def do_again_and_again() -> NoReturn:
        while True:
            await work()
            await asyncio.sleep(LOOK_S)

    doing = asyncio.create_task(do_again_and_again())
    try:
        yield
    finally:
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)
