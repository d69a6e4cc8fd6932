"""Ringing an agent for a caller who waits. Called by the phone.

Like `handing_over`: we write what is to be done on the channel and let go. The dialplan rings the agent while the
caller hears music, plays the whisper, asks for the accept key and joins the two; no worker is needed for any of it,
nor for the conversation. What came of it arrives with the call (`agent_results`).
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import structlog

from agi_scripts import variables
from agi_scripts.devices import is_one_device
from agi_scripts.playing import is_music_class
from cordboard.errors import SwitchProtocolError
from cordboard.telephony.outcomes import HandedOver
from cordboard.telephony.verbs import KEYS, MAX_TARGETS, AgentPhone, RingAgent

if TYPE_CHECKING:
    from agi_scripts.phone import AsteriskPhone

OFFER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

_PATH = re.compile(r"/[^,&^;~:\\\"'()\[\]{}|$\r\n\0]+")  # one file, whatever the dialplan does with the text
_log = structlog.get_logger(__name__)


async def ring_agent(phone: AsteriskPhone, verb: RingAgent) -> HandedOver:
    """Ring a device. Raises SwitchProtocolError on what is no offer, device, key or music class.

    Without a sound for the whisper it rings all the same: the caller must not wait for want of that.
    """
    _check(verb)
    return await phone.hand_to_dialplan(
        _whom(verb)
        | {
            variables.RING_S: str(max(1, math.ceil(verb.ring_s))),
            variables.MUSIC: verb.music,
            variables.WHISPER: _whisper_path(phone, verb),
            variables.ACCEPT_KEY: verb.accept_key,
            variables.ACCEPT_S: f"{max(0.1, verb.accept_s):.1f}",
            variables.STUCK: "0",
        }
    )


def _whom(verb: RingAgent) -> dict[str, str]:
    """One phone, which the caller's leg dials itself, or several, each behind a leg of its own."""
    if not verb.also:
        return {variables.NEXT: "agent", variables.OFFER: verb.offer_id, variables.DEVICE: verb.device}
    whom = {variables.NEXT: "agents", variables.PHONES: str(len(verb.also) + 1)}
    for number, phone in enumerate(_phones(verb), 1):
        whom[f"{variables.PHONE_OF}{number}"] = phone.device
        whom[f"{variables.OFFER_OF}{number}"] = phone.offer_id
    return whom


def _phones(verb: RingAgent) -> tuple[AgentPhone, ...]:
    return (AgentPhone(verb.offer_id, verb.device), *verb.also)


def _check(verb: RingAgent) -> None:
    phones = _phones(verb)
    if not all(OFFER_ID.fullmatch(phone.offer_id) for phone in phones):
        raise SwitchProtocolError("an offer id that is none of ours")
    if not all(is_one_device(phone.device) for phone in phones):
        raise SwitchProtocolError("an agent's device that is not one device")
    if len(phones) > MAX_TARGETS:
        raise SwitchProtocolError("more agents' phones at once than are rung")
    if not is_music_class(verb.music):
        raise SwitchProtocolError("not the name of a music class")
    if verb.accept_key and verb.accept_key not in tuple(KEYS):
        raise SwitchProtocolError("an accept key that is not one key")


def _whisper_path(phone: AsteriskPhone, verb: RingAgent) -> str:
    """The path of the whisper, "" for none."""
    if verb.whisper is None:
        return ""
    sound = phone.settings.sounds.find(verb.whisper)
    if sound is not None and _PATH.fullmatch(sound.path):
        return sound.path
    _log.warning("whisper_missing", prompt=f"{verb.whisper.flow}/{verb.whisper.name}", found=sound is not None)
    return ""
