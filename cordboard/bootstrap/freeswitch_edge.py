"""FreeSWITCH as one of a worker's switches. Made by `edges` where the settings name it.

Unlike Asterisk it has a thread of its own here, does not bring a call to a worker that has ended elsewhere, and can
leave a caller behind with whom nothing is done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cordboard.bootstrap.configuration import Configuration
from cordboard.bootstrap.edges import Begin, Edge, OnPhone
from esl_apps.calls import CallServer
from esl_apps.events import EslEvent
from esl_apps.hub import EslHub
from esl_apps.rescue import rescue_callers
from esl_apps.server import Limits
from esl_apps.switch import FreeswitchSwitch


def open_freeswitch(configuration: Configuration, index: int, on_phone: OnPhone) -> Edge:
    """Its server of calls and its link, over one thread; neither listens or connects yet."""
    settings = configuration.settings
    socket, listener, hub = settings.freeswitch.event_socket, settings.listen.esl, EslHub()
    switch = FreeswitchSwitch(socket.host, socket.port, configuration.event_socket_secret, hub=hub)
    server = CallServer(
        listener.host,
        listener.port + index,
        on_phone,
        configuration.library,
        hub=hub,
        token=configuration.esl_token,
        recordings_root=configuration.voicemail_root,
        calls_root=configuration.recordings_root,
        limits=Limits(sessions=settings.max_calls),
        ringing=switch,
    )
    extras = FreeswitchExtras(hub, switch, server)
    return Edge("freeswitch", "ESL", "event_socket", listener, server, switch, server.hold_keys, extras)


@dataclass(frozen=True)
class FreeswitchExtras:
    """What only FreeSWITCH needs."""

    hub: EslHub
    switch: FreeswitchSwitch
    server: CallServer

    async def start(self) -> None:
        """Start the thread."""
        await self.hub.start()

    async def aclose(self) -> None:
        """End the thread."""
        await self.hub.aclose()

    async def rescue(self) -> None:
        """Fetch callers back whom nobody has any more."""
        await rescue_callers(self.switch)

    def hear_ends(self, is_ours: Callable[[], bool], begin: Begin) -> None:
        """Close the books of calls that end while no worker has them. Every worker hears of it, and one acts."""

        def hear(event: EslEvent) -> None:
            if is_ours():
                begin(self.server.take_ended(event))

        self.switch.on_left_alone(hear)
