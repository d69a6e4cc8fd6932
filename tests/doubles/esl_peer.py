"""FreeSWITCH's end of an event socket, by hand: a test reads commands and sends what it likes, faults included.

`fake_freeswitch` is what plays a whole switch; this one knows nothing but the form of a message.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Self
from urllib.parse import quote

LEG = "0b0b72f0-5989-4d6a-b58b-eca4f1c433f9"
OK = b"Content-Type: command/reply\nReply-Text: +OK\n\n"
READ_S = 10.0


def reply(text: str) -> bytes:
    """The answer to a command."""
    return f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode()


def api_answer(text: str) -> bytes:
    """The answer to an `api` command."""
    body = text.encode()
    return b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(body), body)


def block(headers: Mapping[str, str]) -> bytes:
    """Headers as FreeSWITCH writes those of events: values percent-encoded."""
    return "".join(f"{name}: {quote(value) or '_undef_'}\n" for name, value in headers.items()).encode()


def channel(leg_id: str = LEG, **headers: str) -> bytes:
    """The answer to `connect`."""
    return (
        block(
            {"Event-Name": "CHANNEL_DATA", "Unique-ID": leg_id, **headers}
            | {"Content-Type": "command/reply", "Reply-Text": "+OK\n", "Socket-Mode": "async", "Control": "full"}
        ).replace(b"command%2Freply", b"command/reply")
        + b"\n"
    )


def event(name: str, leg_id: str = LEG, body: str = "", **headers: str) -> bytes:
    """An event. Underscores in the names of `headers` are hyphens: `Hangup_Cause="USER_BUSY"`."""
    fields = {"Event-Name": name, "Event-Date-Timestamp": "1795353408045122", "Unique-ID": leg_id}
    fields |= {key if key.startswith("variable_") else key.replace("_", "-"): headers[key] for key in headers}
    inner = block(fields)
    inner += f"Content-Length: {len(body.encode())}\n\n{body}".encode() if body else b"\n"
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n%b" % (len(inner), inner)


def executed(event_uuid: str, application: str = "playback", response: str = "FILE PLAYED", **more: str) -> bytes:
    """The end of an application."""
    own = {"Application": application, "Application_Response": response, "Application_UUID": event_uuid}
    return event("CHANNEL_EXECUTE_COMPLETE", **own, **more)


def hung_up(cause: str = "NORMAL_CLEARING") -> bytes:
    """The two events of a hang-up, and the notice that the socket lingers."""
    notice = b"Content-Type: text/disconnect-notice\nContent-Disposition: linger\nContent-Length: 0\n\n"
    return (
        b"".join(event(name, Hangup_Cause=cause) for name in ("CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE")) + notice
    )


class EslPeer:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def dial(cls, port: int) -> Self:
        """Connect as FreeSWITCH's `socket` application does."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def command(self) -> str:
        """The next command, without its empty line. "" at the end of the stream."""
        async with asyncio.timeout(READ_S):
            try:
                return (await self.reader.readuntil(b"\n\n")).decode().removesuffix("\n\n")
            except asyncio.IncompleteReadError as end:
                assert end.partial == b"", end.partial
                return ""

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def begin(self, channel_reply: bytes | None = None) -> list[str]:
        """The whole beginning of a call; what was asked for."""
        asked = [await self.command(), await self.command()]
        self.send((channel_reply or channel()) + OK)
        for _ in range(2):
            asked.append(await self.command())
            self.send(OK)
        return asked

    async def wait_closed(self, longest_s: float = READ_S) -> None:
        """Until the other side has closed."""
        async with asyncio.timeout(longest_s):
            with contextlib.suppress(ConnectionError):
                while await self.reader.read(65536):
                    pass

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """Vanish, as a killed process does."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def listening(on_peer: Callable[[EslPeer], Awaitable[None]]) -> AsyncIterator[int]:
    """Listen as FreeSWITCH's event socket does; gives the port."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await on_peer(EslPeer(reader, writer))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
