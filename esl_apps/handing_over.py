"""Verbs the dialplan carries out by itself, so that ringing and conversation do not depend on any worker.

We write what to do, with the checkpoint, in one line, and let go; the dialplan comes back to any worker with the
result (`arrivals`), or, after a transfer, not at all. Called by the phone.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

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
from esl_apps import commands, variables
from esl_apps.devices import is_one_device
from esl_apps.screening import screen_file

if TYPE_CHECKING:
    from esl_apps.phone import FreeswitchPhone

TRANSFER_RING_S = 60.0  # as long as people let it ring
SCREEN_S = 10  # for pressing 1, from when the phone was picked up
RINGBACK = "%(1000,4000,425)"  # what a caller whom we have answered hears: most countries' tone
SCREENED = "execute_extension screen XML cordboard-leg"  # plays it, and hangs up unless 1 is pressed
ANSWERED = "execute_extension answered XML cordboard-leg"  # the leg tells the caller's when it was picked up

_MAILBOX = re.compile(r"([A-Za-z0-9_.-]{1,80})(?:@([A-Za-z0-9_.-]{1,80}))?")
_PLACE = re.compile(r"([A-Za-z0-9_.-]{1,80}),([A-Za-z0-9_.*#+-]{1,80}),1")


async def dial(phone: FreeswitchPhone, verb: Dial) -> HandedOver | Failed:
    """Ring one device or several. Raises SwitchProtocolError if a target is not exactly one device."""
    if not 1 <= len(verb.targets) <= MAX_TARGETS:
        raise SwitchProtocolError("no dial target, or more than are rung")
    screen = await screen_file(phone, verb.screen)
    if isinstance(screen, Failed):
        return screen
    legs = [_leg(target, verb.ring_s) for target in verb.targets]
    longest_s = math.ceil(verb.ring_s) * (len(verb.targets) if verb.in_order else 1)
    string = _for_all(phone, screen, longest_s) + ("|" if verb.in_order else ",").join(legs)
    return await phone.hand_to_dialplan(_dialling(string) | {variables.NEXT: "dial"})


async def leave_voicemail(phone: FreeswitchPhone, verb: VoicemailBox) -> HandedOver:
    """Give the call to FreeSWITCH's voicemail. Raises SwitchProtocolError on what names no mailbox."""
    found = _MAILBOX.fullmatch(verb.mailbox)
    if found is None:
        raise SwitchProtocolError("a mailbox name with characters no mailbox has")
    box, domain = found.groups()
    if not domain:
        domain = (await phone.api(commands.api_words("global_getvar", "domain"))).strip()
    mailbox = f"default {domain} {box}"
    return await phone.hand_to_dialplan({variables.NEXT: "voicemail", variables.MAILBOX: mailbox})


async def transfer(phone: FreeswitchPhone, verb: Transfer) -> Transferred | NotConnected:
    """Let go for good, if the dialplan has the place. Raises SwitchProtocolError on what is no place or device."""
    to = verb.destination
    if isinstance(to, Destination):
        extension, context = _place(to)
        if not await _has_context(phone, context):
            return NotConnected("unreachable")
        where = {variables.TO: f"{extension} XML {context}"}
    else:
        where = {variables.TO: ""} | _dialling(_for_all(phone, "", TRANSFER_RING_S) + _leg(to, TRANSFER_RING_S))
    await phone.hand_to_dialplan({variables.DONE: variables.AWAY} | where)
    return Transferred()


def _dialling(string: str) -> dict[str, str]:
    """For the dialplan's `bridge`; nothing of an earlier one is left on the channel."""
    told = dict.fromkeys((*variables.OF_BRIDGE, variables.JOINED, variables.LEFT), "")
    return {variables.DIAL: string, variables.PICKED_UP: "", "transfer_ringback": RINGBACK} | told


def _for_all(phone: FreeswitchPhone, screen: str, longest_s: float) -> str:
    """What all legs of a dial string have in common. A phone that forwards (302) is not followed: it could send
    callers anywhere, past the dial policy. longest_s: of the ringing of all; without it FreeSWITCH ends it after
    60 s, or what the admin's own dialplan has set as `call_timeout` on the channel.
    """
    common = {
        "originate_timeout": str(math.ceil(longest_s) + 1),  # later than each leg's own time
        "ignore_early_media": "true",
        "outbound_redirect_fatal": "true",
        "execute_on_answer": ANSWERED,
        "api_on_answer": f"uuid_setvar {phone.leg_id} {variables.PICKED_UP} 1",
    }
    if screen:
        common |= {
            variables.SCREEN: screen,
            "group_confirm_key": "exec",
            "group_confirm_file": SCREENED,
            "group_confirm_timeout": str(SCREEN_S),
        }
    return commands.variables(common)


def _leg(target: DialTarget, ring_s: float) -> str:
    """One device, for how long it is rung, and what a trunk shows as the caller's number."""
    if not is_one_device(target.device):
        raise SwitchProtocolError("a dial target that is not one device")
    own = {"leg_timeout": str(max(1, math.ceil(ring_s)))}
    if isinstance(target, OutsideNumber) and target.caller_id:
        shown = shown_number(target.caller_id)
        own |= {"origination_caller_id_number": shown, "origination_caller_id_name": shown}
    return commands.leg_variables(own) + target.device


def _place(destination: Destination) -> tuple[str, str]:
    """Extension and context. The one priority that there is here is 1."""
    found = _PLACE.fullmatch(destination.place)
    if found is None:
        raise SwitchProtocolError("a destination that is no context,extension,1")
    return found[2], found[1]


async def _has_context(phone: FreeswitchPhone, context: str) -> bool:
    """False only if FreeSWITCH says so. Whether the context has the extension only a call can find out."""
    said = await phone.api(commands.api_words("xml_locate", "dialplan", "context", "name", context))
    return not said.startswith("can't find")
