"""uvicorn as a guest: inside an event loop which is not its own, on a port that was bound before.

The health server of a worker and the desk's server are of this kind. Run one with `serve(sockets=[...])`, end it by
`should_exit = True`. Signals stay with the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn


class HostedServer(uvicorn.Server):
    """is_up: set when it accepts."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
