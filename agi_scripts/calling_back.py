"""A leg to somebody who is called back, as Asterisk is asked for it. Pure; called by the switch.

The customer first: their phone is rung, and when it is answered the leg enters our loop. The agent first: a Local
channel enters it, whose other half waits until an agent has taken the call and rings the customer then.
"""

from __future__ import annotations

import math

from agi_scripts import variables
from agi_scripts.devices import is_one_device
from cordboard.edge.calling_back import CONTEXT, STAND_IN_S, LegWanted
from cordboard.edge.telephone_numbers import is_number
from cordboard.errors import SwitchProtocolError
from cordboard.telephony.call_id import is_call_id
from cordboard.telephony.ports import CustomerLeg


def leg_wanted(leg: CustomerLeg) -> LegWanted:
    """The leg in Asterisk's words. Raises SwitchProtocolError on what is no device, number or call id of ours."""
    customer = leg.customer
    if not (is_one_device(customer.device) and is_number(customer.number) and is_call_id(leg.call_id)):
        raise SwitchProtocolError("somebody to call back who is no number and device")
    known = {variables.ORIGINATED: leg.call_id, variables.CUSTOMER_NUMBER: customer.number}
    if not leg.agent_first:
        known[variables.AMD] = "1" if leg.detect_machines else ""
        return LegWanted(customer.device, "customer", leg.ring_s, known, customer.caller_id)
    known |= {
        variables.CUSTOMER: customer.device,
        variables.STAND_IN: leg.leg_id,
        variables.RING_S: str(max(1, math.ceil(leg.ring_s))),
        variables.CALLER_ID: customer.caller_id,
    }
    return LegWanted(f"Local/stand-in@{CONTEXT}/n", "stands-in", STAND_IN_S, known, "")
