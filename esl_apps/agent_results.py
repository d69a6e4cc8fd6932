"""Why an agent's leg ended without a talk, from its own last event or from the answer to making it. Pure.

The cause alone does not tell, once the phone was picked up: what the agent pressed does, and who ended the leg. The
causes which we and our dialplan give are of our own choice (FreeSWITCH 1.11; the phone's answer in brackets):

    picked up  cause                      key       what happened
    any        ORIGINATOR_CANCEL          any       the caller left: the hook on their leg has ended the agent's
    any        LOSE_RACE                  any       somebody else of those who were rung has the call: ended by us
    any        MANAGER_REQUEST            any       withdrawn by us
    yes        any                        none      hung up before accepting
    yes        any                        timeout   pressed nothing
    yes        any                        taken     accepted, when somebody else had the caller
    yes        any                        a key     pressed another key than the accept key
    no         USER_BUSY                  -         busy (486, 600)
    no         CALL_REJECTED              -         rejected (603, 403)
    no         NO_USER_RESPONSE and like  -         unavailable (480), or out of order (404, 408, 500)
    no         NO_ANSWER                  -         rang out
    no         USER_NOT_REGISTERED        -         not registered: there is nowhere to send the call
"""

from __future__ import annotations

import re

from cordboard.telephony.outcomes import AgentRung
from esl_apps import variables
from esl_apps.events import EslEvent, hangup_word

_OFFER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MICROS = re.compile(r"[0-9]{10,17}")

WITHDRAWN = "MANAGER_REQUEST"
TAKEN = "LOSE_RACE"
CALLER_LEFT = "ORIGINATOR_CANCEL"

_BY_KEY = {"": "left_whisper", "none": "left_whisper", "timeout": "no_key", "taken": "taken", "accepted": "taken"}
_BY_US = {CALLER_LEFT: "caller_left", TAKEN: "taken", WITHDRAWN: "withdrawn"}
_UNANSWERED = {
    "USER_BUSY": "busy",
    "BUSY_EVERYWHERE": "busy",
    "CALL_REJECTED": "rejected",
    "DECLINE": "rejected",
    "NO_ANSWER": "no_answer",
    "ALLOTTED_TIMEOUT": "no_answer",
    "PROGRESS_TIMEOUT": "no_answer",
    "USER_NOT_REGISTERED": "unregistered",
    "SUBSCRIBER_ABSENT": "unregistered",
    "NO_USER_RESPONSE": "unavailable",
    "UNALLOCATED_NUMBER": "unavailable",
    "NO_ROUTE_DESTINATION": "unavailable",
    "DESTINATION_OUT_OF_ORDER": "unavailable",
    "NETWORK_OUT_OF_ORDER": "unavailable",
    "RECOVERY_ON_TIMER_EXPIRE": "unavailable",
    "NORMAL_TEMPORARY_FAILURE": "unavailable",
    "SERVICE_UNAVAILABLE": "unavailable",
    "GATEWAY_DOWN": "unavailable",
    "PICKED_OFF": "unavailable",  # somebody else has picked up the phone that rang
} | _BY_US


def result_of_leg(event: EslEvent) -> str:
    """The word of `AgentRung` for an agent's leg that has ended, and was never joined. event: its last."""
    word = hangup_word(event)
    if word in _BY_US:
        return _BY_US[word]
    if not is_answered(event):
        return result_of_refusal(word)
    return _BY_KEY.get(event.variable(variables.KEY), "declined")


def result_of_refusal(word: str) -> str:
    """The word of `AgentRung` for a leg that nobody answered. word: FreeSWITCH's cause."""
    return _UNANSWERED.get(word, "failed")


def is_answered(event: EslEvent) -> bool:
    """Whether the phone was picked up."""
    return event.get("Caller-Channel-Answered-Time", "0") not in ("", "0")


def talk_of(facts: EslEvent) -> AgentRung | None:
    """What came of ringing, for a caller who is back from a talk; None if the offer is none of ours. facts: the
    reply to `connect`, or the caller's last event.
    """
    offer_id = facts.variable(variables.WON)
    if not _OFFER.fullmatch(offer_id):
        return None
    joined = facts.variable(variables.JOINED)
    joined_at = int(joined) / 1_000_000 if _MICROS.fullmatch(joined) else facts.at
    return AgentRung(offer_id, "joined", joined_at, facts.at)


def no_talk_of(facts: EslEvent, result: str) -> AgentRung | None:
    """As `talk_of`, where the caller left while the agent was rung, or the agent left before the customer had
    picked up in whose stead our own leg was.
    """
    offer_id = facts.variable(variables.OFFERS)
    return AgentRung(offer_id, result, None, facts.at) if _OFFER.fullmatch(offer_id) else None
