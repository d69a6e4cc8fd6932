"""Our edge for FreeSWITCH as a worker of the service has it, for a switch that is real or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from esl_apps.calls import CallServer
from esl_apps.dialplan.render import DEFAULT_TOKEN
from esl_apps.events import EslEvent
from esl_apps.hub import EslHub
from esl_apps.switch import FreeswitchSwitch
from tests.contract.edges import Recordings, Worker

SAFE = "contract-safe"  # the context of the safe destination
CONNECTED_S = 10.0


@asynccontextmanager
async def serving(
    worker: Worker, switch: FreeswitchSwitch, hub: EslHub, port: int, root: Path
) -> AsyncIterator[None]:
    """The calls that come to a port are the worker's, and those that end while nobody has them; the link is up."""
    server = CallServer(
        "127.0.0.1",
        port,
        worker.serve,
        Recordings(root),
        hub=hub,
        token=DEFAULT_TOKEN,
        recordings_root=root,
        calls_root=root / "calls",
        ringing=switch,
    )
    tasks: set[asyncio.Task[None]] = set()

    def hear(last: EslEvent) -> None:
        task = asyncio.ensure_future(server.take_ended(last))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    switch.on_left_alone(hear)
    await server.start()
    await switch.connect()
    try:
        await switch.wait_connected(CONNECTED_S)
        yield
    finally:
        worker.release()
        await server.aclose()
        await switch.aclose()
        for task in tasks:
            task.cancel()
