"""FreeSWITCH's edge on the fake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cordboard.lab.ports import find_free_ports
from cordboard.telephony.capabilities import SwitchName
from esl_apps.dialplan.render import render_dialplan
from esl_apps.hub import EslHub
from esl_apps.switch import FreeswitchSwitch
from tests.contract.edges import AgentLegs, Part, Worker
from tests.contract.freeswitch_worker import SAFE, serving
from tests.doubles.fake_freeswitch import FakeFreeswitch
from tests.doubles.fake_freeswitch.channel import Channel
from tests.doubles.fake_freeswitch.xml_dialplan import XmlDialplan

PARTS: dict[Part, str] = {
    "answers": "answers 0.6",
    "patient": "answers 60",
    "busy": "busy",
    "rings": "rings",
    "rejects": "rejects",
    "absent": "absent",
    "accepts": "presses 1 0.6 0.6",
    "stays": "presses 1 0.6 60",
    "declines": "presses 2 0.6 60",
    "leaves": "answers 0.3",
}


class FakeCaller:
    """A caller on the fake."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.leg_id = channel.leg_id

    async def press(self, keys: str) -> None:
        """As `CallingParty`."""
        for key in keys:
            self._channel.press(key)
            await asyncio.sleep(0.15)

    async def hang_up(self) -> None:
        """As `CallingParty`."""
        self._channel.hang_up()

    async def is_safe(self) -> bool:
        """As `CallingParty`."""
        return self._channel.context == SAFE


class FakeFreeswitchEdge:
    """As `Edge`."""

    def __init__(
        self, fake: FakeFreeswitch, switch: FreeswitchSwitch, worker: Worker, recordings_root: Path
    ) -> None:
        self._fake = fake
        self._calls: list[Channel] = []
        self.worker = worker
        self.switch_name: SwitchName = "freeswitch"
        self.switch = switch
        self.legs = AgentLegs(switch)
        self.recordings_root = recordings_root
        self.music = "default"

    async def call(self) -> FakeCaller:
        """As `Edge`."""
        self._calls.append(self._fake.call(context="cordboard"))
        return FakeCaller(self._calls[-1])

    def device(self, part: Part) -> str:
        """As `Edge`."""
        return f"user/{part}"

    async def hang_up_all(self) -> None:
        """As `Edge`."""
        for channel in self._calls:
            channel.hang_up()
        async with asyncio.timeout(10):
            for channel in self._calls:
                await channel.ended.wait()
        self._calls.clear()


@asynccontextmanager
async def fake_freeswitch_edge(root: Path) -> AsyncIterator[FakeFreeswitchEdge]:
    """The edge, with nothing outside this process."""
    worker = Worker()
    hub = EslHub()
    await hub.start()
    port = find_free_ports(1)
    dialplan = XmlDialplan(render_dialplan([f"127.0.0.1:{port}"], f"{SAFE},s", 1.0))
    phones = {f"user/{part}": act for part, act in PARTS.items()}
    try:
        async with FakeFreeswitch(phones=phones, dialplan=dialplan) as fake:
            switch = FreeswitchSwitch("127.0.0.1", fake.port, "s3cret", hub=hub)
            async with serving(worker, switch, hub, port, root):
                yield FakeFreeswitchEdge(fake, switch, worker, root)
    finally:
        await hub.aclose()
