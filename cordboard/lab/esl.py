"""A small Event Socket client for the lab's own eyes: is FreeSWITCH up, which channels live, what happened now.

Apart from the product's link on purpose: a check that used the code it checks would share its faults. It trusts the
FreeSWITCH it talks to, which the lab has started itself. `freeswitch` owns it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

from cordboard.errors import LabError
from cordboard.lab.event_queues import Event, Listeners, hang_up

Headers = dict[str, str]
LabEvent = Event

REPLY_TIMEOUT_S = 10.0
LINE_LIMIT = 1 << 20


class LabEsl:
    """One authenticated connection. Made by `connect`, ended by `close`. Commands are answered in their order."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._replies: asyncio.Queue[str | None] = asyncio.Queue()
        self._listeners = Listeners("Event-Name")
        self._one_command = asyncio.Lock()
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, host: str, port: int, secret: str) -> LabEsl:
        """Connect and log in. Raises OSError if nobody listens, LabError if the secret is refused."""
        reader, writer = await asyncio.open_connection(host, port, limit=LINE_LIMIT)
        esl = cls(reader, writer)
        try:
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                await esl._read_message()  # auth/request
            esl._reading = asyncio.create_task(esl._read())
            if not (reply := await esl._send(f"auth {secret}")).startswith("+OK"):
                raise LabError(f"FreeSWITCH refused the lab's secret: {reply}")
        except (TimeoutError, asyncio.IncompleteReadError) as error:
            await esl.close()
            raise ConnectionRefusedError("no greeting") from error
        except BaseException:
            await esl.close()
            raise
        return esl

    async def api(self, command: str) -> str:
        """The output of an API command, "show channels as json". Raises LabError if FreeSWITCH does not answer."""
        return await self._send(f"api {command}")

    @contextlib.asynccontextmanager
    async def listen(self, *names: str) -> AsyncIterator[asyncio.Queue[LabEvent]]:
        """A queue of the events of these names for as long as the context lasts."""
        with self._listeners.listen(*names) as events:
            await self._send(f"event json {' '.join(names)}")
            yield events

    async def close(self) -> None:
        """Hang up. Whoever still waits for a reply gets a LabError."""
        await hang_up(self._reading, self._writer)

    async def _send(self, command: str) -> str:
        async with self._one_command:
            self._writer.write(f"{command}\n\n".encode())
            try:
                async with asyncio.timeout(REPLY_TIMEOUT_S):
                    reply = await self._replies.get()
            except TimeoutError as error:
                self._writer.close()  # a late reply would be taken for that of the next command
                raise LabError(f"FreeSWITCH did not answer within {REPLY_TIMEOUT_S:.0f} s") from error
        if reply is None:
            self._replies.put_nowait(None)
            raise LabError("FreeSWITCH hung up before it answered")
        return reply

    async def _read(self) -> None:
        try:
            while True:
                self._deliver(*await self._read_message())
        except (OSError, EOFError, ValueError):
            pass  # FreeSWITCH was killed: its tests do that
        finally:
            self._replies.put_nowait(None)
            self._listeners.end()

    async def _read_message(self) -> tuple[Headers, str]:
        """The next message: its headers and its body."""
        headers: Headers = {}
        while (line := (await self._reader.readuntil(b"\n")).decode(errors="replace").rstrip("\n")) or not headers:
            name, _, value = line.partition(": ")
            headers[name] = value
        body = await self._reader.readexactly(int(headers.get("Content-Length", "0")))
        return headers, body.decode(errors="replace")

    def _deliver(self, headers: Headers, body: str) -> None:
        match headers.get("Content-Type", ""):
            case "api/response":
                self._replies.put_nowait(body)
            case "command/reply":
                self._replies.put_nowait(headers.get("Reply-Text", ""))
            case "text/event-json":
                self._listeners.tell(json.loads(body))
