"""A leg to somebody who is called back, as FreeSWITCH is asked for it. Pure; called by the switch.

Their phone is rung, and when it is answered the leg enters our loop. FreeSWITCH cannot tell an answering machine
from a person (`mod_avmd` hears the tone at the end of a greeting, which is too late), and nobody waits in a
customer's stead while an agent is looked for: a configuration that asks for either is refused when it is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cordboard.errors import SwitchProtocolError
from cordboard.telephony.call_id import is_call_id
from cordboard.telephony.ports import CustomerLeg
from esl_apps import variables

CONTEXT = "cordboard-callback"

_NUMBER = re.compile(r"\+?[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class LegWanted:
    """What `originate` is called with."""

    device: str = field(repr=False)
    context: str
    extension: str
    ring_s: float
    variables: Mapping[str, str] = field(repr=False)
    caller_id: str


def leg_wanted(leg: CustomerLeg) -> LegWanted:
    """The leg in FreeSWITCH's words. Raises SwitchProtocolError on what is no number or call id of ours, and on
    what FreeSWITCH cannot do.
    """
    customer = leg.customer
    if not (_NUMBER.fullmatch(customer.number) and is_call_id(leg.call_id)):
        raise SwitchProtocolError("somebody to call back who is no number")
    if leg.agent_first:
        raise SwitchProtocolError("on FreeSWITCH nobody waits in a customer's stead")
    known = {variables.ORIGINATED: leg.call_id}
    return LegWanted(customer.device, CONTEXT, "customer", leg.ring_s, known, customer.caller_id)
