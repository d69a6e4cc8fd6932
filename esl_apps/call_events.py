"""What becomes of whole calls, from the last event of the caller's leg: cut off, called back in vain. Pure.

Called by the switch. FreeSWITCH names its own reasons beside those of Q.850: a leg whose sound stopped coming, or
whose session was not renewed, is told by the number that Asterisk gives for the same.
"""

from __future__ import annotations

from cordboard.telephony.call_id import is_call_id
from cordboard.telephony.ports import CallEvent
from esl_apps import variables
from esl_apps.agent_results import is_answered
from esl_apps.events import HANGUP_COMPLETE, Q850_BY_WORD, EslEvent, hangup_word

_NORMAL = 16
_TIMER = 102
_UNTOLD = (0, _NORMAL)
_OWN = {
    "MEDIA_TIMEOUT": 44,  # no sound for `rtp-timeout-sec`
    "RECOVERY_ON_TIMER_EXPIRE": _TIMER,  # nobody answered on the wire
    "SYSTEM_SHUTDOWN": 41,
    "CRASH": 41,
    "ALLOTTED_TIMEOUT": 19,  # nobody picked up in time
}


def call_event(event: EslEvent) -> CallEvent | None:
    """What a hang-up says of a call of ours; None where somebody hung up, or we ended it."""
    if event.name != HANGUP_COMPLETE:
        return None
    if is_call_id(call_id := event.variable(variables.ORIGINATED)):
        return _of_one_called_back(event, call_id)
    call_id = event.variable(variables.CALL)
    if not is_call_id(call_id) or event.variable(variables.DONE):
        return None
    cause = cause_number(event)
    return None if cause in _UNTOLD else CallEvent("left", call_id, cause, event.at)


def _of_one_called_back(event: EslEvent, call_id: str) -> CallEvent | None:
    """Of a leg that we have made and that has not entered our loop: the customer's own, or the one behind our leg
    that stands in for them. Of a phone that was not picked up the answer to making the leg tells.
    """
    if event.variable(variables.NOT_REACHED):
        word = event.variable("originate_disposition")
        return CallEvent("not_reached", call_id, _number_of(word), event.at)
    if event.variable(variables.CUSTOMER) or not is_answered(event):
        return None
    return CallEvent(
        "machine" if event.variable(variables.MACHINE) else "gone", call_id, cause_number(event), event.at
    )


def cause_number(event: EslEvent) -> int:
    """Why a leg ended, by Q.850; 0 for what has no number."""
    return _TIMER if _is_not_renewed(event) else _number_of(hangup_word(event))


def _is_not_renewed(event: EslEvent) -> bool:
    """Whether a session (RFC 4028) ran out. FreeSWITCH (1.11) says "normal clearing" of it too: its SIP library
    ends the call by itself, and all that tells it from a hang-up is that no BYE is told of, neither come nor sent.
    """
    is_normal = hangup_word(event) == "NORMAL_CLEARING" and event.variable("sip_term_status") == "200"
    return is_normal and not event.variable("sip_hangup_disposition")


def _number_of(word: str) -> int:
    return _OWN.get(word, Q850_BY_WORD.get(word, 0))


def is_left_alone(event: EslEvent) -> bool:
    """Whether a call of ours has ended while no worker had it, so that one has to be told."""
    is_over = event.name == HANGUP_COMPLETE and is_call_id(event.variable(variables.CALL))
    return is_over and event.variable(variables.HELD) != "true" and not event.variable(variables.DONE)
