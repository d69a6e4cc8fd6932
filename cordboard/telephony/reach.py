"""Which phones the callers of a switch can be joined to, and what is rung for it. Pure.

A phone belongs to one switch, and how it is written says to which: `PJSIP/1001` to Asterisk, `user/1001` and
`sofia/...` to FreeSWITCH. Callers on the other one reach it over a SIP trunk between the two, if there is one.
Asked when the configuration is loaded; what comes of it for agents is in `acd.model.Agent.ways`. Of what flows dial
it is asked in the call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cordboard.telephony.capabilities import SwitchName
from cordboard.telephony.dial_policy import DEVICE
from cordboard.telephony.verbs import DialTarget, OutsideNumber

EXTENSION = "{extension}"
"""Stands in the device of a trunk for the extension that is called on the other side."""

_OF_FREESWITCH = frozenset({"sofia", "user", "loopback", "verto", "freetdm"})
_ONE_EXTENSION = re.compile(r"[A-Za-z0-9_.+*#-]{1,64}")
_KEPT = "/n"  # of a Local channel
_EXAMPLES: Mapping[SwitchName, str] = {
    "asterisk": "PJSIP/{extension}@freeswitch",
    "freeswitch": "sofia/gateway/asterisk/{extension}",
}


def switch_of(device: str) -> SwitchName:
    """The switch that a device is written for."""
    return "freeswitch" if device.partition("/")[0].lower() in _OF_FREESWITCH else "asterisk"


def extension_of(device: str) -> str:
    """What the device is called by on its own switch: "1001" of "PJSIP/1001", of "user/1001@example.org" and of
    "sofia/internal/1001%pbx"; "" where that cannot be told.
    """
    rest = device.removesuffix(_KEPT).partition("/")[2]
    extension = rest.rpartition("/")[2].removeprefix("sip:").replace("%", "@").partition("@")[0]
    return extension if _ONE_EXTENSION.fullmatch(extension) else ""


@dataclass(frozen=True, slots=True)
class Reach:
    """switches: those that calls come in on; trunks: by switch, the device that reaches the phones of another one,
    with `EXTENSION` in it.
    """

    switches: tuple[SwitchName, ...] = ("asterisk",)
    trunks: Mapping[SwitchName, Mapping[SwitchName, str]] = field(default_factory=dict)

    def ways(self, device: str) -> dict[str, str]:
        """What rings a phone, by the switch of the caller. Where it is missing, the two cannot be joined."""
        found = {switch: self._way(switch, device) for switch in self.switches}
        return {switch: way for switch, way in found.items() if way}

    def rings(self, switch: SwitchName, device: str, *, is_outside: bool = False) -> bool:
        """Whether a caller of this switch can be joined to a device. is_outside: it is a number of the telephone
        network, which only the switch whose carrier it is dials.
        """
        return switch_of(device) == switch if is_outside else bool(self._way(switch, device))

    def rung_from(self, switch: str, target: DialTarget) -> DialTarget | None:
        """The target, with what rings it for a caller of this switch; None if nothing does. For a switch that is
        none of ours, a simulated one, all is as it was written.
        """
        known = next((one for one in self.switches if one == switch), None)
        if known is None:
            return target
        if isinstance(target, OutsideNumber):
            return target if self.rings(known, target.device, is_outside=True) else None
        way = self._way(known, target.device)
        return replace(target, device=way) if way else None

    def _way(self, switch: SwitchName, device: str) -> str:
        own = switch_of(device)
        if own == switch:
            return device
        extension = extension_of(device)
        return self.trunks.get(switch, {}).get(own, "").replace(EXTENSION, extension) if extension else ""


def bad_trunk(switch: SwitchName, other: SwitchName, device: str) -> tuple[str, str] | None:
    """What is wrong with the device by which a switch rings the phones of another one, and how to mend it."""
    example = _EXAMPLES[switch]
    if switch == other:
        return f"{switch} needs no trunk to its own phones", "take it out"
    if device.count(EXTENSION) != 1 or not DEVICE.fullmatch(device.replace(EXTENSION, "1")):
        return f"`{device}` is no device with {EXTENSION} in it", f"write for instance {example}"
    if switch_of(device) != switch:
        return f"`{device}` is no device of {switch}", f"write for instance {example}"
    return None
