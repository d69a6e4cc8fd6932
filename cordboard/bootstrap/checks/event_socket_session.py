"""One log-in to FreeSWITCH's Event Socket, that several checks share: what `manager_session` is for Asterisk.

`EslLink` keeps a link and tells of failures in its log; a doctor needs the reason, once, and at once. So this is a
connection of its own, over the same parser and encoders.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from cordboard.bootstrap.checks.hosts import resolve
from cordboard.errors import CordboardError, SwitchProtocolError
from esl_apps import commands, messages
from esl_apps.messages import Message, MessageSplitter

CONNECT_S = 2.0
ANSWER_S = 3.0
READ_BYTES = 65_536

Cause = Literal["nobody", "unreachable", "stranger", "refused", "not_allowed", "silent"]


class NoEventSocket(CordboardError):
    """The log-in did not come about. cause: which of the ways that can go wrong; the message says it in words."""

    def __init__(self, cause: Cause, message: str) -> None:
        self.cause = cause
        super().__init__(message)


class EventSocketSession:
    """Logged in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._splitter = MessageSplitter()
        self._arrived: deque[Message] = deque()
        self._one_command = asyncio.Lock()

    async def api(self, command: str) -> str:
        """The answer to an API command. Raises NoEventSocket if none comes."""
        async with self._one_command:
            return (await self.ask(commands.api(command))).body.decode("utf-8", "replace").strip()

    async def ask(self, line: bytes) -> Message:
        """The answer to a command. Raises NoEventSocket."""
        self._writer.write(line)
        return await self.message()

    async def message(self) -> Message:
        """What comes next. Raises NoEventSocket."""
        try:
            async with asyncio.timeout(ANSWER_S):
                while not self._arrived:
                    if not (data := await self._reader.read(READ_BYTES)):
                        raise NoEventSocket("silent", "it closed the connection")
                    self._arrived.extend(self._splitter.feed(data))
        except TimeoutError as silence:
            raise NoEventSocket("silent", "something listens there and says nothing") from silence
        except (OSError, SwitchProtocolError) as fault:
            raise NoEventSocket("stranger", "something answers there that is not FreeSWITCH") from fault
        return self._arrived.popleft()

    def close(self) -> None:
        """Leave."""
        self._writer.close()


async def log_in(host: str, port: int, secret: str) -> EventSocketSession:
    """A session. Raises NoEventSocket."""
    session = await _connect(host, port)
    try:
        greeting = await session.message()
        if greeting.kind == messages.RUDE_REJECTION:
            raise NoEventSocket("not_allowed", "its access list keeps us out")
        if greeting.kind != messages.AUTH_REQUEST:
            raise NoEventSocket("stranger", "something answers there that is not FreeSWITCH")
        answer = await session.ask(commands.auth(secret))
        if not answer.headers.get("Reply-Text", "").startswith("+OK"):
            raise NoEventSocket("refused", "it refuses the password")
    except BaseException:
        session.close()
        raise
    return session


async def _connect(host: str, port: int) -> EventSocketSession:
    try:
        async with asyncio.timeout(CONNECT_S):
            place = (await resolve(host, port))[0][1]
            return EventSocketSession(*await asyncio.open_connection(place[0], port))
    except ConnectionRefusedError as refusal:
        raise NoEventSocket("nobody", "nobody listens there") from refusal
    except TimeoutError as silence:
        raise NoEventSocket("unreachable", f"no answer within {CONNECT_S:.0f} s") from silence
    except OSError as fault:
        raise NoEventSocket("unreachable", fault.strerror or str(fault)) from fault


@dataclass
class SharedEventSocket:
    """The log-in for all checks: made when the first one asks, its failure told to each."""

    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _session: EventSocketSession | None = None
    _failure: NoEventSocket | None = None

    async def session(self, host: str, port: int, secret: str) -> EventSocketSession:
        """The session. Raises NoEventSocket."""
        async with self._lock:
            if self._failure is None and self._session is None:
                try:
                    self._session = await log_in(host, port, secret)
                except NoEventSocket as failure:
                    self._failure = failure
        if self._session is None:
            raise self._failure or NoEventSocket("silent", "no log-in")
        return self._session

    def close(self) -> None:
        """Log out, if anybody logged in."""
        if self._session is not None:
            self._session.close()
