"""FreeSWITCH's edge on the fake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from esl_apps.calls import CallServer
from esl_apps.hub import EslHub
from tests.contract.edges import Part, Recordings, Worker
from tests.doubles.fake_freeswitch import FakeFreeswitch
from tests.doubles.fake_freeswitch.channel import Channel

PARTS: dict[Part, str] = {
    "answers": "answers 0.6",
    "patient": "answers 60",
    "busy": "busy",
    "rings": "rings",
    "rejects": "rejects",
    "absent": "absent",
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
        return self._channel.place == "safe"


class FakeFreeswitchEdge:
    """As `Edge`."""

    def __init__(self, switch: FakeFreeswitch, worker: Worker, recordings_root: Path) -> None:
        self._switch = switch
        self._calls: list[Channel] = []
        self.worker = worker
        self.recordings_root = recordings_root
        self.music = "default"

    async def call(self) -> FakeCaller:
        """As `Edge`."""
        self._calls.append(self._switch.call())
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
    calls = root / "calls"
    server = CallServer(
        "127.0.0.1", 0, worker.serve, Recordings(root), hub=hub, recordings_root=root, calls_root=calls
    )
    await server.start()
    phones = {f"user/{part}": act for part, act in PARTS.items()}
    try:
        async with FakeFreeswitch([server.port], phones) as switch:
            yield FakeFreeswitchEdge(switch, worker, root)
    finally:
        worker.release()
        await server.aclose()
        await hub.aclose()
