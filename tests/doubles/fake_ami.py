"""Asterisk's manager port, over a real loopback socket, with its faults at hand. Answers as Asterisk 22.10.

Actions are split by rules of its own: a bare LF ends a line too, an empty line ends an action, and lines longer
than 1,024 bytes are discarded, as in Asterisk's manager.c.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

LINE_MAX_BYTES = 1024
DEADLINE_S = 5.0

Sent = dict[str, str]
Script = Callable[["Session", Sent], None]


def actions_in(data: bytes) -> list[list[tuple[str, str]]]:
    """The actions Asterisk would read: lists of (header, value)."""
    lines = [line for line in re.split(rb"\r\n|\n", data) if len(line) <= LINE_MAX_BYTES]
    actions: list[list[tuple[str, str]]] = [[]]
    for line in lines:
        if line:
            name, _, value = line.decode(errors="replace").partition(":")
            actions[-1].append((name.strip(), value.strip()))
        elif actions[-1]:
            actions.append([])
    return [action for action in actions if action]


class Session:
    """One connection."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer

    def answer(self, to: Sent, *lines: str) -> None:
        """A message with the ActionID of an action."""
        self.send("\r\n".join([lines[0], f"ActionID: {to['ActionID']}", *lines[1:]]) + "\r\n\r\n")

    def send(self, text: str) -> None:
        """Raw text."""
        self.writer.write(text.encode())

    def drop(self) -> None:
        """Cut the connection."""
        self.writer.transport.abort()


def polite(session: Session, action: Sent) -> None:
    """Answers log-in and ping, and says yes to everything else."""
    if action["Action"] == "Ping":
        session.answer(action, "Response: Success", "Ping: Pong")
    else:
        session.answer(action, "Response: Success", "Message: done")


class FakeAmi:
    """The port. `script` decides on each action; `actions` holds what came, over all connections."""

    def __init__(self, script: Script = polite) -> None:
        self.script = script
        self.actions: list[Sent] = []
        self.received = b""
        self.sessions: list[Session] = []
        self._arrived = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> FakeAmi:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for session in self.sessions:
            session.drop()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def count(self, name: str) -> int:
        """How often an action came."""
        return sum(action["Action"] == name for action in self.actions)

    async def wait_for(self, name: str, times: int = 1) -> Sent:
        """The last of so many actions of a name."""
        async with asyncio.timeout(DEADLINE_S), self._arrived:
            await self._arrived.wait_for(lambda: self.count(name) >= times)
        return [action for action in self.actions if action["Action"] == name][times - 1]

    async def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        session = Session(writer)
        self.sessions.append(session)
        session.send("Asterisk Call Manager/11.0.0\r\n")
        try:
            await self._read(session, reader)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            session.drop()
            self._tasks.discard(task)

    async def _read(self, session: Session, reader: asyncio.StreamReader) -> None:
        while True:
            block = await reader.readuntil(b"\r\n\r\n")
            self.received += block
            for headers in actions_in(block):
                action = dict(headers)
                self.actions.append(action)
                self.script(session, action)
            async with self._arrived:
                self._arrived.notify_all()
