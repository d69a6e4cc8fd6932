"""The fake FreeSWITCH against recordings of FreeSWITCH 1.11: the same commands give the same messages, in the same
order; and of events over a loopback channel, the same headers.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from esl_apps.messages import Headers, MessageSplitter
from tests.doubles.fake_freeswitch import FakeFreeswitch
from tests.doubles.fake_freeswitch.channel import Channel

RECORDINGS = Path(__file__).parent / "recordings"
TOLD = ("Event-Name", "Application", "Application-Response", "DTMF-Digit", "Content-Disposition", "Linger-Time")
TOLD += ("Reply-Text", "Hangup-Cause")
OUTBOUND_LOOPBACK = (
    "03b-outbound-async-full-digits-loopback",
    "04c-outbound-caller-hangup-mid-playback-linger-loopback",
)
OUTBOUND_SIP = (
    "03c-outbound-digits-timeout",
    "04-outbound-caller-hangup-mid-playback-linger",
    "04b-outbound-caller-hangup-mid-playback-no-linger",
)
INBOUND = ("02-inbound-auth-failure", "02b-inbound-command-before-auth")


@dataclass
class Step:
    """What went one way: bytes to FreeSWITCH, messages from it, or what happened to the caller."""

    to_switch: bytes = b""
    messages: int = 0
    happened: str = ""


@dataclass
class Recorded:
    """A recording. said: all that FreeSWITCH said."""

    steps: list[Step]
    said: list[tuple[object, ...]]
    leg_id: str


def lines(name: str) -> Iterator[dict[str, str]]:
    return map(orjson.loads, gzip.decompress((RECORDINGS / f"{name}.jsonl.gz").read_bytes()).splitlines())


def read(name: str) -> Recorded:
    steps: list[Step] = []
    said: list[tuple[object, ...]] = []
    leg_id = ""
    splitter = MessageSplitter()
    for line in lines(name):
        data = line.get("data", "").encode(errors="surrogateescape")
        if line["dir"] == "app>fs":
            steps.append(Step(to_switch=data))
        elif line["dir"] == "note":
            steps.append(Step(happened=line["data"]))
        elif line["dir"] == "fs>app":
            messages = splitter.feed(data)
            said += [told(message.kind, message.headers, message.body) for message in messages]
            steps.append(Step(messages=len(messages)))
            leg_id = leg_id or next((one.headers.get("Unique-ID", "") for one in messages), "")
    return Recorded(steps, said, leg_id)


def told(kind: str, headers: Headers, body: bytes) -> tuple[object, ...]:
    """What is compared of a message."""
    event = Headers(body) if kind == "text/event-plain" else headers
    return (kind, *((name, event[name]) for name in TOLD if name in event))


def header_names(kind: str, headers: Headers, body: bytes) -> list[str]:
    block = body if kind == "text/event-plain" else headers.block
    names = [line.partition(b": ")[0].decode() for line in block.split(b"\n") if b": " in line]
    return [name for name in names if not name.startswith("variable_")]


class Application:
    """The other side, which sends what was sent then, when as much had come as then."""

    def __init__(self) -> None:
        self._splitter = MessageSplitter()
        self.said: list[tuple[object, ...]] = []
        self.names: list[list[str]] = []
        self.more = asyncio.Condition()
        self.connected: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected.set_result(writer)
        while data := await reader.read(65536):
            for message in self._splitter.feed(data):
                self.said.append(told(message.kind, message.headers, message.body))
                self.names.append(header_names(message.kind, message.headers, message.body))
            async with self.more:
                self.more.notify_all()
        writer.close()

    async def follow(self, recorded: Recorded, channel: Channel | None) -> None:
        writer = await self.connected
        expected = 0
        for step in recorded.steps:
            expected += step.messages
            async with asyncio.timeout(20), self.more:
                await self.more.wait_for(lambda: len(self.said) >= expected)  # noqa: B023 (used at once)
            if step.to_switch:
                own = channel.leg_id.encode() if channel else b""
                writer.write(step.to_switch.replace(recorded.leg_id.encode(), own) if own else step.to_switch)
            elif channel is not None:
                happen(step.happened, channel)


def happen(note: str, channel: Channel) -> None:
    if keys := re.search(r"DTMF ([0-9#*]+)|uuid_recv_dtmf ([0-9#*]+)", note):
        channel.press(keys[1] or keys[2])
    elif note.startswith("caller hangs up"):
        channel.hang_up()


async def outbound(name: str) -> tuple[Recorded, Application]:
    recorded = read(name)
    application = Application()
    server = await asyncio.start_server(application.serve, "127.0.0.1", 0)
    async with server, FakeFreeswitch([server.sockets[0].getsockname()[1]]) as switch:
        await application.follow(recorded, switch.call("5000", "5551000", "Caller One"))
    return recorded, application


@pytest.mark.parametrize("name", (*OUTBOUND_LOOPBACK, *OUTBOUND_SIP))
async def test_a_call_says_what_a_real_one_said(name: str) -> None:
    recorded, application = await outbound(name)
    assert application.said == recorded.said


@pytest.mark.parametrize("name", OUTBOUND_LOOPBACK)
async def test_events_have_the_headers_of_real_ones(name: str) -> None:
    recorded, application = await outbound(name)
    assert application.names == list(names_of(recorded, name))


def names_of(recorded: Recorded, name: str) -> Iterator[list[str]]:
    splitter = MessageSplitter()
    for line in lines(name):
        if line["dir"] == "fs>app":
            for message in splitter.feed(line["data"].encode(errors="surrogateescape")):
                yield header_names(message.kind, message.headers, message.body)


@pytest.mark.parametrize("name", INBOUND)
async def test_logging_in_goes_as_on_a_real_one(name: str) -> None:
    recorded = read(name)
    async with FakeFreeswitch(secret="ClueCon") as switch:
        application = Application()
        reader, writer = await asyncio.open_connection("127.0.0.1", switch.port)
        serving = asyncio.ensure_future(application.serve(reader, writer))
        await application.follow(recorded, None)
        await serving
    assert application.said == recorded.said
