"""Devices whose states the observer keeps: those of agents, as they are configured now, and no trunk's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cordboard.acd.model import Agent
from cordboard.service.observer import Observer
from cordboard.telephony.ports import AgentLeg, AgentLegEvent, DeviceState, Leg
from tests.doubles.acd_kit import Machine, machine

SOON_S = 10.0


class TellingSwitch:
    """A switch with nothing on it. A test tells what its devices do."""

    is_connected = True
    tell: Callable[[str, DeviceState], None]

    def on_connected(self, callback: Callable[[], Awaitable[None] | None]) -> None: ...

    def on_agent_leg(self, callback: Callable[[AgentLegEvent], None]) -> None: ...

    def on_device_state(self, callback: Callable[[str, DeviceState], None]) -> None:
        self.tell = callback

    def on_caller_hangup(self, callback: Callable[[str], None]) -> None: ...

    async def list_legs(self) -> Sequence[Leg]:
        return []

    async def agent_legs(self) -> Sequence[AgentLeg]:
        return []

    async def device_states(self) -> Mapping[str, DeviceState]:
        return {}

    async def hang_up(self, leg_id: str) -> bool:
        return True


async def until_kept(house: Machine, *devices: str) -> None:
    """Until the store knows the states of these devices, and of no other."""
    async with asyncio.timeout(SOON_S):
        while house.rows("select device from devices order by device") != [(device,) for device in devices]:
            await asyncio.sleep(0.01)


async def test_agents_devices_are_kept_as_they_are_configured_now(tmp_path: Path) -> None:
    reconciled = asyncio.Event()

    async def compared(_legs: set[str], _at: float) -> None:
        reconciled.set()

    async with machine(tmp_path) as house:
        floor = house.start("worker-0").floor
        switch = TellingSwitch()
        observer = Observer(switch, floor, compared)
        floor.look()
        await asyncio.wait_for(reconciled.wait(), SOON_S)
        switch.tell("PJSIP/trunk", DeviceState.IN_USE)
        switch.tell("PJSIP/alice", DeviceState.IN_USE)
        await until_kept(house, "PJSIP/alice")
        carol = Agent("carol", "Carol", "PJSIP/carol", ("sales",))
        floor.use(replace(floor.plan, agents={**floor.plan.agents, "carol": carol}))
        switch.tell("PJSIP/carol", DeviceState.IN_USE)
        await until_kept(house, "PJSIP/alice", "PJSIP/carol")
        await observer.aclose()
