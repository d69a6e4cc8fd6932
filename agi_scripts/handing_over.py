"""Verbs the dialplan carries out by itself, so that ringing and conversation do not depend on any worker.

We write what to do, with the checkpoint, in one line, and let go; the dialplan comes back to any worker with the
result (`arrivals`). Called by the phone.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from agi_scripts import variables
from agi_scripts.devices import is_one_device
from cordboard.errors import SwitchProtocolError
from cordboard.telephony.outcomes import HandedOver
from cordboard.telephony.verbs import Dial, VoicemailBox

if TYPE_CHECKING:
    from agi_scripts.phone import AsteriskPhone

_MAILBOX = re.compile(r"[A-Za-z0-9_.-]{1,80}(@[A-Za-z0-9_.-]{1,80})?")


async def dial(phone: AsteriskPhone, verb: Dial) -> HandedOver:
    """Ring a device. Raises SwitchProtocolError if the target is not exactly one device."""
    if not is_one_device(verb.target.device):
        raise SwitchProtocolError("a dial target that is not one device")
    return await phone.hand_to_dialplan(
        {
            variables.NEXT: "dial",
            variables.DEVICE: verb.target.device,
            variables.RING_S: str(max(1, math.ceil(verb.ring_s))),
        }
    )


async def leave_voicemail(phone: AsteriskPhone, verb: VoicemailBox) -> HandedOver:
    """Give the call to Asterisk's voicemail. Raises SwitchProtocolError on a mailbox that is no mailbox's name."""
    if not _MAILBOX.fullmatch(verb.mailbox):
        raise SwitchProtocolError("a mailbox name with characters no mailbox has")
    return await phone.hand_to_dialplan({variables.NEXT: "voicemail", variables.MAILBOX: verb.mailbox})
