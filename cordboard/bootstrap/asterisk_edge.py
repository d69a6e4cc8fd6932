"""Asterisk as one of a worker's switches. Made by `edges` where the settings name it."""

from __future__ import annotations

from agi_scripts.server import AgiServer
from agi_scripts.switch import AsteriskSwitch
from cordboard.bootstrap.configuration import Configuration
from cordboard.bootstrap.edges import Edge, OnPhone


def open_asterisk(configuration: Configuration, index: int, on_phone: OnPhone) -> Edge:
    """Its server of calls and its link; neither listens or connects yet."""
    settings = configuration.settings
    ami, listener = settings.asterisk.ami, settings.listen.agi
    switch = AsteriskSwitch(ami.host, ami.port, ami.user, configuration.ami_secret, token=configuration.agi_token)
    server = AgiServer(
        listener.host,
        listener.port + index,
        on_phone,
        configuration.library,
        token=configuration.agi_token,
        recordings_root=configuration.voicemail_root,
        calls_root=configuration.recordings_root,
        max_sessions=settings.max_calls,
    )
    return Edge("asterisk", "AGI", "ami", listener, server, switch, switch.hold_keys)
