"""A worker for tests of the dialplan: takes outbound sockets and says what it is told to, word for word.

Apart from the product's server on purpose: what the dialplan does must not depend on how our worker behaves.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Self
from urllib.parse import unquote

TAKEN_S = 15.0


class EslWorker:
    """Listens on a port of loopback; `calls` gets each connection that comes."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.calls: asyncio.Queue[EslCall] = asyncio.Queue()
        self._server: asyncio.Server | None = None
        self._open: list[EslCall] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for call in self._open:
            call.die()

    async def call(self, timeout_s: float = TAKEN_S) -> EslCall:
        """The next call, before `connect` was said."""
        async with asyncio.timeout(timeout_s):
            return await self.calls.get()

    async def taken(self, timeout_s: float = TAKEN_S) -> EslCall:
        """The next call, with the facts of `connect`, the events of its leg, and its dead-man timer stopped."""
        call = await self.call(timeout_s)
        await call.take()
        return call

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = EslCall(reader, writer)
        self._open.append(call)
        self.calls.put_nowait(call)


class EslCall:
    """One outbound socket. facts: the decoded reply to `connect`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.facts: dict[str, str] = {}
        self.events: list[dict[str, str]] = []
        self._reader = reader
        self._writer = writer
        self._reading: asyncio.Task[None] | None = None
        self._replies: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._news = asyncio.Event()

    async def take(self) -> None:
        """Say `connect`, ask for events, and stop the dead-man timer."""
        self._reading = asyncio.create_task(self._read())
        self.facts = await self.send("connect")
        await self.send("myevents")
        await self.execute("sched_cancel", "")

    def variable(self, name: str) -> str:
        """A channel variable as it was when the call was taken."""
        return self.facts.get(f"variable_{name}", "")

    @property
    def leg_id(self) -> str:
        return self.facts["Unique-ID"]

    async def send(self, command: str) -> dict[str, str]:
        """A command and its reply."""
        self._writer.write(f"{command}\n\n".encode())
        async with asyncio.timeout(TAKEN_S):
            return await self._replies.get()

    async def execute(self, application: str, argument: str) -> dict[str, str]:
        """An application, and the event of its end."""
        await self.begin(application, argument)
        return await self.event(
            lambda event: (
                event.get("Event-Name") == "CHANNEL_EXECUTE_COMPLETE" and event.get("Application") == application
            )
        )

    async def begin(self, application: str, argument: str) -> None:
        """An application, whose end is not waited for."""
        said = f"sendmsg\ncall-command: execute\nexecute-app-name: {application}\nexecute-app-arg: {argument}"
        await self.send(said)

    async def execute_nothing_more(self, application: str, argument: str) -> None:
        """An application which ends the call, and then the connection."""
        await self.begin(application, argument)
        self.die()

    async def set(self, **values: str) -> None:
        """Channel variables."""
        for name, value in values.items():
            await self.execute("set", f"{name}={value}")

    async def event(self, is_it: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        """The next event that is the one; it is taken out."""
        async with asyncio.timeout(TAKEN_S):
            while True:
                for event in self.events:
                    if is_it(event):
                        self.events.remove(event)
                        return event
                self._news.clear()
                await self._news.wait()

    def die(self) -> None:
        """Reset the connection, as the death of a process does."""
        if self._reading is not None:
            self._reading.cancel()
        self._writer.transport.abort()

    async def _read(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                headers, body = await self._message()
                if headers.get("Content-Type") == "text/event-plain":
                    self.events.append(_decoded(body))
                    self._news.set()
                elif headers.get("Content-Type") in ("command/reply", "api/response"):
                    self._replies.put_nowait(headers | {"body": body})

    async def _message(self) -> tuple[dict[str, str], str]:
        block = (await self._reader.readuntil(b"\n\n")).decode(errors="replace")
        headers = _decoded(block)
        body = await self._reader.readexactly(int(headers.get("Content-Length", "0")))
        return headers, body.decode(errors="replace")


def _decoded(block: str) -> dict[str, str]:
    lines = (line.partition(": ") for line in block.strip("\n").split("\n"))
    return {name: unquote(value) for name, _, value in lines}
