"""The connections which FreeSWITCH makes, one for each call: accepted, asked whose call it is, told to asyncio.

They live in the hub thread; the server made one `SafeServer`, which makes a `SafeOutbound` for each connection.

    accepted -> `connect` and `linger` sent -> the channel has come: its events asked for -> asyncio told -> lost
                                            \\                                            \\-> silent -> lost
                                             \\-> nothing in time, or not a call: cut off, and nobody is told

The kernel accepts connections for a process that is stopped, too, and FreeSWITCH answers whenever it is asked. So a
worker that was stopped may be given a call which another has by then. What tells is the time: until the dialplan's
timer can have run out the call is ours, and if its events come by then, we hear of its leaving us.

The connection of a call that is another worker's stays open, and silent, until FreeSWITCH ends it: the end of any
of a channel's connections takes the channel out of the `socket` it is in, whosever it is (seen on FreeSWITCH 1.11).
"""

from __future__ import annotations

import re
import socket
import time
from typing import Any, Protocol

from greenswitch.esl import OutboundESLServer, OutboundSession

from cordboard.edge.waited import waited_s
from cordboard.errors import SwitchProtocolError, SwitchUnavailable
from esl_apps import commands, events, variables
from esl_apps.events import EslEvent
from esl_apps.hub import EslHub
from esl_apps.safe_esl import NOBODY, READ, SafeEvent, SafeProtocol, prepare

ACCEPT_AT_ONCE = 100
REST_S = 0.5
_LEG_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@~-]{0,127}")
BODY_MAX_BYTES = 1024 * 1024
LINGER_S = 5  # what follows a hang-up comes within 30 ms; a worker that hangs must not hold the channel for ever

TAKEN_WITHIN_S = variables.ACCEPT_S - variables.EARLY_S  # from when FreeSWITCH has connected; later is too late

_SESSION_EVENTS = (
    events.EXECUTED,
    events.HANGUP,
    events.HANGUP_COMPLETE,
    events.DTMF,
)  # what is seldom waited for is asked for then (`EslSession.ask_for`): each event wakes two threads


class SafeOutbound(SafeProtocol, OutboundSession):  # type: ignore[misc]
    """A connection which FreeSWITCH made for one call."""

    def __init__(self, hub: EslHub, sock: socket.socket, server: SafeServer) -> None:
        SafeProtocol.__init__(self, hub, BODY_MAX_BYTES)
        self.sock = sock
        self._server = server
        self.session_data: SafeEvent | None = None
        self.is_told = False  # whether asyncio knows of it
        self.owner: SessionOwner | None = None  # set in asyncio, before anything else is told it
        self.made_at = time.monotonic() - waited_s(sock)  # when FreeSWITCH connected, by `time.monotonic`

    def begin(self, connect_s: float) -> None:
        """Say hello. A peer that does not say whose call it is in time is cut off."""
        self.start_event_handlers()
        self._set_timer(connect_s, SwitchUnavailable("no call in time", switch="freeswitch"))
        self.register_handle("*", self.on_event)
        self.register_handle("DISCONNECT", self.on_disconnect)
        self.post(commands.CONNECT, self)
        self.post(commands.linger(LINGER_S), NOBODY)

    # `post` needs someone to take the answer to `connect`: it is this object itself.

    def set(self, value: SafeEvent) -> None:
        """The answer to `connect`: the channel. Ask for its events."""
        leg_id = value.leg_id
        if _LEG_ID.fullmatch(leg_id) is None:  # a filter takes "/", "+" and "-" in front for its own
            raise SwitchProtocolError("a connection for no call", switch="freeswitch")
        self.session_data = value
        self.post(commands.only("Unique-ID", leg_id), NOBODY)
        self.post(commands.listen(_SESSION_EVENTS), _Listening(self))

    def set_exception(self, exception: Exception) -> None:
        """No answer to `connect`; `on_lost` follows."""

    def begin_call(self) -> None:
        """From now on we hear what becomes of the channel. Give the call to asyncio, unless it is too late."""
        self._stop_timer()
        if time.monotonic() - self.made_at < TAKEN_WITHIN_S:
            self._server.on_connected(self)
        else:
            self._server.on_late(self)

    def fall_silent(self) -> None:
        """Stay connected until the call ends, and have nothing more to do with it."""
        if self._lingering:  # it has ended: its channel is kept for us
            self.let_go()
        elif self.connected:
            self.post(commands.DEAF, NOBODY)
            self._server.on_silent(self)

    def on_event(self, event: SafeEvent) -> None:
        self.hub.tell(self._hear, event)

    def on_disconnect(self, lingering: bool) -> None:
        if self in self._server.silent:
            self.let_go()
        elif lingering:
            self.hub.tell(self._hear_end)

    def on_lost(self, fault: Exception | None) -> None:
        self._server.on_lost(self, fault)

    # -- in asyncio --

    def _hear(self, event: SafeEvent) -> None:
        if self.owner is not None:
            self.owner.take(event)

    def _hear_end(self) -> None:
        if self.owner is not None:
            self.owner.take_end()


