"""One log-in to Asterisk's manager interface, over the classes of our own link, that several checks share.

`AmiLink` keeps a link and tells of failures in its log; a doctor needs the reason, once, and at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Literal, cast

from panoramisk.message import Message

from agi_scripts.ami import LinkManager, LinkProtocol, PendingAction
from cordboard.bootstrap.checks.hosts import resolve
from cordboard.errors import CordboardError, SwitchError

CONNECT_S = 2.0
ANSWER_S = 3.0  # Asterisk answers a wrong secret after one second, on purpose
GREETING = b"Asterisk Call Manager/"

Cause = Literal["nobody", "unreachable", "silent", "stranger", "refused"]


class NoLogin(CordboardError):
    """The log-in did not come about. cause: which of the ways that can go wrong; the message says it in words."""

    def __init__(self, cause: Cause, message: str) -> None:
        self.cause = cause
        super().__init__(message)


class _Greeted(LinkProtocol):
    """The link, and how the other side introduced itself."""

    greeting = b""

    def data_received(self, data: bytes) -> None:
        self.greeting = (self.greeting + data)[:100]
        super().data_received(data)


class ManagerSession:
    """Logged in."""

    def __init__(self, protocol: LinkProtocol, version: str) -> None:
        self._protocol = protocol
        self.version = version

    async def actions(self) -> Collection[str]:
        """The actions this user may use, in small letters. Raises SwitchError, TimeoutError."""
        answer = await _ask(self._protocol, {"Action": "ListCommands"})
        return frozenset(str(name).lower() for name in answer)

    async def value(self, expression: str) -> str | None:
        """A dialplan function's value, `DEVICE_STATE(PJSIP/1001)`; None if Asterisk does not have the function."""
        answer = await _ask(self._protocol, {"Action": "Getvar", "Variable": expression})
        return cast(str, answer.value) if answer.response == "Success" else None

    def close(self) -> None:
        """Leave."""
        self._protocol.close()


async def log_in(host: str, port: int, user: str, secret: str) -> ManagerSession:
    """A session. Raises NoLogin."""
    protocol = await _connect(host, port)
    try:
        login = {"Action": "Login", "Username": user, "Secret": secret, "Events": "off"}
        answer = await _ask(protocol, login)
        if answer.response != "Success":
            raise NoLogin("refused", answer.message or "refused")
    except (SwitchError, TimeoutError) as silence:
        protocol.close()
        raise _no_manager(protocol) from silence
    except BaseException:
        protocol.close()
        raise
    return ManagerSession(protocol, _version(protocol.greeting))


async def _connect(host: str, port: int) -> _Greeted:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_S):
            place = (await resolve(host, port))[0][1]
            _, protocol = await loop.create_connection(lambda: _Greeted(LinkManager()), place[0], port)
    except ConnectionRefusedError as refusal:
        raise NoLogin("nobody", "nobody listens there") from refusal
    except TimeoutError as silence:
        raise NoLogin("unreachable", f"no answer within {CONNECT_S:.0f} s") from silence
    except OSError as fault:
        raise NoLogin("unreachable", fault.strerror or str(fault)) from fault
    return protocol


async def _ask(protocol: LinkProtocol, action: dict[str, str]) -> Message:
    """The response to an action. Raises SwitchError if the link ends before, TimeoutError."""
    pending = PendingAction(action, changes=False)
    try:
        async with asyncio.timeout(ANSWER_S):
            messages = await protocol.send(pending)
    finally:
        protocol.forget(pending)
    return messages[0]


def _no_manager(protocol: _Greeted) -> NoLogin:
    """Why no answer to a log-in came."""
    if protocol.greeting.startswith(GREETING):
        return NoLogin("silent", "Asterisk greets, and does not answer the log-in")
    if protocol.greeting:
        return NoLogin("stranger", "something answers there that is not Asterisk's manager")
    return NoLogin("stranger", "something listens there and says nothing")


def _version(greeting: bytes) -> str:
    return greeting.removeprefix(GREETING).split(b"\r")[0].decode("ascii", "replace")


class SharedLogin:
    """The log-in for all checks: made when the first one asks, its failure told to each."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._session: ManagerSession | None = None
        self._failure: NoLogin | None = None

    async def session(self, host: str, port: int, user: str, secret: str) -> ManagerSession:
        """The session. Raises NoLogin."""
        async with self._lock:
            if self._failure is None and self._session is None:
                await self._try(host, port, user, secret)
        if self._session is None:
            raise self._failure or NoLogin("silent", "no log-in")
        return self._session

    async def _try(self, host: str, port: int, user: str, secret: str) -> None:
        try:
            self._session = await log_in(host, port, user, secret)
        except NoLogin as failure:
            self._failure = failure

    def close(self) -> None:
        """Log out, if anybody logged in."""
        if self._session is not None:
            self._session.close()
