"""What a waiting call asks of an agent now: `telephony.needs`, by the ACD's clocks.

Pure; asked by matching, by the store where it groups those who wait, and by the reasons told to admins.
"""

from __future__ import annotations

from cordboard.acd.model import Moment, Needs, WaitingCall
from cordboard.telephony.needs import Levels as Levels
from cordboard.telephony.needs import after_refusal as after_refusal
from cordboard.telephony.needs import needs_after as needs_after
from cordboard.telephony.needs import next_change_s as next_change_s
from cordboard.telephony.needs import with_defaults as with_defaults


def waited_s(call: WaitingCall, now: Moment) -> float:
    """How long the call has waited, by the clock that nobody can set where its entering is known by that."""
    if call.entered_boot is not None:
        return max(0.0, now.boot - call.entered_boot)
    return max(0.0, now.wall - call.entered_at)


def asked_now(call: WaitingCall, now: Moment) -> Needs:
    """What the call asks of an agent at this moment."""
    return needs_after(call.needs, waited_s(call, now))
