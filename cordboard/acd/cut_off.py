"""Whether a call was cut off. Pure; asked by the store.

A call is cut off when nobody hung up: its sound stopped coming, its session was not renewed, or the way to it broke
down. A switch says so by the cause of the hang-up, and normal clearing is never one:

    18   no reply: the session timer ran out (chan_pjsip gives it for 408)
    27   destination out of order
    38   network out of order
    41   temporary failure
    44   no sound for `rtp_timeout` seconds (chan_pjsip)
    102  a timer of the protocol ran out
"""

from __future__ import annotations

from dataclasses import replace

from cordboard.acd.callback_policy import RING_BACK, CutOffPolicy
from cordboard.telephony.needs import Needs

USUAL_CAUSES = frozenset({18, 27, 38, 41, 44, 102})
NEVER = frozenset({0, 16, 17, 19, 21, 26, 31})  # hung up, busy, no answer, rejected, picked up elsewhere
UNTOLD_S = 2.0  # how long a place is kept for a caller who is gone, until it is known why


def is_cut_off(policy: CutOffPolicy | None, cause: int) -> bool:
    """Whether a call that has ended with this cause was cut off, as the queue sees it."""
    return policy is not None and cause in policy.causes and cause not in NEVER


def keeps_places(policy: CutOffPolicy | None) -> bool:
    """Whether callers who are gone may come back to their place."""
    return policy is not None and policy.hold_s > 0


def needs_of_ring_back(needs: Needs, agent: str, waited_s: float, agent_s: float) -> Needs:
    """What somebody asks for who talked, was cut off and is called: the same, of the same agent for a while.

    waited_s: since they came to the queue; agent_s: how long it is kept for that agent, once they are on the phone.
    """
    return replace(needs, agent=agent, agent_s=waited_s + RING_BACK.ring_s + agent_s)
