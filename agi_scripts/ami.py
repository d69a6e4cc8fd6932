"""The manager link: panoramisk's AMI, made safe from outside. Used by `AsteriskSwitch`.

From panoramisk 1.4 come the message and action types and the registry of events. What is replaced, because it was
seen to fail on Asterisk 22.10: values are checked before they are written; headers keep their order; nothing is
ever sent twice; every action has a deadline and every future an end; a peer that stops answering is noticed by an
unanswered ping; characters cut between two segments are kept; buffers are bounded; reconnecting is jittered;
cancellation is passed on.

    connecting -> logging in -> connected -> lost -> (0.1 to 2 s) -> connecting
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Any, cast

import structlog
from panoramisk.actions import Action as PanoramiskAction
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager
from panoramisk.message import Message

from agi_scripts.ami_messages import Action, Headers, MessageSplitter, encode_action, headers_of
from cordboard.errors import OutcomeUnknown, SwitchError, SwitchProtocolError, SwitchRefused, SwitchUnavailable

CONNECT_S = 5.0
BACKOFF_MIN_S = 0.1
BACKOFF_MAX_S = 2.0
PENDING_MAX = 1000  # actions without an answer; more means a link that is dead or a caller gone wild
LIST_MAX = 50_000  # events of one list, e.g. one for each channel
UNSENT_MAX_BYTES = 1024 * 1024

_log = structlog.get_logger(__name__)


class LinkMessage(Message):  # type: ignore[misc]
    """Panoramisk's message, made at once of headers whose names are in small letters: its own way takes each name
    three times through Python, and Asterisk tells several events with each call.
    """

    def __init__(self, headers: Headers) -> None:
        self._store = {name: (name, value) for name, value in headers.items()}
        self.manager = None


class PendingAction(PanoramiskAction):  # type: ignore[misc]  # panoramisk has no types
    """An action and the messages that have answered it so far.

    ends_with: the event which completes it; "" if its response does. changes: whether it does something that must
    not be done twice, so that a lost answer leaves its outcome unknown.
    """

    def __init__(self, action: Action, ends_with: str = "", changes: bool = True) -> None:
        super().__init__(action)
        self.ends_with = ends_with
        self.changes = changes

    def add_message(self, message: Message) -> bool:
        """Note a message; whether the action is complete with it."""
        self.responses.append(message)
        complete = self._is_last(message) or len(self.responses) >= LIST_MAX
        if complete and not self.future.done():
            self.future.set_result(self.responses)
        return complete

    def _is_last(self, message: Message) -> bool:
        if "event" in message:
            return bool(message.event == self.ends_with)
        return not self.ends_with or message.response != "Success"

    def fail(self, reason: str) -> None:
        """The link is gone or too slow."""
        if not self.future.done():
            kind = OutcomeUnknown if self.changes else SwitchUnavailable
            self.future.set_exception(kind(f"{self['action']}: {reason}"))


class LinkProtocol(AMIProtocol):  # type: ignore[misc]
    """One connection. `lost` is done when it has ended, however it did."""

    def __init__(self, manager: LinkManager) -> None:
        self._manager = manager
        self._splitter = MessageSplitter()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.factory = self._manager

    def send(self, data: PendingAction, as_list: bool = False) -> asyncio.Future[Any]:
        """Write an action once. Raises SwitchProtocolError or SwitchUnavailable, and then nothing was written."""
        line = encode_action(data.items())
        transport = cast(asyncio.WriteTransport, self.transport)
        if self.lost.done() or transport.is_closing():
            raise SwitchUnavailable("the manager link is down")
        if len(self.responses) >= PENDING_MAX or transport.get_write_buffer_size() > UNSENT_MAX_BYTES:
            raise SwitchUnavailable("the manager link does not keep up")
        self.responses[data.id] = data
        transport.write(line)
        return cast("asyncio.Future[Any]", data.future)

    def forget(self, action: PendingAction) -> None:
        """Nobody waits for this action any more; what still comes for it is dropped."""
        self.responses.pop(action.id, None)

    def data_received(self, data: bytes) -> None:
        try:
            texts = self._splitter.feed(data)
        except SwitchProtocolError as error:
            _log.warning("ami_protocol_broken", fault=str(error))
            self.close()
            return
        for text in texts:
            self._take(headers_of(text))

    def _take(self, headers: Headers) -> None:
        """Give a message to the action it answers, or else to those who have registered for its event."""
        event = headers.get("event")
        if isinstance(event, list):  # a caller can put headers into an event: the first `Event` is Asterisk's
            event = headers["event"] = event[0]
        if event is None and "response" not in headers:
            return
        action = self._asked_for(headers)
        if action is not None:
            if action.add_message(LinkMessage(headers)):
                self.forget(action)
        elif event is not None:
            self._manager.tell(event, headers)

    def _asked_for(self, headers: Headers) -> PendingAction | None:
        """The action a message answers: of two `ActionID` (one put in by a caller) the one that we have chosen."""
        ids = headers.get("actionid", "")
        for one in ids if isinstance(ids, list) else (ids,):
            if one in self.responses:
                return cast(PendingAction, self.responses[one])
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self.close()
        if not self.lost.done():
            self.lost.set_result(None)

    def close(self) -> None:
        """Cut the connection at once, and tell everyone who waits for an answer."""
        self.closed = True
        pending = list(self.responses.values())
        self.responses.clear()
        for action in pending:
            action.fail("the manager link was lost before the answer")
        cast(asyncio.WriteTransport, self.transport).abort()


class LinkManager(Manager):  # type: ignore[misc]
    """Panoramisk's registry of event callbacks, without its connection keeping."""

    async def send_awaiting_actions(self, *_: object) -> None:
        """Nothing ever waits to be sent again: an Originate sent twice is two calls."""

    def tell(self, event: str, headers: Headers) -> None:
        """Call those who registered for an event, by its name. One that fails takes neither the link nor the next.

        Instead of `dispatch`, which tries every name as a pattern on every event.
        """
        callbacks = self.callbacks.get(event, ())
        message = LinkMessage(headers) if callbacks else None
        for callback in callbacks:
            try:
                callback(self, message)
            except Exception:
                _log.exception("ami_event_handler_failed", ami_event=event)


