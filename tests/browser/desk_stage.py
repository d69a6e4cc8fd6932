"""The real desk on a real store, and callers who are played on it: all there is but the switch and the phones.

    async with desk_stage(folder) as stage:
        call = await stage.caller_comes(name="Ada", number="+442079460123")
        await call.is_offered(); await call.is_joined(); await call.is_over()

The stage says what a switch would have said, in the same words (`AgentLegEvent`, `OfferResult`); matching, offers,
wrap-ups and deadlines are the product's own.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any, Literal

from argon2 import PasswordHasher
from sqlalchemy import Connection

from cordboard.acd.model import (
    AcceptStep,
    Agent,
    FloorPlan,
    LeftBecause,
    OfferEnd,
    OfferResult,
    Queue,
    RonaPolicy,
)
from cordboard.crm.crm_file import ConnectorChoice, CrmSettings, Directory
from cordboard.desk.app import desk_app
from cordboard.desk.server import DeskServer, desk_server
from cordboard.service.floor import Floor
from cordboard.service.wakes import Wakes
from cordboard.store.accounts import StoredAccounts, set_password_hash
from cordboard.store.acd_reads import StoreReader
from cordboard.store.acd_values import CallerNote, Changes, Entering, LookupStatus, OfferToRing
from cordboard.store.moments import now
from cordboard.store.writer import StoreThread, open_database
from cordboard.telephony.call_id import new_call_id
from cordboard.telephony.ports import AgentLegEvent, DeviceState
from tests.doubles.fake_floor import FakeFlows

ASK_S = 5.0
PASSWORD = "correct horse battery"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(
    PASSWORD
)  # quick to check, good for tests only

PLAN = FloorPlan(
    queues={
        "sales": Queue("sales", wrap_up_s=20.0, dispositions=("sold", "no_interest", "call_back", "wrong_number")),
        "support": Queue("support", wrap_up_s=1.0, dispositions=("solved", "open"), rona=RonaPolicy(0, 1.0)),
        "fast": Queue("fast", accept=AcceptStep(key=""), rona=RonaPolicy(pause_after=1)),
    },
    agents={
        "alice": Agent("alice", "Alice Ray", "PJSIP/1001", ("sales", "support", "fast")),
        "bob": Agent("bob", "Bob Stone", "PJSIP/1002", ("sales",)),
    },
)
CRM = CrmSettings(
    country="GB",
    connector=ConnectorChoice(directory=Directory()),
    customer={"name": "text", "tier": "text", "city": "text", "balance": "number", "customer_since": "date"},
)
ADA = {"name": "Ada Lovelace", "tier": "gold", "city": "London", "balance": 1234.5, "customer_since": "2019-03-01"}
PATH = ("support/greeting", "support/who", "support/menu", "support/sales")


class DeskStage:
    """The parts. url: where the desk is."""

    def __init__(self, folder: Path, plan: FloorPlan = PLAN) -> None:
        path = folder / "cordboard.db"
        self.plan = plan
        self.thread = StoreThread(open_database(path))
        self.reader = StoreReader(path)
        self.floor = Floor("desk", plan, self.thread, self.reader, Wakes(folder / "wakes", "desk", self._woken))
        self.floor.store.needs_lease = ""  # there is no switch here, so nobody observes one
        self.accounts = StoredAccounts(self.thread, self.reader)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: DeskServer | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Everything runs when this returns; all agents can log in with PASSWORD, and their phones are idle."""
        self.thread.start()
        self.floor.start()
        for agent in self.plan.agents:
            await self.ask(lambda c, agent=agent: set_password_hash(c, agent, HASH))
        states = {agent.device: DeviceState.IDLE for agent in self.plan.agents.values()}
        await self.write(lambda c: self.floor.store.devices_listed(c, now(), states))
        await self.start_server()

    async def start_server(self) -> None:
        """Start the web server, on the same port as before."""
        if self._socket.fileno() < 0:
            self._socket = socket.create_server(("127.0.0.1", self.port))
        app = desk_app(self.floor, self.accounts, FakeFlows(), crm=lambda: CRM)
        self._server = desk_server(app)
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        await asyncio.wait_for(self._server.is_up.wait(), ASK_S)

    async def stop_server(self) -> None:
        """Stop it as SIGTERM does."""
        assert self._server is not None
        assert self._serving is not None
        self._server.should_exit = True
        await asyncio.wait_for(self._serving, ASK_S)
        self._socket.close()

    async def aclose(self) -> None:
        """End all of it."""
        await self.stop_server()
        await self.floor.aclose()
        self.thread.close()
        self.reader.close()

    async def ask(self, work: Any) -> Any:
        """Do something in one of the store's transactions."""
        return await self.thread.ask(work, ASK_S)

    async def write(self, fact: Any) -> None:
        """Tell the store something, and everybody what has changed by it."""
        changes: Changes = await self.ask(fact)
        if changes.changed:
            self._woken()

    async def caller_comes(
        self,
        queue: str = "sales",
        *,
        name: str = "",
        number: str = "+442079460123",
        lookup: LookupStatus = "found",
        customer: Mapping[str, Any] = ADA,
        waited_s: float = 0.0,
    ) -> StagedCall:
        """A caller enters a queue. lookup, customer: what the CRM has said by then."""
        call = StagedCall(self, new_call_id())
        arrived_at = time() - waited_s
        caller = CallerNote(
            call.call_id,
            number,
            name,
            "5000",
            number,
            PATH,
            lookup,
            customer if lookup != "pending" else {},
            arrived_at,
        )
        entering = Entering(call.call_id, f"leg-{call.call_id}", "asterisk", queue, "en", 0, arrived_at, "desk")
        entered = await self.floor.enter(entering, caller)
        call.offer = entered.offer
        return call

    def _woken(self) -> None:
        self.floor.bell.woken()


