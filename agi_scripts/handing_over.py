"""Verbs the dialplan carries out by itself, so that ringing and conversation do not depend on any worker.

We write what to do, with the checkpoint, in one line, and let go; the dialplan comes back to any worker with the
result (`arrivals`), or, after a transfer, not at all. Called by the phone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agi_scripts import commands, variables
from agi_scripts.devices import is_one_device, leg_names
from agi_scripts.screening import screen_sounds
from cordboard.edge.telephone_numbers import shown_number
from cordboard.errors import SwitchProtocolError
from cordboard.telephony.outcomes import Failed, HandedOver, NotConnected, Transferred
from cordboard.telephony.verbs import (
    MAX_TARGETS,
    Destination,
    Dial,
    DialTarget,
    OutsideNumber,
    Transfer,
    VoicemailBox,
)

if TYPE_CHECKING:
    from agi_scripts.phone import AsteriskPhone

TRANSFER_RING_S = 60.0  # as long as people let it ring

_MAILBOX = re.compile(r"[A-Za-z0-9_.-]{1,80}(@[A-Za-z0-9_.-]{1,80})?")
_PLACE = re.compile(r"([A-Za-z0-9_.-]{1,80}),([A-Za-z0-9_.*#+-]{1,80}),([0-9]{1,4})")
_OUR_TRANSFERS = "cordboard-call,away,1"  # a dialplan without it was written by an earlier release
_IS_NOT = "(0)"


async def dial(phone: AsteriskPhone, verb: Dial) -> HandedOver | Failed:
    """Ring one device or several. Raises SwitchProtocolError if a target is not exactly one device."""
    ringing = _ringing(verb.targets, verb.ring_s)
    screen = await screen_sounds(phone, verb.screen)
    if isinstance(screen, Failed):
        return screen
    is_group_at_once = len(verb.targets) > 1 and not verb.in_order
    if screen and is_group_at_once:
        ringing |= _screened_apart(ringing[variables.DEVICE], screen)
    else:
        ringing |= {variables.SCREEN: screen, variables.SCREENED: "", variables.SCREENED_BY: ""}
    in_order = "1" if verb.in_order else ""
    return await phone.hand_to_dialplan(ringing | {variables.NEXT: "dial", variables.IN_ORDER: in_order})


async def leave_voicemail(phone: AsteriskPhone, verb: VoicemailBox) -> HandedOver:
    """Give the call to Asterisk's voicemail. Raises SwitchProtocolError on a mailbox that is no mailbox's name."""
    if not _MAILBOX.fullmatch(verb.mailbox):
        raise SwitchProtocolError("a mailbox name with characters no mailbox has")
    return await phone.hand_to_dialplan({variables.NEXT: "voicemail", variables.MAILBOX: verb.mailbox})


async def transfer(phone: AsteriskPhone, verb: Transfer) -> Transferred | NotConnected | Failed:
    """Let go for good, if the dialplan has the place. Raises SwitchProtocolError on what is no place or device."""
    to = verb.destination
    where = _place(to) if isinstance(to, Destination) else _ringing((to,), TRANSFER_RING_S)
    if not await _is_in_dialplan(phone, _OUR_TRANSFERS):
        return Failed("the dialplan knows no transfers yet: run `cordboard install-dialplan` again")
    if isinstance(to, Destination) and not await _is_in_dialplan(phone, to.place):
        return NotConnected("unreachable")
    await phone.hand_to_dialplan({variables.TO_CONTEXT: "", variables.DONE: variables.AWAY} | where)
    return Transferred()


def _ringing(targets: Sequence[DialTarget], ring_s: float) -> dict[str, str]:
    """Who is rung, for how long, and what a trunk shows as the caller's number."""
    if not 1 <= len(targets) <= MAX_TARGETS or not all(is_one_device(target.device) for target in targets):
        raise SwitchProtocolError("a dial target that is not one device")
    shown = next((one for one in targets if isinstance(one, OutsideNumber) and one.caller_id), None)
    return {
        variables.DEVICE: "&".join([target.device for target in targets]),
        variables.RING_S: str(max(1, math.ceil(ring_s))),
        variables.CALLER_ID: shown_number(shown.caller_id) if shown else "",
        variables.CALLER_ID_OF: leg_names(shown.device) if shown else "",
    }


def _screened_apart(devices: str, screen: str) -> dict[str, str]:
    """Each phone behind a leg of our own that is answered only by pressing 1, so that the others ring till then."""
    numbers = range(1, devices.count("&") + 2)
    return {
        variables.DEVICE: "&".join([f"Local/{number}@cordboard-screened/n" for number in numbers]),
        variables.SCREEN: "",
        variables.SCREENED: devices,
        variables.SCREENED_BY: screen,
    }


def _place(destination: Destination) -> dict[str, str]:
    found = _PLACE.fullmatch(destination.place)
    if found is None:
        raise SwitchProtocolError("a destination that is no context,extension,priority")
    return dict(
        zip((variables.TO_CONTEXT, variables.TO_EXTENSION, variables.TO_PRIORITY), found.groups(), strict=True)
    )


async def _is_in_dialplan(phone: AsteriskPhone, place: str) -> bool:
    """False only if Asterisk says so: it may lack the function that tells (func_dialplan)."""
    reply = await phone.command(commands.get_variable(f"DIALPLAN_EXISTS({place})"))
    return reply.rest != _IS_NOT