class _Listening:
    """Who takes the answer to `event`."""

    def __init__(self, line: SafeOutbound) -> None:
        self._line = line

    def set(self, value: SafeEvent) -> None:
        self._line.begin_call()

    def set_exception(self, exception: Exception) -> None:
        """No answer; `on_lost` follows."""


class SessionOwner(Protocol):
    """Whose connection it is, in asyncio."""

    def take(self, event: EslEvent) -> None:
        """An event."""

    def take_end(self) -> None:
        """The channel has ended."""


class ServerOwner(Protocol):
    """Whose server it is. Called in the hub thread, so it tells asyncio."""

    def connected(self, line: SafeOutbound) -> None: ...

    def lost(self, line: SafeOutbound, fault: Exception | None) -> None: ...

    def late(self, line: SafeOutbound) -> None: ...

    def failed(self, fault: Exception) -> None: ...


class SafeServer(OutboundESLServer):  # type: ignore[misc]
    """Takes the connections which FreeSWITCH makes, as they come."""

    def __init__(self, hub: EslHub, listener: socket.socket, owner: ServerOwner, limits: Any) -> None:
        super().__init__(*listener.getsockname()[:2], application=owner, max_connections=limits.sessions)
        self._hub = hub
        self.server = listener
        self._limits = limits
        self._watcher: Any = None
        self.unread: set[SafeOutbound] = set()  # who have not said whose call they are
        self.served: set[SafeOutbound] = set()
        self.silent: set[SafeOutbound] = set()  # whose call another worker has

    def listen(self) -> None:
        """Take what comes, from now on."""
        self._running = True
        self._hub.settle(self)
        self.resume()

    def stop(self) -> None:
        """Take no more. Calls that are with us stay."""
        self._running = False
        self.pause()
        self._hub.leave(self)
        self.server.close()
        for line in list(self.unread):
            line.lose(None)

    def pause(self) -> None:
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None

    def resume(self) -> None:
        if self._running and self._watcher is None:
            self._watcher = self._hub.loop.io(self.server.fileno(), READ)
            self._watcher.start(self._on_call)

    def evict(self, reason: Exception) -> tuple[Any, ...]:
        """The thread is gone; the listening socket is not, and the next thread takes it."""
        watcher, self._watcher = self._watcher, None
        return () if watcher is None else (watcher,)

    def on_connected(self, line: SafeOutbound) -> None:
        self.unread.discard(line)
        self.served.add(line)
        line.is_told = True
        self.application.connected(line)

    def on_late(self, line: SafeOutbound) -> None:
        """Another worker has the call, or will have it in a moment."""
        self.application.late(line)
        line.fall_silent()

    def on_silent(self, line: SafeOutbound) -> None:
        self.unread.discard(line)
        self.served.discard(line)
        self.silent.add(line)

    def on_lost(self, line: SafeOutbound, fault: Exception | None) -> None:
        for lines in (self.unread, self.served, self.silent):
            lines.discard(line)
        if line.is_told or isinstance(fault, SwitchProtocolError):
            self.application.lost(line, fault)

    def _on_call(self) -> None:
        for _ in range(ACCEPT_AT_ONCE):
            try:
                sock, _ = self.server.accept()
            except BlockingIOError:
                return
            except OSError as fault:
                self._rest(fault)
                return
            self._accept_call(sock)

    def _rest(self, fault: OSError) -> None:
        """Too many open files, for one: the same call would be offered again at once, and for ever."""
        self.application.failed(fault)
        self.pause()
        self._watcher = self._hub.loop.timer(REST_S)
        self._watcher.start(self._go_on)

    def _go_on(self) -> None:
        self.pause()
        self.resume()

    def _accept_call(self, session: socket.socket) -> None:
        here = len(self.served) + len(self.silent)
        if len(self.unread) >= self._limits.unread or here >= self.max_connections:
            session.close()
            return
        try:
            prepare(session)
        except OSError:  # it has left already
            session.close()
            return
        line = SafeOutbound(self._hub, session, self)
        self.unread.add(line)
        line.begin(self._limits.connect_s)
