"""Device strings and device states in Asterisk's words. Pure; used by `Dial` and by the switch."""

from __future__ import annotations

import re

from cordboard.telephony.ports import DeviceState

# One device and nothing else: "&" would ring a second one, "," begin Dial's options, "$" a substitution.
_ONE_DEVICE = re.compile(r"[A-Za-z0-9]+/[A-Za-z0-9_.+*#@/:-]{1,200}")

DEVICE_STATES: dict[str, DeviceState] = {
    "NOT_INUSE": DeviceState.IDLE,
    "INUSE": DeviceState.IN_USE,
    "BUSY": DeviceState.BUSY,
    "RINGING": DeviceState.RINGING,
    "RINGINUSE": DeviceState.RINGING,
    "ONHOLD": DeviceState.IN_USE,
    "UNAVAILABLE": DeviceState.UNAVAILABLE,
    "INVALID": DeviceState.UNAVAILABLE,
}


def is_one_device(text: str) -> bool:
    """Whether a text names exactly one device ("PJSIP/1001") and can do nothing else inside a dialplan."""
    return _ONE_DEVICE.fullmatch(text) is not None


def leg_names(device: str) -> str:
    """How the names of the channels begin that ring a device of a trunk: "PJSIP/trunk-" for "PJSIP/442079@trunk"
    and for "PJSIP/trunk/sip:442079@carrier". Of other technologies only the first word is sure.
    """
    technology, _, rest = device.partition("/")
    if technology != "PJSIP":
        return f"{technology}/"
    endpoint = rest.partition("/")[0] if "/" in rest else rest.rpartition("@")[2]
    return f"{technology}/{endpoint}-"


def device_state(word: str) -> DeviceState:
    """Our word for Asterisk's."""
    return DEVICE_STATES.get(word, DeviceState.UNKNOWN)
