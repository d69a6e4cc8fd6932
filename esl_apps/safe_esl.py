"""greenswitch's classes, made safe from outside. They live in the hub thread; sessions and the link use them.

From greenswitch 0.0.19 come the event type, the rule that answers come in the order of the commands, the registry
of handlers by event, the log-in, and the shapes of a session and of a server. What is replaced, because it was seen
to fail: a whole body was decoded before it was cut into lines, so a caller's name could become headers; a command
could hold an empty line and so a second command; `send` waited for ever; the end of the stream inside a body span;
any length was believed; every connection cost two greenlets and a poll each second; new calls were polled for every
100 ms, and the 101st was refused.

One connection is one socket and one watcher in the hub. Nothing in here waits but `send`, for those who have a
greenlet of their own.

    open -> closing (`let_go`: we said `exit` and read to the end) -> lost
        \\-> lost (the stream ended, a fault, a bound, no answer in time)
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, cast

import gevent
from gevent.event import AsyncResult
from greenswitch.esl import ESLEvent, ESLProtocol, NotConnectedError

from cordboard.errors import OutcomeUnknown, SwitchError, SwitchProtocolError, SwitchRefused, SwitchUnavailable
from esl_apps import commands, messages
from esl_apps.events import EslEvent, parts_of
from esl_apps.hub import EslHub
from esl_apps.messages import Message, MessageSplitter

READ_BYTES = 256 * 1024
UNSENT_MAX_BYTES = 1024 * 1024
PENDING_MAX = 1000  # commands without an answer; more means a FreeSWITCH that is stuck, or a caller gone wild
ANSWER_S = 5.0
GOODBYE_S = 2.0  # FreeSWITCH answers `exit` and closes within 20 ms

KEEPALIVE = ((socket.TCP_KEEPIDLE, 15), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))  # 30 s to notice
READ, WRITE = 1, 2  # libev's words


class SafeEvent(EslEvent, ESLEvent):  # type: ignore[misc]  # greenswitch has no types
    """greenswitch's event, whose headers are cut before they are decoded, and decoded when they are read."""

    data: str = ""

    @property
    def headers(self) -> SafeEvent:
        """Itself: it is a mapping of its headers."""
        return self

    def parse_data(self, data: object) -> None:
        """Not here: an event is made whole. Raises SwitchProtocolError."""
        raise SwitchProtocolError("an event is not parsed twice", switch="freeswitch")


class Answer(Protocol):
    """Who waits for the answer to a command. gevent's AsyncResult is one."""

    def set(self, value: SafeEvent) -> None: ...

    def set_exception(self, exception: Exception) -> None: ...


class ToAsyncio:
    """An answer, or why none came, that is told to asyncio. only_faults: where all is well it need not know."""

    __slots__ = ("_function", "_hub", "_only_faults")

    def __init__(self, hub: EslHub, function: Callable[[SafeEvent | Exception], None], only_faults: bool) -> None:
        self._hub = hub
        self._function = function
        self._only_faults = only_faults

    def set(self, value: SafeEvent) -> None:
        if not (self._only_faults and value.data.startswith("+OK")):
            self._hub.tell(self._function, value)

    def set_exception(self, exception: Exception) -> None:
        self._hub.tell(self._function, exception)


class _Nobody:
    """Who does not care for the answer."""

    def set(self, value: SafeEvent) -> None:
        pass

    def set_exception(self, exception: Exception) -> None:
        pass


NOBODY = _Nobody()


def prepare(sock: socket.socket) -> None:
    """Let a socket not wait, write at once, and notice a machine that has vanished. Raises OSError."""
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in KEEPALIVE:
        sock.setsockopt(socket.IPPROTO_TCP, option, value)


