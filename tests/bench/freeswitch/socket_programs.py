"""The programs under measurement: each takes FreeSWITCH's event sockets and puts every call through the script.

    python -m tests.bench.freeswitch.socket_programs {cordboard | greenswitch | asyncio | uvloop} PORT

`cordboard` is our wire layer as the service uses it, a hub thread and uvloop, and nothing above it. `greenswitch`
is that library as in its README. `asyncio` and `uvloop` are a plain handler: streams, and each header of each event
decoded into a dictionary. None logs, and the plain ones have no deadlines, no bounds and no look at any reply.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

import uvloop

from tests.bench.freeswitch.script import END, LAST_EVENT, LINGER_S, STEPS, opening

LONGEST_S = 30.0
HOST = "127.0.0.1"


async def serve_cordboard(port: int) -> None:
    """Our wire layer."""
    from esl_apps.hub import EslHub
    from esl_apps.server import EslServer
    from esl_apps.session import EslSession

    async def handle(session: EslSession) -> None:
        for application, argument in STEPS:
            await session.execute(application, argument, longest_s=LONGEST_S)
        session.begin(*END)
        await session.ended(LONGEST_S)

    hub = EslHub()
    await hub.start()
    await EslServer(handle, HOST, port, hub=hub).start()
    await _ready_for_ever()


def serve_greenswitch(port: int) -> None:
    """The bare library. Its own limit of 100 calls is lifted, it would refuse calls otherwise."""
    import gevent
    from gevent.event import AsyncResult
    from greenswitch import OutboundESLServer
    from greenswitch.esl import OutboundSession

    class Script:
        def __init__(self, session: OutboundSession) -> None:
            self._session = session

        def run(self) -> None:
            session, ended = self._session, AsyncResult()
            session.register_handle(LAST_EVENT, ended.set)
            session.linger(LINGER_S)
            for command in opening(session.session_data["Unique-ID"]):
                session.send(command)
            for application, argument in STEPS:
                session.call_command(application, argument, block=True)
            session.call_command(*END)
            ended.get(timeout=LONGEST_S)

    logging.disable(logging.CRITICAL)
    gevent.get_hub().NOT_ERROR += (Exception,)  # a call that is lost is counted where it was placed
    server = OutboundESLServer(HOST, port, Script, max_connections=5000)
    gevent.spawn(print, "ready", flush=True)
    server.listen()


async def serve_plainly(port: int) -> None:
    """A handler on streams, whose replies come in the order of its commands."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await _run_script(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, HOST, port, limit=1 << 20, backlog=1000)
    async with server:
        await _ready_for_ever()


async def _run_script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    async def until(is_it: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        while not is_it(message := await _message(reader)):
            pass
        return message

    def said(command: str) -> Awaitable[dict[str, str]]:
        writer.write(f"{command}\n\n".encode())
        return until(lambda message: message.get("Content-Type") == "command/reply")

    channel = await said("connect")
    await said(f"linger {LINGER_S}")
    for command in opening(channel["Unique-ID"]):
        await said(command)
    for number, (application, argument) in enumerate(STEPS):
        await said(_execute(application, argument, str(number)))
        await until(lambda message: message.get("Application-UUID") == str(number))  # noqa: B023  # awaited at once
    await said(_execute(*END, "end"))
    await until(lambda message: message.get("Event-Name") == LAST_EVENT)
    await said("exit")


def _execute(application: str, argument: str, event_uuid: str) -> str:
    lines = ["sendmsg", "call-command: execute", f"execute-app-name: {application}", f"Event-UUID: {event_uuid}"]
    return "\n".join([*lines, f"execute-app-arg: {argument}"] if argument else lines)


async def _message(reader: asyncio.StreamReader) -> dict[str, str]:
    """The headers of the next message, and those of the event in its body."""
    headers = _headers(await reader.readuntil(b"\n\n"))
    if headers.get("Content-Type") != "command/reply" and "Content-Length" in headers:
        body = await reader.readexactly(int(headers["Content-Length"]))
        if headers.get("Content-Type") == "text/event-plain":
            headers = _headers(body)
    return headers


def _headers(block: bytes) -> dict[str, str]:
    headers = {}
    for line in block.decode().split("\n"):
        name, colon, value = line.partition(": ")
        if colon:
            headers[name] = unquote(value)
    return headers


async def _ready_for_ever() -> None:
    print("ready", flush=True)
    await asyncio.Event().wait()


PROGRAMS: dict[str, Callable[[int], Any]] = {
    "cordboard": lambda port: uvloop.run(serve_cordboard(port)),
    "greenswitch": serve_greenswitch,
    "asyncio": lambda port: asyncio.run(serve_plainly(port)),
    "uvloop": lambda port: uvloop.run(serve_plainly(port)),
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](int(sys.argv[2]))
