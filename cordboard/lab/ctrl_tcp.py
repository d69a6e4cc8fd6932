"""baresip's remote control: JSON in netstrings over TCP (its module `ctrl_tcp`).

`encode` and `NetstringReader` are pure; `Control` is the connection. `baresip` owns it. It trusts the phone it
talks to, which the lab has started itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable
from typing import Any

from cordboard.errors import LabError

Message = dict[str, Any]

COMMAND_TIMEOUT_S = 15.0  # milliseconds on a quiet machine; seconds were seen on a crowded one
MESSAGE_LIMIT = 1 << 20


def encode(message: Message) -> bytes:
    """A message as a netstring, `12:{"a": "b..."},`."""
    text = json.dumps(message).encode()
    return b"%d:%s," % (len(text), text)


class NetstringReader:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete now. Raises ValueError where the stream is none of netstrings."""
        self._buffer += data
        messages = []
        while (text := self._cut()) is not None:
            messages.append(json.loads(text.decode(errors="replace")))
        return messages

    def _cut(self) -> bytes | None:
        head, colon, rest = self._buffer.partition(b":")
        if not colon and len(head) < len(str(MESSAGE_LIMIT)):
            return None
        if not head.isdigit() or int(head) > MESSAGE_LIMIT:
            raise ValueError(f"not a netstring: {self._buffer[:20]!r}")
        size = int(head)
        if len(rest) <= size:
            return None
        self._buffer = rest[size + 1 :]
        return rest[:size]


class Control:
    """A connection to one baresip. `on_event` is called for each of its events, in order."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, on_event: Callable[[Message], None]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._on_event = on_event
        self._tokens = itertools.count(1)
        self._replies: dict[str, asyncio.Future[Message]] = {}
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, host: str, port: int, on_event: Callable[[Message], None]) -> Control:
        """Connect. Raises OSError."""
        return cls(*await asyncio.open_connection(host, port), on_event)

    async def command(self, name: str, parameters: str = "") -> str:
        """Run one of baresip's commands. Returns its output. Raises LabError if it fails or the phone is gone."""
        token = str(next(self._tokens))
        reply: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._replies[token] = reply
        try:
            self._writer.write(encode({"command": name, "params": parameters, "token": token}))
            async with asyncio.timeout(COMMAND_TIMEOUT_S):
                response = await reply
        except TimeoutError as error:
            raise LabError(f"baresip did not answer {name} within {COMMAND_TIMEOUT_S:.0f} s") from error
        finally:
            del self._replies[token]
        if not response.get("ok"):
            raise LabError(f"baresip refused {name} {parameters}: {response.get('data', '')}".strip())
        return str(response.get("data", ""))

    async def close(self) -> None:
        """Hang up the connection; the phone itself goes on."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _read(self) -> None:
        netstrings = NetstringReader()
        try:
            while data := await self._reader.read(65536):
                for message in netstrings.feed(data):
                    self._deliver(message)
        except (OSError, ValueError):
            pass  # the phone was killed: tests do that
        finally:
            for reply in self._replies.values():
                if not reply.done():
                    reply.set_result({"data": "the phone is gone"})

    def _deliver(self, message: Message) -> None:
        if message.get("event"):
            self._on_event(message)
        elif (reply := self._replies.get(message.get("token", ""))) is not None and not reply.done():
            reply.set_result(message)
