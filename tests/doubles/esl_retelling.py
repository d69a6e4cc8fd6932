"""Says to a fake FreeSWITCH what the client of a recording said to the real one, when as much had come as then.

What happened beside the connections (keys, phones, hang-ups, the death of a process) the recording has as notes: it
is done to the fake, and what was seen from outside is looked for there.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from urllib.parse import unquote

from tests.doubles.esl_recordings import PlainMessage, Recording, plain_messages, recording
from tests.doubles.esl_told import Hearing, Known, Lanes, chosen_in
from tests.doubles.fake_freeswitch import FakeFreeswitch
from tests.doubles.fake_freeswitch.channel import Channel
from tests.doubles.recorded_scene import Scene
from tests.doubles.recorded_switch import ALONE, DIALPLAN, FIRST, PHONES, SECOND

WAIT_S = 15.0
SPEAK_S, SILENT_S = 24.0, 0.3
PACE = 3.0  # so much faster than the real one does the fake play and ring
PAUSE_S = (
    0.3  # the longest that is waited between two lines with nothing to wait for; a step of the switch takes 0.02
)


@dataclass(frozen=True)
class Item:
    """A line of a recording. kind: "said" (messages), "command", "note", "open", "close"."""

    at: float
    connection: str
    kind: str
    data: bytes = b""
    messages: tuple[PlainMessage, ...] = ()


class Differs(AssertionError):
    """What was recorded did not happen."""


@dataclass
class Account:
    """What was said, by connection (the second of a name is "NAME again") and lane; names: of headers; seen: from
    outside.
    """

    lanes: dict[str, Lanes] = field(default_factory=dict)
    names: dict[str, Lanes] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)


def items_of(one: Recording) -> list[Item]:
    """A recording's lines, with whole messages, and connections by names that are theirs alone."""
    items: list[Item] = []
    rest: defaultdict[str, bytes] = defaultdict(bytes)
    names: dict[str, str] = {}
    for line in one.lines:
        if line.kind == "open":
            names[line.connection] = line.connection + (" again" if line.connection in names else "")
        name = names.get(line.connection, line.connection)
        if line.kind == "fs>app":
            data = rest[name] + line.data
            messages = tuple(plain_messages(data))
            rest[name] = data[sum(len(message.raw) for message in messages) :]
            items.append(Item(line.at, name, "said", messages=messages))
        else:
            items.append(Item(line.at, name, {"app>fs": "command"}.get(line.kind, line.kind), line.data))
    return items


def known_of(items: list[Item]) -> Known:
    """Which legs and ids count: the caller, those the client made, and those that came of making one."""
    chosen = chosen_in(item.data for item in items if item.kind == "command")
    messages = [message for item in items for message in item.messages]
    chosen |= {message.headers["Unique-ID"] for message in messages if "Event-Name" in message.headers}
    events = [message.event for message in messages if message.event]
    made = {event["Unique-ID"] for event in events if event["Event-Name"] == "CHANNEL_ORIGINATE"}
    return Known(chosen, {event["Unique-ID"] for event in events if "Unique-ID" in event} - chosen - made)


