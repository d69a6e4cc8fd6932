"""The FastAGI server: listens, reads who is calling, gives each call to the service as an `AsteriskPhone`.

Called by the process that serves calls. One task per call and none per command. A peer that connects and leaves (a
health check, a port scan) is normal and silent; one that breaks the protocol costs one log line and its connection,
as does a call that has waited for us, because we hung, so long that the dialplan has given it to another worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from agi_scripts.arrivals import arrival_of
from agi_scripts.environment import Environment
from agi_scripts.link import AgiLink
from agi_scripts.phone import ACCEPT_S, AsteriskPhone, PhoneSettings
from cordboard.errors import SwitchError, SwitchProtocolError
from cordboard.telephony.ports import Sounds

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server puts up with. Beyond them a connection is closed, and the dialplan tries the next worker."""

    unread_headers: int = 500  # connections that have not said who they are
    header_s: float = 5.0  # for the whole block, however it drips
    backlog: int = 4096  # a full backlog costs a caller 2.2 s of silence: Asterisk's connect time-out


class _Refusal(asyncio.Protocol):
    """What a connection gets that is one too many: its end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class AgiServer:
    """A listener and the calls it has brought."""

    def __init__(
        self,
        host: str,
        port: int,
        on_phone: Callable[[AsteriskPhone], Awaitable[None]],
        sounds: Sounds,
        *,
        token: str = "cordboard",  # noqa: S107 (a mark, until an admin renders one of their own)
        recordings_root: Path = Path("/var/spool/cordboard"),
        calls_root: Path = Path("/var/spool/cordboard/calls"),
        switch: str = "asterisk",
        max_sessions: int = 5000,
        limits: Limits | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._on_phone = on_phone
        self._settings = PhoneSettings(sounds, recordings_root, calls_root)
        self._token = token
        self._switch = switch
        self._max_sessions = max_sessions
        self._limits = limits or Limits()
        self._listener: asyncio.Server | None = None
        self._unread: set[AgiLink] = set()
        self._sessions: dict[AgiLink, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Listen. Raises OSError if the address is taken."""
        self._loop = asyncio.get_running_loop()
        self._listener = await self._loop.create_server(
            self._new_link, self._host, self._port, backlog=self._limits.backlog
        )
        self._port = self._listener.sockets[0].getsockname()[1]

    @property
    def port(self) -> int:
        """The port we listen on; the real one if 0 was asked for."""
        return self._port

    @property
    def session_count(self) -> int:
        """How many calls are with us now."""
        return len(self._sessions)

    def stop_accepting(self) -> None:
        """Close the listener: Asterisk is refused at once and goes to the next worker. Calls with us stay."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def wait_idle(self, longest_s: float) -> bool:
        """Wait until no call is with us; False if some still are after `longest_s`."""
        if not self._sessions:
            return True
        _, left = await asyncio.wait(list(self._sessions.values()), timeout=longest_s)
        return not left

    async def aclose(self, grace_s: float = 1.0) -> None:
        """Stop accepting, cancel the calls that are left (they go to other workers), wait until they are gone."""
        self.stop_accepting()
        for link in list(self._unread):
            link.close()
        tasks = list(self._sessions.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=grace_s)

    def _new_link(self) -> asyncio.Protocol:
        if len(self._unread) >= self._limits.unread_headers or len(self._sessions) >= self._max_sessions:
            return _Refusal()
        link = AgiLink(self._loop, self._on_header, self._on_closed, self._limits.header_s)
        self._unread.add(link)
        return link

    def _on_header(self, link: AgiLink, environment: Environment) -> None:
        """Runs inside the link's `data_received`: a SwitchProtocolError from here closes the link."""
        arrival = arrival_of(environment, token=self._token, switch=self._switch)
        self._unread.discard(link)
        if self._loop.time() > link.made_at + ACCEPT_S and not arrival.ended:
            _log.warning("agi_call_too_late", waited_s=round(self._loop.time() - link.made_at, 1))
            link.close()
            return
        phone = AsteriskPhone(link, arrival, environment.language, self._settings, self._loop)
        task = self._loop.create_task(self._serve(link, phone))
        self._sessions[link] = task
        task.add_done_callback(lambda _: self._sessions.pop(link, None))

    def _on_closed(self, link: AgiLink, fault: Exception | None) -> None:
        self._unread.discard(link)
        if isinstance(fault, SwitchProtocolError):
            _log.warning("agi_protocol_broken", fault=str(fault))

    async def _serve(self, link: AgiLink, phone: AsteriskPhone) -> None:
        """One call. Whatever the service does or fails to do, Asterisk gets the call back in the end."""
        try:
            await self._on_phone(phone)
        except SwitchError as error:
            _log.warning("agi_call_lost", call_id=phone.arrival.call.call_id, reason=str(error))
        except Exception:
            _log.exception("agi_call_failed", call_id=phone.arrival.call.call_id)
        finally:
            link.close()
