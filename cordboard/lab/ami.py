"""A small AMI client for the lab's own eyes: is the PBX up, which channels live, what happened just now.

Apart from the product's AMI link on purpose: a check that used the code it checks would share its faults. It trusts
the PBX it talks to, which the lab has started itself. `pbx` owns it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterable

from cordboard.errors import LabError
from cordboard.lab.event_queues import Event, Listeners, hang_up

Message = Event  # a response is written like one

REPLY_TIMEOUT_S = 5.0
LINE_LIMIT = 1 << 20


class LabAmi:
    """One logged-in AMI connection. Made by `connect`, ended by `close`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._replies: dict[str, asyncio.Queue[Message]] = {}
        self._listeners = Listeners("Event")
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, host: str, port: int, user: str, secret: str) -> LabAmi:
        """Connect, log in, and wait until Asterisk says it is fully booted.

        Raises OSError if nobody listens, LabError if the login is refused or the line goes dead.
        """
        reader, writer = await asyncio.open_connection(host, port, limit=LINE_LIMIT)
        ami = cls(reader, writer)
        try:
            await reader.readline()  # the banner
            ami._reading = asyncio.create_task(ami._read())
            async with ami.listen("FullyBooted") as events:
                await ami.send("Login", Username=user, Secret=secret, Events="system")
                await events.get()
            await ami.send("Events", EventMask="off")
        except BaseException:
            await ami.close()
            raise
        return ami

    async def send(self, action: str, **headers: str) -> list[Message]:
        """Send one action. Returns its response and, for a list action, the events that make up the list.

        Raises LabError if Asterisk says no, does not answer within REPLY_TIMEOUT_S, or hangs up.
        """
        action_id = f"lab-{next(self._ids)}"
        replies: asyncio.Queue[Message] = asyncio.Queue()
        self._replies[action_id] = replies
        lines = {"Action": action, "ActionID": action_id} | headers
        try:
            self._writer.write("".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode() + b"\r\n")
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                return await _collect(action, replies)
        except TimeoutError as error:
            raise LabError(f"Asterisk did not answer {action} within {REPLY_TIMEOUT_S:.0f} s") from error
        finally:
            del self._replies[action_id]

    @contextlib.asynccontextmanager
    async def listen(self, *names: str) -> AsyncIterator[asyncio.Queue[Message]]:
        """A queue of the events of these names (of all, if none is named) for as long as the context lasts."""
        with self._listeners.listen(*names) as events:
            yield events

    async def close(self) -> None:
        """Hang up. Whoever still waits for a reply gets a LabError."""
        await hang_up(self._reading, self._writer)

    async def _read(self) -> None:
        try:
            while message := await self._read_message():
                self._deliver(message)
        except (OSError, EOFError, ValueError):
            pass  # the PBX was killed: its tests do that
        finally:
            for waiting in self._replies.values():
                waiting.put_nowait({})
            self._listeners.end()

    async def _read_message(self) -> Message:
        """The next message; empty at the end of the stream. Lines of a `Command` are joined in `Output`."""
        message: Message = {}
        while True:
            line = (await self._reader.readline()).decode(errors="replace")
            if not line:
                return {}
            if not line.rstrip("\r\n"):
                if message:
                    return message
                continue
            name, _, value = line.rstrip("\r\n").partition(":")
            value = value.removeprefix(" ")
            message[name] = f"{message[name]}\n{value}" if name == "Output" and name in message else value

    def _deliver(self, message: Message) -> None:
        if (replies := self._replies.get(message.get("ActionID", ""))) is not None:
            replies.put_nowait(message)
            return
        self._listeners.tell(message)


async def _collect(action: str, replies: asyncio.Queue[Message]) -> list[Message]:
    """A response, and the rest of its list if it starts one."""
    response = await _next(action, replies)
    if response.get("Response") not in ("Success", "Follows", "Goodbye"):
        raise LabError(f"Asterisk refused {action}: {response.get('Message', 'no reason given')}")
    messages = [response]
    if response.get("EventList") == "start":
        while messages[-1].get("EventList") != "Complete":
            messages.append(await _next(action, replies))
    return messages


async def _next(action: str, messages: asyncio.Queue[Message]) -> Message:
    message = await messages.get()
    if not message:
        raise LabError(f"Asterisk hung up before it answered {action}")
    return message


def list_items(messages: Iterable[Message]) -> list[Message]:
    """The items of a list action's messages, without its first and last."""
    return [message for message in messages if "Event" in message and message.get("EventList") != "Complete"]
