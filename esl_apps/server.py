"""The server of outbound event sockets: listens, and gives each call that FreeSWITCH brings to the service.

Called by the process that serves calls. One task per call. A peer that connects and leaves (a health check, a port
scan), or says nothing, is normal and silent; one that breaks the protocol costs one log line and its connection, as
does a call that has waited for us so long that another worker has it.

The socket is bound here, so that a taken address is an error of `start`; calls are accepted in the hub thread.
Should that thread fail, its calls go on in the dialplan, and the next thread accepts on the same socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from cordboard.errors import SwitchError, SwitchProtocolError
from esl_apps.hub import EslHub
from esl_apps.safe_calls import SafeOutbound, SafeServer
from esl_apps.session import CallerGone, EslSession

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server puts up with. Beyond them a connection is closed, and the dialplan tries the next worker."""

    sessions: int = 5000
    unread: int = 500  # connections that have not said whose call they are
    connect_s: float = 5.0  # until they have, however it drips
    backlog: int = 4096


class EslServer:
    """A listener and the calls it has brought."""

    def __init__(
        self,
        on_session: Callable[[EslSession], Awaitable[None]],
        host: str,
        port: int,
        *,
        hub: EslHub,
        limits: Limits | None = None,
    ) -> None:
        self._on_session = on_session
        self._address = (host, port)
        self._hub = hub
        self._limits = limits or Limits()
        self._acceptor: SafeServer | None = None
        self._sessions: dict[SafeOutbound, EslSession] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. Raises OSError if the address is taken."""
        self._loop = asyncio.get_running_loop()
        infos = await self._loop.getaddrinfo(*self._address, type=socket.SOCK_STREAM)
        listener = socket.create_server(self._address, family=infos[0][0], backlog=self._limits.backlog)
        listener.setblocking(False)
        self._address = listener.getsockname()[:2]
        self._acceptor = SafeServer(self._hub, listener, self, self._limits)
        self._hub.on_restart(self._listen)
        self._listen()

    @property
    def port(self) -> int:
        """The port we listen on; the real one if 0 was asked for."""
        return self._address[1]

    @property
    def session_count(self) -> int:
        """How many calls are with us now."""
        return len(self._tasks)

    def stop_accepting(self) -> None:
        """Close the listener: FreeSWITCH is refused at once and goes to the next worker. Calls with us stay."""
        acceptor, self._acceptor = self._acceptor, None
        if acceptor is not None and not self._hub.call(acceptor.stop):
            acceptor.server.close()

    async def wait_idle(self, longest_s: float) -> bool:
        """Wait until no call is with us; False if some still are after `longest_s`."""
        if not self._tasks:
            return True
        _, left = await asyncio.wait(list(self._tasks), timeout=longest_s)
        return not left

    async def aclose(self, grace_s: float = 1.0) -> None:
        """Stop accepting, cancel the calls that are left (they go to other workers), wait until they are gone."""
        self.stop_accepting()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=grace_s)
        for line in self._sessions:
            self._hub.call(line.let_go)
        ends = [session.lost for session in self._sessions.values()]
        if ends:
            await asyncio.wait(ends, timeout=grace_s)

    # -- in the hub thread --

    def connected(self, line: SafeOutbound) -> None:
        self._hub.tell(self._begin, line)

    def lost(self, line: SafeOutbound, fault: Exception | None) -> None:
        self._hub.tell(self._end, line, fault)

    def late(self, line: SafeOutbound) -> None:
        self._hub.tell(self._note_late, line)

    def failed(self, fault: Exception) -> None:
        self._hub.tell(self._note_failed, fault)

    # -- in asyncio --

    def _listen(self) -> None:
        if self._acceptor is not None:
            self._hub.call(self._acceptor.listen)

    def _begin(self, line: SafeOutbound) -> None:
        session = EslSession(line, self._hub, self._loop)
        line.owner = session
        self._sessions[line] = session
        task = self._loop.create_task(self._serve(session))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _end(self, line: SafeOutbound, fault: Exception | None) -> None:
        session = self._sessions.pop(line, None)
        if session is not None:
            session.take_loss(fault)
        if isinstance(fault, SwitchProtocolError):
            _log.warning("esl_protocol_broken", fault=str(fault))

    def _note_late(self, line: SafeOutbound) -> None:
        """Said once for each call: this worker hung, or has more to do than it can."""
        leg_id = "" if line.session_data is None else line.session_data.leg_id
        _log.warning("esl_call_too_late", leg_id=leg_id, waited_s=round(time.monotonic() - line.made_at, 1))

    def _note_failed(self, fault: Exception) -> None:
        _log.error("esl_calls_not_accepted", fault=repr(fault))

    async def _serve(self, session: EslSession) -> None:
        """One call. Whatever the service does or fails to do, FreeSWITCH gets the call back in the end."""
        try:
            with contextlib.suppress(CallerGone):
                await self._on_session(session)
        except SwitchError as error:
            _log.warning("esl_call_lost", leg_id=session.leg_id, reason=str(error))
        except Exception:
            _log.exception("esl_call_failed", leg_id=session.leg_id)
        finally:
            session.close()