@dataclass
class StagedCall:
    """One call. offer: the one that rings, None while nobody is free."""

    stage: DeskStage
    call_id: str
    offer: OfferToRing | None = None

    async def is_offered(self) -> OfferToRing:
        """Take the offer that matching has made meanwhile, as the caller's worker does."""
        if self.offer is None:
            pending = await self.stage.floor.take_offers({self.call_id})
            self.offer = pending.taken[0]
        return self.offer

    async def leg(self, kind: Literal["ringing", "answered", "joined", "gone"]) -> None:
        """What the agent's leg does."""
        assert self.offer is not None
        event = AgentLegEvent(kind, self.offer.offer_id, f"agent-{self.call_id}", f"leg-{self.call_id}", time())
        await self.stage.write(lambda c: self.stage.floor.store.agent_leg(c, now(), event))

    async def is_joined(self) -> None:
        """The agent answers and accepts."""
        for kind in ("ringing", "answered", "joined"):
            await self.leg(kind)  # type: ignore[arg-type]

    async def is_over(self) -> None:
        """The talk ends."""
        await self.leg("gone")
        await self.settle(OfferEnd.SERVED)

    async def settle(self, end: OfferEnd, *, caller_is_here: bool = False) -> None:
        """The switch says how the ringing ended."""
        assert self.offer is not None
        result = OfferResult(self.offer.offer_id, end, time() if end is OfferEnd.SERVED else None, time())
        await self.stage.write(
            lambda c: self.stage.floor.store.settle(c, now(), self.call_id, result, caller_is_here)
        )
        self.offer = None

    async def hangs_up(self) -> None:
        """The caller leaves the queue."""
        await self.stage.write(
            lambda c: self.stage.floor.store.leave(c, now(), self.call_id, LeftBecause.ABANDONED)
        )

    async def is_looked_up(self, status: LookupStatus, customer: Mapping[str, Any]) -> None:
        """The CRM answers at last."""

        def work(connection: Connection) -> Changes:
            return self.stage.floor.store.note_lookup(connection, now(), self.call_id, status, customer)

        await self.stage.write(work)


@asynccontextmanager
async def desk_stage(folder: Path, plan: FloorPlan = PLAN) -> AsyncIterator[DeskStage]:
    """A stage for one test."""
    stage = DeskStage(folder, plan)
    await stage.start()
    try:
        yield stage
    finally:
        await stage.aclose()
