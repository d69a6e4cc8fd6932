"""The ways to free an agent that are measured against each other, and how each takes the agent away again."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Protocol

from cordboard.acd.model import Presence
from cordboard.lab.ami import LabAmi
from cordboard.service.floor import Floor
from tests.bench.queueing.configuration import (
    OUR_NUMBERS,
    PEER_NUMBERS,
    device_of,
    seated_agents,
)
from tests.bench.queueing.seat import Seat
from tests.bench.queueing.stage import PAUSE_REASON, Site


class Side(Protocol):
    """One way. numbers: what callers dial to wait in each queue."""

    @property
    def name(self) -> str: ...

    @property
    def numbers(self) -> Mapping[str, str]: ...

    async def prepare(self, agent: str) -> None:
        """What is ready before the clock runs."""

    async def free(self, agent: str) -> None:
        """Make the agent available: the clock runs from here."""

    async def pause(self, agent: str) -> None:
        """Take the agent away again; a talk goes on."""


class ByDesk:
    """Ours, as an agent does it: a request to the desk."""

    name = "desk"
    numbers = OUR_NUMBERS

    def __init__(self, floor: Floor, seats: Mapping[str, Seat]) -> None:
        self._floor = floor
        self._seats = seats

    async def prepare(self, agent: str) -> None:
        """The browser has its connection."""
        await self._seats[agent].connect()

    async def free(self, agent: str) -> None:
        """Press Ready."""
        await self._seats[agent].set_presence("available")

    async def pause(self, agent: str) -> None:
        """By the store: nothing of this is measured."""
        await self._floor.agents.set_presence(agent, Presence.PAUSED, PAUSE_REASON)
        self._seats[agent].close()


class ByFloor:
    """Ours, without HTTP: as any process of the service frees an agent."""

    name = "floor"
    numbers = OUR_NUMBERS

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def prepare(self, agent: str) -> None:
        """Nothing."""

    async def free(self, agent: str) -> None:
        """In the store."""
        await self._floor.agents.set_presence(agent, Presence.AVAILABLE)

    async def pause(self, agent: str) -> None:
        """In the store."""
        await self._floor.agents.set_presence(agent, Presence.PAUSED, PAUSE_REASON)


class AppQueue:
    """Asterisk's own queue, by the manager interface."""

    name = "app_queue"
    numbers = PEER_NUMBERS

    def __init__(self, ami: LabAmi) -> None:
        self._ami = ami

    async def prepare(self, agent: str) -> None:
        """Nothing."""

    async def free(self, agent: str) -> None:
        """In all queues, as with us."""
        await self._ami.send("QueuePause", Interface=device_of(agent), Paused="false")

    async def pause(self, agent: str) -> None:
        """In all queues."""
        await self._ami.send("QueuePause", Interface=device_of(agent), Paused="true")


@contextlib.asynccontextmanager
async def open_sides(site: Site, peer: Side | None = None) -> AsyncIterator[tuple[Side, ...]]:
    """All sides, with everybody paused. peer: the switch's own queue, `app_queue` if nothing else is said."""
    seats = await _seats(site, {agent for queue in site.stage.queues for agent in seated_agents(queue)})
    peer = peer or AppQueue(site.pbx.ami)
    for agent in site.stage.configuration.plan.agents:
        await peer.pause(agent)
    try:
        yield ByDesk(site.floor, seats), ByFloor(site.floor), peer
    finally:
        for seat in seats.values():
            seat.close()


async def _seats(site: Site, agents: Collection[str]) -> dict[str, Seat]:
    seats = {agent: Seat(site.stage.desk_url, agent) for agent in agents}
    for agent, seat in seats.items():
        await seat.log_in(site.stage.passwords[agent])
    return seats