class SafeProtocol(ESLProtocol):  # type: ignore[misc]
    """One connection. Everything in it is called in the hub thread, `evict` apart."""

    def __init__(self, hub: EslHub, body_max_bytes: int) -> None:
        ESLProtocol.__init__(self)
        self._commands_sent: deque[Answer] = deque()
        self.hub = hub
        self.sock: socket.socket | None = None
        self._splitter = MessageSplitter(body_max_bytes)
        self._unsent = bytearray()
        self._reader: Any = None
        self._writer: Any = None
        self._timer: Any = None
        self._closing = False

    # -- what sessions and the link use --

    def post(self, line: bytes, answer: Answer) -> None:
        """Write a command. `answer` gets its reply, or why there will be none."""
        if not self.connected or self._closing:
            answer.set_exception(SwitchUnavailable("the event socket is closed", switch="freeswitch"))
            return
        if len(self._commands_sent) >= PENDING_MAX:
            answer.set_exception(SwitchUnavailable("FreeSWITCH does not keep up", switch="freeswitch"))
            return
        self._commands_sent.append(answer)
        self._write(line)

    def let_go(self) -> None:
        """Close once FreeSWITCH has read all that was sent. What it still says is not listened to."""
        if self.connected and not self._closing:
            self.post(commands.EXIT, NOBODY)
            self._closing = True
            if self.connected:
                self._set_timer(GOODBYE_S, None)

    def lose(self, fault: Exception | None) -> None:
        """Close at once, and tell everybody who waits. fault: None where the stream just ended."""
        if self.sock is not None:
            self.connected = False
            for watcher in (self._reader, self._writer, self._timer):
                if watcher is not None:
                    watcher.close()
            self._reader = self._writer = self._timer = None
            self.hub.leave(self)
            self._end(fault)

    def evict(self, reason: Exception) -> tuple[Any, ...]:
        """The thread is gone; see `Tenant`."""
        self.connected = False
        watchers = tuple(one for one in (self._reader, self._writer, self._timer) if one is not None)
        self._reader = self._writer = self._timer = None
        self._end(reason)
        return watchers

    def on_lost(self, fault: Exception | None) -> None:
        """The connection has ended. Called once."""

    # -- gevent's side --

    def start_event_handlers(self) -> None:
        """Begin to read. There is no second queue of events, so no greenlet to empty it."""
        assert self.sock is not None
        self.connected = True
        self._reader = self.hub.loop.io(self.sock.fileno(), READ)
        self._reader.start(self._on_readable)
        self.hub.settle(self)

    def pause(self) -> None:
        if self._reader is not None:
            self._reader.stop()

    def resume(self) -> None:
        if self._reader is not None and not self._reader.active:
            self._reader.start(self._on_readable)

    def send(self, data: str) -> SafeEvent:
        """Write a command and wait for its reply. Only in a greenlet. Raises NotConnectedError, SwitchError."""
        answer = AsyncResult()
        self.post((commands.checked(data) + "\n\n").encode(), answer)
        try:
            return cast(SafeEvent, answer.get(timeout=ANSWER_S))
        except gevent.Timeout as timeout:
            self.lose(SwitchUnavailable("FreeSWITCH did not answer in time", switch="freeswitch"))
            raise NotConnectedError("no answer in time") from timeout

    def receive_events(self) -> None:
        """greenswitch's loop of its first greenlet. Not used: `_on_readable` takes what comes."""

    def process_events(self) -> None:
        """greenswitch's loop of its second greenlet. Not used: an event is handled when it is read."""

    def handle_event(self, event: Message) -> None:
        """One message: an answer goes to who waits longest, an event to who registered for it."""
        kind = event.kind
        if kind == messages.COMMAND_REPLY:
            reply = SafeEvent(event.headers.block)
            reply.data = reply.get("Reply-Text", "")
            self._answer(reply)
        elif kind.startswith("text/event-"):
            self.dispatch(SafeEvent(*parts_of(event)))
        elif kind == messages.API_RESPONSE:
            reply = SafeEvent(event.headers.block, event.body)
            reply.data = reply.text
            self._answer(reply)
        elif kind == messages.DISCONNECT_NOTICE:
            self._lingering = event.headers.get("Content-Disposition") == "linger"
            self.dispatch_notice()
        elif kind == messages.AUTH_REQUEST:
            self._auth_request_event.set()
        elif kind == messages.RUDE_REJECTION:
            raise SwitchRefused("FreeSWITCH's access list does not admit this worker", switch="freeswitch")

    def dispatch(self, event: SafeEvent) -> None:
        """Call who registered for the event, or for all ("*")."""
        name = event.name
        if name == "CUSTOM":
            name = f"CUSTOM {event.subclass}"
        for handler in self.event_handlers.get(name) or self.event_handlers.get("*", ()):
            handler(event)

    def dispatch_notice(self) -> None:
        """FreeSWITCH says that the channel has ended (`_lingering`), or that it will close."""
        for handler in self.event_handlers.get("DISCONNECT", ()):
            handler(self._lingering)

    def stop(self) -> None:
        """As greenswitch's, without its waiting."""
        self.let_go()

    # -- inside --

    def _on_readable(self) -> None:
        """The hub's call. Whatever is wrong with what came ends this connection, and no other."""
        try:
            self._read()
        except SwitchError as fault:
            self.lose(fault)
        except OSError as fault:
            self.lose(fault)
        except Exception as fault:
            self.lose(SwitchProtocolError(f"cannot be handled: {fault!r}", switch="freeswitch"))

    def _read(self) -> None:
        if self.sock is None:
            return
        try:
            data = self.sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            self.lose(None)
        elif not self._closing:
            for message in self._splitter.feed(data):
                self.handle_event(message)

    def _answer(self, reply: SafeEvent) -> None:
        if not self._commands_sent:
            raise SwitchProtocolError("an answer to no command", switch="freeswitch")
        self._commands_sent.popleft().set(reply)

    def _write(self, data: bytes) -> None:
        """Without waiting; what the kernel does not take now follows when it does."""
        assert self.sock is not None
        sent = 0
        if not self._unsent:
            try:
                sent = self.sock.send(data)
            except BlockingIOError:
                sent = 0
            except OSError as fault:
                self.lose(fault)
                return
        if sent < len(data):
            self._write_later(data[sent:])

    def _write_later(self, data: bytes) -> None:
        self._unsent += data
        if len(self._unsent) > UNSENT_MAX_BYTES:
            self.lose(SwitchUnavailable("FreeSWITCH does not read", switch="freeswitch"))
        elif self._writer is None and self.sock is not None:
            self._writer = self.hub.loop.io(self.sock.fileno(), WRITE)
            self._writer.start(self._on_writable)

    def _on_writable(self) -> None:
        assert self.sock is not None
        try:
            del self._unsent[: self.sock.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError as fault:
            self.lose(fault)
            return
        if not self._unsent:
            self._writer.close()
            self._writer = None

    def _set_timer(self, longest_s: float, fault: Exception | None) -> None:
        """End the connection after so long, unless `_stop_timer` comes first."""
        self._stop_timer()
        self._timer = self.hub.loop.timer(longest_s)
        self._timer.start(self.lose, fault)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.close()
            self._timer = None

    def _end(self, fault: Exception | None) -> None:
        sock, self.sock = self.sock, None
        if sock is None:
            return
        sock.close()
        self.on_lost(fault)
        loss = OutcomeUnknown("the event socket was lost before the answer", switch="freeswitch")
        loss.__cause__ = fault
        while self._commands_sent:
            self._commands_sent.popleft().set_exception(loss)