class Line:
    """One connection to the fake, as the client has it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, known: Known) -> None:
        self._reader = reader
        self.writer = writer
        self.hearing = Hearing(known)
        self._more = asyncio.Event()
        self._ended = asyncio.Event()
        self._task = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        data = b""
        with contextlib.suppress(ConnectionError):
            while got := await self._reader.read(65536):
                data += got
                messages = list(plain_messages(data))
                data = data[sum(len(message.raw) for message in messages) :]
                for message in messages:
                    self.hearing.take(message)
                self._more.set()
        self._ended.set()

    async def wait_for(self, counts: dict[str, int]) -> None:
        """Until so many have come in each lane. Raises Differs."""
        try:
            async with asyncio.timeout(WAIT_S):
                while missing := {lane: n for lane, n in counts.items() if len(self.hearing.lanes[lane]) < n}:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise Differs(missing) from None

    async def end(self, how: bytes) -> None:
        """End as it was recorded, or find it ended. Raises Differs."""
        if how == b"app-rst":
            self.abort()
        elif how == b"app":
            self.writer.write_eof()
        else:
            try:
                async with asyncio.timeout(WAIT_S):
                    await self._ended.wait()
            except TimeoutError:
                raise Differs("it was closed") from None

    def abort(self) -> None:
        """Vanish, as a killed process does."""
        self.writer.transport.abort()

    async def aclose(self) -> None:
        """Leave."""
        self._task.cancel()
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()
        await asyncio.gather(self._task, return_exceptions=True)


def differences(one: Account, other: Account) -> list[str]:
    """Where the second differs from the first: the first difference of each lane."""
    found = [f"seen: {one.seen} / {other.seen}"] if one.seen != other.seen else []
    for name in sorted({*one.lanes, *other.lanes}):
        ours, theirs = one.lanes.get(name, {}), other.lanes.get(name, {})
        for lane in sorted({*ours, *theirs}):
            pairs = itertools.zip_longest(ours.get(lane, []), theirs.get(lane, []))
            unlike = next((f"{a}\n    / {b}" for a, b in pairs if a != b), "")
            found += [f"{name}, {lane}: {unlike}"] if unlike else []
    return found


def _without_empty(lanes: Lanes) -> Lanes:
    return {lane: told for lane, told in lanes.items() if told}


class Retelling:
    """One recording, said to one fake."""

    def __init__(self, name: str) -> None:
        self._items = items_of(recording(name))
        self.recorded = Account()
        self.faked = Account()
        self._known = known_of(self._items)
        self._mine = Known(self._known.chosen)
        self._heard: dict[str, Hearing] = {}
        self._lines: dict[str, Line] = {}
        self._all: list[Line] = []
        self._accepted: asyncio.Queue[Line] = asyncio.Queue()
        self._servers: dict[str, asyncio.Server] = {}
        self._hosts: dict[str, str] = {}

    async def play(self) -> None:
        """From the first line to the last; what differs is in the two accounts."""
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._close)
            await self._listen(FIRST)
            self._hosts[ALONE] = self._hosts[FIRST]
            allows = not any(one.kind == "text/rude-rejection" for item in self._items for one in item.messages)
            speaks = any(item.kind == "command" for item in self._items)
            fake = FakeFreeswitch(
                phones=PHONES,
                secret="ClueCon",
                dialplan=DIALPLAN,
                hosts=self._hosts,
                allows=allows,
                speak_s=SPEAK_S if speaks else SILENT_S,
                pace=PACE,
            )
            self._switch = await stack.enter_async_context(fake)
            witness = await self._witness()
            self._scene = Scene(self._switch, self._call(), self._keys(), witness.hearing)
            await self._follow()
        for name, hearing in self._heard.items():
            said = self._lines[name].hearing
            self.recorded.lanes[name], self.recorded.names[name] = _without_empty(hearing.lanes), hearing.names
            self.faked.lanes[name], self.faked.names[name] = _without_empty(said.lanes), said.names

    async def _witness(self) -> Line:
        """A second client, who sees what the dead one does not."""
        line = self._line(*await asyncio.open_connection("127.0.0.1", self._switch.port))
        line.writer.write(b"auth ClueCon\n\nevent plain CHANNEL_EXECUTE_COMPLETE\n\n")
        return line

    async def _follow(self) -> None:
        before = 0.0
        last_act = max(at for at, item in enumerate(self._items) if item.kind != "said")
        for at, item in enumerate(self._items):
            if item.kind == "said":
                await self._hear(item, is_after_all=at > last_act)
            else:
                await self._catch_up()
                await asyncio.sleep(0.0 if item.kind == "command" else min(PAUSE_S, item.at - before))
                await self._act(item)
            before = item.at
        await self._catch_up()
        await asyncio.sleep(PAUSE_S / PACE)  # what was not recorded should not come

    async def _hear(self, item: Item, *, is_after_all: bool) -> None:
        """Who recorded hung up what was left, in the end."""
        ends = [one.event for one in item.messages if one.event.get("Event-Name", "").startswith("CHANNEL_HANGUP")]
        if (
            is_after_all
            and item.connection in self._lines
            and any(event["Unique-ID"] in self._known.chosen for event in ends)
        ):
            await self._catch_up()
            self._switch.answer("hupall NORMAL_CLEARING")
        for message in item.messages:
            self._heard[item.connection].take(message)

    async def _catch_up(self) -> None:
        """Until as much has come as was recorded so far."""
        for name, hearing in self._heard.items():
            await self._lines[name].wait_for(hearing.counts())

    async def _act(self, item: Item) -> None:
        if item.kind == "open":
            await self._open(item.connection)
        elif item.kind == "command":
            self._lines[item.connection].writer.write(item.data)
        elif item.kind == "close":
            await self._lines[item.connection].end(item.data)
        else:
            await self._note(item.data.decode())

    async def _note(self, text: str) -> None:
        if "process dies" in text or "process 2 dies" in text:
            for server in self._servers.values():
                server.close()
            self._servers.clear()
            for line in self._lines.values():
                line.abort()
        if seen := await self._scene.happen(text):
            self.recorded.seen.append(seen[0])
            self.faked.seen.append(seen[1])

    async def _open(self, name: str) -> None:
        if name.startswith("inbound"):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._switch.port)
            self._lines[name] = self._line(reader, writer)
        else:
            await self._listen(SECOND if name != "outbound" and FIRST not in self._servers else FIRST)
            async with asyncio.timeout(WAIT_S):
                self._lines[name] = await self._accepted.get()
        self._heard[name] = Hearing(self._known)

    def _call(self) -> Channel | None:
        """The caller, as who recorded had them, when the call was given to the first process."""
        messages = [one for item in self._items if item.connection.startswith("outbound") for one in item.messages]
        facts = next((one.headers for one in messages if "Caller-Destination-Number" in one.headers), None)
        if facts is None and not any(item.connection == "outbound" for item in self._items):
            return None
        told = {name: unquote(value) for name, value in (facts or {}).items()}
        return self._switch.call(
            told.get("Caller-Destination-Number", "5000"),
            told.get("Caller-Caller-ID-Number", "5551000"),
            told.get("Caller-Caller-ID-Name", "Caller One"),
            leg_id=told.get("Unique-ID", ""),
            channel_name=told.get("Channel-Name", ""),
            read_codec="PCMU",
        )

    def _keys(self) -> str:
        """The keys that the switch took notice of: some come too late for that."""
        events = [
            one.event for item in self._items for one in item.messages if one.event.get("Event-Name") == "DTMF"
        ]
        return "".join(event["DTMF-Digit"] for event in events)

    async def _listen(self, address: str) -> None:
        """A process listens where the dialplan looks for it."""
        if address in self._servers:
            return
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._servers[address] = server
        self._hosts[address] = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._accepted.put_nowait(self._line(reader, writer))

    def _line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Line:
        self._all.append(Line(reader, writer, self._mine))
        return self._all[-1]

    async def _close(self) -> None:
        for server in self._servers.values():
            server.close()
        for line in self._all:
            await line.aclose()
