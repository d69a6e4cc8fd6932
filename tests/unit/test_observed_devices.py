"""Devices whose states the observer keeps: those of agents, as they are configured now, and no trunk's."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from cordboard.acd.model import Agent
from cordboard.service.observer import Observer
from cordboard.telephony.ports import DeviceState
from tests.doubles.acd_kit import Machine, machine
from tests.doubles.quiet_switch import QuietSwitch

SOON_S = 10.0


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
        switch = QuietSwitch()
        observer = Observer(switch, floor, compared)
        floor.look()
        await asyncio.wait_for(reconciled.wait(), SOON_S)
        switch.tell_device("PJSIP/trunk", DeviceState.IN_USE)
        switch.tell_device("PJSIP/alice", DeviceState.IN_USE)
        await until_kept(house, "PJSIP/alice")
        carol = Agent("carol", "Carol", "PJSIP/carol", ("sales",))
        floor.use(replace(floor.plan, agents={**floor.plan.agents, "carol": carol}))
        switch.tell_device("PJSIP/carol", DeviceState.IN_USE)
        await until_kept(house, "PJSIP/alice", "PJSIP/carol")
        await observer.aclose()
