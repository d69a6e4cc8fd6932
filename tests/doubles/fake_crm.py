"""A CRM on a real loopback socket, with its faults at hand. It writes bytes, so it can break the protocol too."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

import orjson

Behaviour = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]

ADA = {
    "id": 7,
    "name": "Ada Lovelace",
    "tier": "gold",
    "visits": 3,
    "balance": 12.5,
    "vip": True,
    "since": "2019-12-10",
}


@dataclass(frozen=True)
class Request:
    """One question as it came over the wire. headers: names in small letters."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def raw(data: bytes) -> Behaviour:
    """These bytes, and then the end."""

    async def behave(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return behave


def response(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """An HTTP response. headers: with _ for -."""
    named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{named}\r\n"
    return raw(head.encode() + body)


def answers(value: Any, status: int = 200) -> Behaviour:
    """JSON."""
    return response(status, orjson.dumps(value), Content_Type="application/json")


async def silent(_request: Request, _writer: asyncio.StreamWriter) -> None:
    """Takes the question and says nothing."""
    await asyncio.get_running_loop().create_future()


async def drips(_request: Request, writer: asyncio.StreamWriter) -> None:
    """Sends a good head and then a byte every 10 ms: no pause is ever long."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def floods(_request: Request, writer: asyncio.StreamWriter) -> None:
    """10 MB of JSON, its length not told before."""
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[")
    for _ in range(160):
        writer.write(b'"' + b"x" * 65_530 + b'",')
        await writer.drain()
    writer.write(b'"end"]')


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One after the other; the last one stays."""
    left = list(behaviours)

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(request, writer)

    return behave


class FakeCrm:
    """Listens while it is entered. behave: what the next question gets; tls: None for plain HTTP."""

    def __init__(self, behave: Behaviour | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.behave = behave or answers([ADA])
        self.requests: list[Request] = []
        self.connections = 0
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(self, *_fault: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                request = await _read(reader)
                self.requests.append(request)
                await self.behave(request, writer)
                await writer.drain()
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Request(method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))
