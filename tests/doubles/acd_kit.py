"""Several processes of one machine, as far as the ACD goes: a real database, real wakes, scripted phones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cordboard.acd.model import AcceptStep, Agent, FloorPlan, PositionAnnouncement, Presence, Queue, RonaPolicy
from cordboard.bootstrap.acd_parts import open_wakes
from cordboard.service.floor import Floor
from cordboard.service.waiting_room import WaitingRoom
from cordboard.store.acd_reads import StoreReader
from cordboard.store.acd_values import CallerNote, Changes
from cordboard.store.address import Address
from cordboard.store.database import open_for_reading
from cordboard.store.leases import observer_lease
from cordboard.store.moments import now
from cordboard.store.writer import StoreThread, open_database
from cordboard.telephony.call import Call
from cordboard.telephony.call_id import new_call_id
from cordboard.telephony.ports import Arrival

CHECKPOINT = "1:place"
OBSERVER_LEASE = observer_lease("asterisk")


def plan(**changes: Any) -> FloorPlan:
    """A queue `sales` with agents alice and bob; `changes` are of the queue."""
    accept = AcceptStep(whisper={"en": "A call for sales."})
    rona = RonaPolicy(pause_after=2, retry_after_s=0.05)
    announce = PositionAnnouncement(before={"en": "You are number"})
    options: dict[str, Any] = {"accept": accept, "rona": rona, "announce": announce, "wrap_up_s": 0.0, **changes}
    agents = {name: Agent(name, name.title(), f"PJSIP/{name}", ("sales",)) for name in ("alice", "bob")}
    return FloorPlan({"sales": Queue("sales", **options)}, agents)


def arrival(call_id: str = "", **changes: Any) -> Arrival:
    """A call that has come to a worker."""
    call = Call(call_id or new_call_id(), "asterisk", f"leg-{call_id}", "5002", datetime.now(UTC), "+442079460123")
    return Arrival(call, CHECKPOINT, **changes)


def note(call: Call) -> CallerNote:
    """What is known of a caller."""
    return CallerNote(call.call_id, ani=call.ani, dnis=call.dnis, arrived_at=call.started_at.timestamp())


@dataclass
class Process:
    """One process: its floor and its waiting room."""

    floor: Floor
    room: WaitingRoom
    thread: StoreThread
    reader: StoreReader

    async def aclose(self) -> None:
        """Its end."""
        await self.floor.aclose()
        self.thread.close()
        self.reader.close()


@dataclass
class Machine:
    """A database and the processes on it."""

    folder: Path
    plan: FloorPlan
    database: Address
    processes: list[Process] = field(default_factory=list)

    def start(self, name: str) -> Process:
        """A process, looking after what is due."""
        thread = StoreThread(open_database(self.database))
        thread.start()
        reader = StoreReader(self.database)
        wakes = open_wakes(self.database, self.folder, name, lambda: floor.bell.woken())
        floor = Floor(name, self.plan, thread, reader, wakes)
        process = Process(floor, WaitingRoom(floor), thread, reader)
        floor.start()
        self.processes.append(process)
        return process

    async def observe(self, process: Process, for_s: float = 3_600) -> None:
        """Have a process hold the observer's lease, so that offers are made."""

        def work(connection: Any) -> bool:
            return process.floor.store.take_lease(connection, now(), OBSERVER_LEASE, process.floor.name, for_s)

        assert await process.thread.ask(work, 2.0)

    async def ready(self, process: Process, *agents: str) -> None:
        """Agents who take calls."""
        for agent in agents:
            await process.floor.agents.set_presence(agent, Presence.AVAILABLE)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What the database says."""
        engine = open_for_reading(self.database)
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.exec_driver_sql(sql)]
        finally:
            engine.dispose()


@asynccontextmanager
async def machine(folder: Path, *, database: Address | None = None, **queue: Any) -> AsyncIterator[Machine]:
    """A machine whose processes end with the block. database: a file in the folder without it."""
    made = Machine(folder, plan(**queue), database or folder / "cordboard.db")
    try:
        yield made
    finally:
        for process in made.processes:
            await process.aclose()


__all__ = ["CHECKPOINT", "Changes", "Machine", "Process", "arrival", "machine", "note", "plan"]
