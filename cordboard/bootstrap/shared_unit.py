"""The systemd unit that the installations for Asterisk and for FreeSWITCH share, as one service has both switches.

Called by both. Which switches the service has is known from `switches:` of the settings alone; in which directories
the files of the other one stand, nobody has noted.
"""

from __future__ import annotations

from pathlib import Path

from cordboard.errors import ConfigurationError
from cordboard.settings import load_settings
from cordboard.telephony.capabilities import SwitchName

UNIT = "cordboard.service"


def still_served(config: Path, without: SwitchName) -> tuple[SwitchName, ...]:
    """The switches that the service has besides one whose files go, so that the unit stays.

    Empty if the settings cannot be read: no fault in them keeps our files in a switch.
    """
    return tuple(name for name in _switches(config) if name != without)


def unit_after_removal(config: Path, without: SwitchName) -> list[str]:
    """What is to be done about the unit when the files of one switch are gone."""
    if not (others := still_served(config, without)):
        return ["systemctl stop cordboard; systemctl disable cordboard; systemctl daemon-reload"]
    stays = f"{UNIT} stays: {config / 'cordboard.yaml'} says `switches: [{', '.join(_switches(config))}]`."
    if without not in _switches(config):
        return [stays]
    return [stays, f"Write `switches: [{', '.join(others)}]` there, then: systemctl restart cordboard"]


def not_named(config: Path, switch: SwitchName) -> list[str]:
    """What is left to do where the service takes no calls of the switch that it was installed for."""
    if switch in _switches(config):
        return []
    return [f"In {config / 'cordboard.yaml'} write `switches: [{switch}]`, or both: calls of it are not taken yet."]


def installed_for(config: Path) -> SwitchName:
    """The switch that is meant where none is named: Asterisk, unless the settings have FreeSWITCH alone."""
    return "freeswitch" if _switches(config) == ("freeswitch",) else "asterisk"


def _switches(config: Path) -> tuple[SwitchName, ...]:
    """Those that the settings name; none if the settings cannot be read."""
    try:
        return load_settings(config)[0].switches
    except ConfigurationError:
        return ()
