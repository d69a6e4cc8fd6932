"""One event socket of a fake FreeSWITCH, whoever dialled: takes commands, answers, tells what was asked for."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from typing import Protocol

from tests.doubles.fake_freeswitch import blocks, facts
from tests.doubles.fake_freeswitch.channel import Channel, Order

Handler = Callable[[str, dict[str, str]], str]
"""What answers a command: from its argument and its headers the reply, "" for none."""

NOT_IN_MYEVENTS = ("PLAYBACK_START", "PLAYBACK_STOP", "RECORD_STOP")


class Commanded(Protocol):
    """What carries out API commands."""

    async def api(self, command: str) -> str: ...

    def start_job(self, command: str, job_id: str) -> None: ...

    def channel(self, leg_id: str) -> Channel | None: ...


class Connection:
    """channel: of an outbound socket; None for an inbound one, with its secret."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        switch: Commanded,
        channel: Channel | None = None,
        secret: str = "",
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._switch = switch
        self._secret = secret
        self._is_allowed = not secret
        self._wanted: set[str] = set()
        self._filters: list[bytes] = []
        self._has_mine = False
        self.channel = channel
        self.linger_s: int | None = None
        self.is_connected = asyncio.Event()  # `connect` was said
        self.resumes = False  # `resume` was said
        self.sent: list[str] = []  # all commands, as they came
        self.closed = asyncio.Event()

    async def serve(self) -> None:
        """Take commands until the other side leaves."""
        if self._secret:
            self._write(b"Content-Type: auth/request\n\n")
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while not self.closed.is_set():
                block = (await self._block()).strip("\n")
                if block:
                    self.sent.append(block)
                    await self._take(block)
        self.close()

    async def _block(self) -> str:
        """The next command."""
        block = ""
        while (line := (await self._reader.readline()).decode(errors="replace")).strip("\r\n"):
            block += line.rstrip("\r\n") + "\n"
        if not line:
            raise ConnectionError("the end")
        return block

    async def _headers(self, lines: list[str]) -> dict[str, str]:
        """Of a command, the first of each name; a body is the argument."""
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            headers.setdefault(name.lower(), value)
        if length := int(headers.get("content-length", "0")):
            headers["execute-app-arg"] = (await self._reader.readexactly(length)).decode().rstrip("\n")
        return headers

    def refuse(self) -> None:
        """Who dials in is not let in."""
        self._write(blocks.REJECTION)
        self.say_goodbye()

    def close(self) -> None:
        """End the socket."""
        if not self.closed.is_set():
            self.closed.set()
            self._writer.close()

    async def aclose(self) -> None:
        """End the socket, and wait until it has."""
        self.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    def hear(self, event: bytes, name: str, leg_id: str) -> None:
        """Something has happened: it is sent if it was asked for."""
        if self._is_mine(name, leg_id) or self._is_asked_for(event, name):
            self._write(event)

    def _is_mine(self, name: str, leg_id: str) -> bool:
        mine = self.channel is not None and leg_id == self.channel.leg_id
        return self._has_mine and mine and name not in NOT_IN_MYEVENTS

    def _is_asked_for(self, event: bytes, name: str) -> bool:
        is_wanted = name in self._wanted or "ALL" in self._wanted
        return is_wanted and (not self._filters or any(one in event for one in self._filters))

    def end_call(self) -> None:
        """The channel has ended."""
        assert self.channel is not None
        if self.linger_s is None:
            self.say_goodbye()
        else:
            self._write(blocks.notice(self.channel.leg_id, self.channel.channel_name, linger_s=self.linger_s))
            if self.linger_s > 0:
                asyncio.get_running_loop().call_later(self.linger_s, self.say_goodbye)

    def say_goodbye(self) -> None:
        """End the socket, with the words that FreeSWITCH has for it."""
        if not self.closed.is_set():
            self._write(blocks.notice(self.channel.leg_id if self.channel else "", "", linger_s=None))
            self.close()

    def _write(self, data: bytes) -> None:
        if not self.closed.is_set():
            self._writer.write(data)

    async def _take(self, block: str) -> None:
        first, *rest = block.split("\n")
        word, _, argument = first.partition(" ")
        if word in ("api", "bgapi") and not argument:
            word = ""
        if word == "api" and self._is_allowed:
            self._write(blocks.answer(await self._switch.api(argument)))
            return
        handler = self._handlers().get(word) if self._is_allowed or word == "auth" else None
        headers = await self._headers(rest)
        said = handler(argument, headers) if handler else "-ERR command not found"
        if said:
            self._write(blocks.reply(said))
        if word in ("exit", "..."):
            self.say_goodbye()

    def _handlers(self) -> dict[str, Handler]:
        ours: dict[str, Handler] = {
            "auth": self._auth,
            "event": self._event,
            "filter": self._filter,
            "noevents": self._noevents,
            "bgapi": self._bgapi,
            "sendmsg": self._sendmsg,
            "exit": lambda *_: "+OK bye",
            "...": lambda *_: "+OK bye",
        }
        if self.channel is not None:
            ours |= {
                "connect": self._connect,
                "linger": self._linger,
                "resume": self._resume,
                "myevents": self._myevents,
                "getvar": self._getvar,
            }
        return ours

    def _auth(self, argument: str, headers: dict[str, str]) -> str:
        self._is_allowed = argument == self._secret
        if not self._is_allowed:
            self._write(blocks.reply("-ERR invalid"))
            self.say_goodbye()
            return ""
        return "+OK accepted"

    def _connect(self, argument: str, headers: dict[str, str]) -> str:
        assert self.channel is not None
        self._write(facts.picture(self.channel))
        self.is_connected.set()
        return ""

    def _linger(self, argument: str, headers: dict[str, str]) -> str:
        self.linger_s = int(argument or -1)
        return f"+OK will linger {argument} seconds" if argument else "+OK will linger"

    def _myevents(self, argument: str, headers: dict[str, str]) -> str:
        self._has_mine = True
        return "+OK Events Enabled"

    def _event(self, argument: str, headers: dict[str, str]) -> str:
        kind, *names = argument.split() or [""]
        if not set(names) - {"NO_SUCH_EVENT"}:
            return "-ERR no keywords supplied"
        self._wanted |= set(names)
        return f"+OK event listener enabled {kind}"

    def _noevents(self, argument: str, headers: dict[str, str]) -> str:
        self._wanted.clear()
        return "+OK no longer listening for events"

    def _filter(self, argument: str, headers: dict[str, str]) -> str:
        name, _, value = argument.partition(" ")
        self._filters.append(f"\n{name}: {blocks.encoded(value)}\n".encode())
        return f"+OK filter added. [{name}]=[{value}]"

    def _getvar(self, argument: str, headers: dict[str, str]) -> str:
        assert self.channel is not None
        return self.channel.variables.get(argument) or "-ERR command not found"

    def _bgapi(self, argument: str, headers: dict[str, str]) -> str:
        job_id = headers.get("job-uuid") or str(uuid.uuid4())
        self._switch.start_job(argument, job_id)
        return f"+OK Job-UUID: {job_id}\nJob-UUID: {job_id}"

    def _resume(self, argument: str, headers: dict[str, str]) -> str:
        self.resumes = True
        return "+OK"

    def _sendmsg(self, argument: str, headers: dict[str, str]) -> str:
        channel = self.channel if not argument else self._switch.channel(argument)
        if channel is None:
            return f"-ERR invalid session id [{argument}]"
        _order(channel, headers)
        return "+OK"


def _order(channel: Channel, headers: dict[str, str]) -> None:
    """What a message says is to be done; a call that has ended takes it, and does nothing."""
    if channel.cause:
        return
    kind = headers.get("call-command")
    if kind == "execute":
        names = ("execute-app-name", "execute-app-arg", "event-uuid")
        application, argument, event_uuid = [headers.get(name, "") for name in names]
        channel.orders.append(Order(application, argument, event_uuid, headers.get("event-lock") == "true"))
    elif kind == "hangup":
        channel.hang_up(headers.get("hangup-cause", "NORMAL_CLEARING"), by_us=True)
