"""The calls that FreeSWITCH brings to this process: each is given to the service as a `FreeswitchPhone`.

Called by the process that serves calls, like the server of the other edge. A connection that is not our dialplan's
costs one log line.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from cordboard.edge.hold_keys import KeyListeners
from cordboard.errors import SwitchError
from cordboard.telephony.ports import Phone, Sounds
from esl_apps.arrivals import arrival_of
from esl_apps.ended_calls import EndedCall
from esl_apps.events import EslEvent
from esl_apps.hub import EslHub
from esl_apps.phone import FreeswitchPhone, PhoneSettings
from esl_apps.ringing_agents import RingingSwitch, take_up
from esl_apps.server import EslServer, Limits
from esl_apps.session import EslSession

_log = structlog.get_logger(__name__)


class CallServer:
    """A listener and the calls it has brought."""

    def __init__(
        self,
        host: str,
        port: int,
        on_phone: Callable[[Phone], Awaitable[None]],
        sounds: Sounds,
        *,
        hub: EslHub,
        token: str = "",
        recordings_root: Path = Path("/var/spool/cordboard"),
        calls_root: Path = Path("/var/spool/cordboard/calls"),
        switch: str = "freeswitch",
        limits: Limits | None = None,
        hold_keys: KeyListeners | None = None,
        ringing: RingingSwitch | None = None,
    ) -> None:
        self._on_phone = on_phone
        self._token = token
        self._switch = switch
        # Each call's keys come on its own connection, so nobody else's can be heard. What is pressed while no keys
        # are offered goes nowhere.
        self.hold_keys = hold_keys or KeyListeners()
        self._settings = PhoneSettings(sounds, recordings_root, calls_root, self.hold_keys, ringing)
        self._server = EslServer(self._serve, host, port, hub=hub, limits=limits)

    async def start(self) -> None:
        """Listen. Raises OSError if the address is taken."""
        await self._server.start()

    @property
    def port(self) -> int:
        """The port we listen on; the real one if 0 was asked for."""
        return self._server.port

    @property
    def session_count(self) -> int:
        """How many calls are with us now."""
        return self._server.session_count

    def stop_accepting(self) -> None:
        """Close the listener: FreeSWITCH is refused at once and goes to the next worker. Calls with us stay."""
        self._server.stop_accepting()

    async def wait_idle(self, longest_s: float) -> bool:
        """Wait until no call is with us; False if some still are after `longest_s`."""
        return await self._server.wait_idle(longest_s)

    async def aclose(self, grace_s: float = 1.0) -> None:
        """Stop accepting, cancel the calls that are left (they go to other workers), wait until they are gone."""
        await self._server.aclose(grace_s)

    async def take_ended(self, last: EslEvent) -> None:
        """A call whose caller left while no worker had it. last: its CHANNEL_HANGUP_COMPLETE, from the link."""
        try:
            arrival = arrival_of(last, token=self._token, switch=self._switch, ended=True)
        except SwitchError as error:
            _log.warning("esl_call_refused", fault=str(error))
            return
        await self._on_phone(EndedCall(arrival))

    async def _serve(self, session: EslSession) -> None:
        """One call. Raises SwitchProtocolError, which the server notes, if it is not our dialplan's."""
        arrival = arrival_of(session.channel, token=self._token, switch=self._switch)
        phone = FreeswitchPhone(session, arrival, self._settings)
        try:
            served = await take_up(phone)
            if served is not None:
                await self._on_phone(served)
        finally:
            phone.close()
