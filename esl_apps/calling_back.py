"""A leg to somebody who is called back, as FreeSWITCH is asked for it. Pure; called by the switch.

The customer first: their phone is rung, and when it is answered the leg enters our loop, or is listened to first.
The agent first: one half of a loopback channel enters it, and the other rings the customer once an agent has taken
the call. FreeSWITCH has no application that tells a machine from a person (`mod_avmd` hears the tone at the end of
a greeting, which is too late); our dialplan measures how long the greeting is, with what it has for that.
"""

from __future__ import annotations

import math

from cordboard.edge.calling_back import CONTEXT, STAND_IN_S, LegWanted
from cordboard.edge.telephone_numbers import is_number, shown_number
from cordboard.errors import SwitchProtocolError
from cordboard.telephony.call_id import is_call_id
from cordboard.telephony.ports import CustomerLeg
from esl_apps import variables
from esl_apps.devices import is_one_device

STAND_IN = f"loopback/stand-in/{CONTEXT}"


def leg_wanted(leg: CustomerLeg) -> LegWanted:
    """The leg in FreeSWITCH's words. Raises SwitchProtocolError on what is no device, number or call id of ours."""
    customer = leg.customer
    if not (is_one_device(customer.device) and is_number(customer.number) and is_call_id(leg.call_id)):
        raise SwitchProtocolError("somebody to call back who is no number and device")
    known = {variables.ORIGINATED: leg.call_id, variables.CUSTOMER_NUMBER: customer.number}
    if not leg.agent_first:
        detecting = {variables.DETECT: "true"} if leg.detect_machines else {}
        return LegWanted(customer.device, "customer", leg.ring_s, known | detecting, customer.caller_id)
    known |= {
        variables.CUSTOMER: customer.device,
        variables.RING_S: str(max(1, math.ceil(leg.ring_s))),
        variables.SHOWN: shown_number(customer.caller_id) if customer.caller_id else "anonymous",
        "loopback_bowout": "false",  # both halves stay: what is told of the call is on them
    }
    return LegWanted(STAND_IN, "stands-in", STAND_IN_S, known, "")