class AmiLink:
    """Keeps one manager connection up, and sends actions over it."""

    def __init__(
        self, host: str, port: int, username: str, secret: str, *, ping_s: float = 2.0, action_s: float = 5.0
    ) -> None:
        self._address = (host, port)
        self._login = {"Action": "Login", "Username": username, "Secret": secret, "Events": "on"}
        self._ping_s = ping_s
        self._action_s = action_s
        self._manager = LinkManager()
        self._protocol: LinkProtocol | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()
        self._on_connected: list[Callable[[], None]] = []

    @property
    def is_connected(self) -> bool:
        """Whether we are logged in."""
        return self._connected.is_set()

    def on_connected(self, callback: Callable[[], None]) -> None:
        """Call this after each log-in: events were missed meanwhile."""
        self._on_connected.append(callback)

    def on_event(self, name: str, callback: Callable[[Manager, Message], None]) -> None:
        """Call this with each event of a name ("OriginateResponse")."""
        self._manager.register_event(name, callback)

    def start(self) -> None:
        """Begin to connect, and stay connected until `aclose`."""
        if self._keeper is None:
            self._keeper = asyncio.get_running_loop().create_task(self._keep_connected())

    async def wait_connected(self, deadline_s: float) -> None:
        """Wait for the link. Raises SwitchUnavailable after the deadline."""
        try:
            async with asyncio.timeout(deadline_s):
                await self._connected.wait()
        except TimeoutError as error:
            raise SwitchUnavailable("no manager link to Asterisk") from error

    async def aclose(self) -> None:
        """Disconnect for good."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper

    async def send(
        self, action: Action, *, ends_with: str = "", changes: bool = True, longest_s: float | None = None
    ) -> list[Message]:
        """Send an action once; its response, and the events up to `ends_with`.

        Raises SwitchUnavailable if nothing was sent, or the action changes nothing; OutcomeUnknown if it was sent
        and no answer came; SwitchProtocolError if it cannot be encoded.
        """
        if self._protocol is None or not self.is_connected:
            raise SwitchUnavailable("no manager link to Asterisk")
        pending = PendingAction(action, ends_with, changes)
        return await self._ask(self._protocol, pending, longest_s or self._action_s)

    @staticmethod
    async def _ask(protocol: LinkProtocol, pending: PendingAction, longest_s: float) -> list[Message]:
        future = protocol.send(pending)
        timer = asyncio.get_running_loop().call_later(longest_s, pending.fail, "no answer in time")
        try:
            return cast("list[Message]", await future)
        finally:
            timer.cancel()
            protocol.forget(pending)

    async def _keep_connected(self) -> None:
        failures, told = 0, ""
        while True:
            try:
                protocol = await self._connect()
                failures, told = 0, ""
                await self._use(protocol)
            except (OSError, TimeoutError, SwitchError) as error:
                reason = str(error) or type(error).__name__
                if reason != told:  # "refused" while Asterisk starts is not the log-in that it refuses then
                    _log.warning("ami_not_connected", reason=reason)
                failures, told = failures + 1, reason
            await asyncio.sleep(_backoff_s(failures))

    async def _connect(self) -> LinkProtocol:
        """A connection that is logged in. Raises OSError, TimeoutError, SwitchError."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_S):
            _, protocol = await loop.create_connection(lambda: LinkProtocol(self._manager), *self._address)
        try:
            answer = await self._ask(protocol, PendingAction(self._login, changes=False), CONNECT_S)
            if answer[0].response != "Success":
                raise SwitchRefused("the manager log-in was refused")
        except BaseException:
            protocol.close()
            raise
        return protocol

    async def _use(self, protocol: LinkProtocol) -> None:
        """Be connected until the link is lost."""
        self._protocol = protocol
        self._connected.set()
        _log.info("ami_connected")
        try:
            for callback in self._on_connected:
                callback()
            await self._ping(protocol)
        finally:
            self._connected.clear()
            self._protocol = None
            protocol.close()
        _log.warning("ami_lost")

    async def _ping(self, protocol: LinkProtocol) -> None:
        """Until the link is lost. A ping unanswered when the next is due: the link is half open."""
        while True:
            await asyncio.wait([protocol.lost], timeout=self._ping_s)
            if protocol.lost.done():
                return
            try:
                await self._ask(protocol, PendingAction({"Action": "Ping"}, changes=False), self._ping_s)
            except SwitchUnavailable:
                return


def _backoff_s(failures: int) -> float:
    """Full jitter: workers that lost the link together do not come back together."""
    longest_s = min(BACKOFF_MAX_S, BACKOFF_MIN_S * 2 ** min(failures, 10))
    return random.uniform(BACKOFF_MIN_S, max(BACKOFF_MIN_S, longest_s))
