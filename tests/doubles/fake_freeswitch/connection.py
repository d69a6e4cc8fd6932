"""One event socket of a fake FreeSWITCH, whoever dialled: takes commands, answers, tells what was asked for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

from tests.doubles.fake_freeswitch import blocks
from tests.doubles.fake_freeswitch.channel import Channel

NOT_IN_MYEVENTS = ("PLAYBACK_START", "PLAYBACK_STOP", "RECORD_STOP")


class Commanded(Protocol):
    """What carries out API commands."""

    def api(self, command: str) -> str: ...

    def start_job(self, command: str, job_id: str) -> None: ...

    def channel(self, leg_id: str) -> Channel | None: ...


class Connection:
    """channel: of an outbound socket, whose orders are `orders`; None for an inbound one, with its secret."""

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
        self._is_mine_only = False
        self.channel = channel
        self.linger_s: int | None = None
        self.is_connected = asyncio.Event()  # `connect` was said
        self.orders: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue()  # application, argument, uuid
        self.sent: list[str] = []  # all commands, as they came
        self.closed = asyncio.Event()

    async def serve(self) -> None:
        """Take commands until the other side leaves."""
        if self._secret:
            self._write(b"Content-Type: auth/request\n\n")
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while not self.closed.is_set():
                block = (await self._reader.readuntil(b"\n\n")).decode().strip("\n")
                if block:
                    self.sent.append(block)
                    self._take(block)
        self.close()

    def close(self) -> None:
        """End the socket."""
        if not self.closed.is_set():
            self.closed.set()
            self._writer.close()

    def hear(self, event: bytes, name: str, leg_id: str) -> None:
        """Something has happened: it is sent if it was asked for."""
        if self._is_mine_only:
            is_wanted = self.channel is not None and leg_id == self.channel.leg_id and name not in NOT_IN_MYEVENTS
        else:
            is_wanted = name in self._wanted or "ALL" in self._wanted
            is_wanted = is_wanted and (not self._filters or any(one in event for one in self._filters))
        if is_wanted:
            self._write(event)

    def end_call(self) -> None:
        """The channel has ended."""
        assert self.channel is not None
        if self.linger_s is None:
            self.say_goodbye()
        else:
            self._write(blocks.notice(self.channel.leg_id, self.channel.channel_name, linger_s=self.linger_s))

    def say_goodbye(self) -> None:
        """End the socket, with the words that FreeSWITCH has for it."""
        if not self.closed.is_set():
            self._write(blocks.notice(self.channel.leg_id if self.channel else "", "", linger_s=None))
            self.close()

    def _write(self, data: bytes) -> None:
        if not self.closed.is_set():
            self._writer.write(data)

    def _take(self, block: str) -> None:
        first, *rest = block.split("\n")
        word, _, argument = first.partition(" ")
        if not self._is_allowed and word != "auth":
            self._write(blocks.reply("-ERR command not found"))
            return
        answer = self._answers().get(word)
        if answer is None:
            self._write(blocks.reply("-ERR command not found"))
            return
        headers = dict(line.split(": ", 1) for line in rest if ": " in line)
        said = answer(argument, headers)
        if said:
            self._write(blocks.reply(said))
        if word == "exit":
            self.say_goodbye()

    def _answers(self) -> dict[str, Callable[[str, dict[str, str]], str]]:
        ours = {
            "auth": self._auth,
            "event": self._event,
            "filter": self._filter,
            "noevents": self._noevents,
            "api": self._api,
            "bgapi": self._bgapi,
            "sendmsg": self._sendmsg,
            "exit": lambda *_: "+OK bye",
        }
        if self.channel is not None:
            ours |= {
                "connect": self._connect,
                "linger": self._linger,
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
        self._write(self.channel.picture())
        self.is_connected.set()
        return ""

    def _linger(self, argument: str, headers: dict[str, str]) -> str:
        self.linger_s = int(argument or -1)
        return f"+OK will linger {argument} seconds" if argument else "+OK will linger"

    def _myevents(self, argument: str, headers: dict[str, str]) -> str:
        self._is_mine_only = True
        return "+OK Events Enabled"

    def _event(self, argument: str, headers: dict[str, str]) -> str:
        kind, *names = argument.split()
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

    def _api(self, argument: str, headers: dict[str, str]) -> str:
        self._write(blocks.answer(self._switch.api(argument)))
        return ""

    def _bgapi(self, argument: str, headers: dict[str, str]) -> str:
        job_id = headers["Job-UUID"]
        self._switch.start_job(argument, job_id)
        return f"+OK Job-UUID: {job_id}\nJob-UUID: {job_id}"

    def _sendmsg(self, argument: str, headers: dict[str, str]) -> str:
        if headers.get("call-command") == "execute" and self.channel is not None and not self.channel.cause:
            application, data = headers["execute-app-name"], headers.get("execute-app-arg", "")
            self.orders.put_nowait((application, data, headers.get("Event-UUID", "")))
        return "+OK"
