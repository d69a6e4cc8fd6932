"""What came of an offer, from the words the dialplan brings back. Pure; called by `arrivals`.

DIALSTATUS alone does not tell: a phone that sends 603 gives CHANUNAVAIL, one that was picked up and declined gives
ANSWER. What tells is, in this order: whether the two were joined, whether the caller left, what the agent pressed,
and the cause of the agent's own leg (Asterisk 22.10; "" where the caller left before it had ended):

    status       cause  key        what happened
    any          any    any        joined, if there is a time for it
    LEFT         any    any        the caller left; the dialplan's own word, in place of DIALSTATUS
    STOPPED      any    any        of several phones that rang at once: another one was accepted; our own word, too
    ANSWER       any    none       picked up, and hung up before accepting
    ANSWER       any    withdrawn  picked up, and ended by somebody else before accepting: by us
    ANSWER       any    taken      picked up, and accepted when somebody else had the caller
    ANSWER       any    timeout    picked up, pressed nothing
    ANSWER       any    a key      picked up, pressed another key than the accept key
    BUSY         17     unset      486
    CHANUNAVAIL  21     unset      603
    NOANSWER     19     unset      480
    CHANUNAVAIL  3, 20  unset      not registered: Asterisk has nowhere to send the call
    CHANUNAVAIL  1, 38  unset      404, 500: the phone or the way to it is out of order
    NOANSWER     0      unset      rang out, or a phone that is dead and still registered
    NOANSWER     16     unset      still ringing, and ended over the manager link: by us
    CHANUNAVAIL  0, 16  unset      the same, before the phone had heard of it, or without a cause
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

from cordboard.errors import SwitchProtocolError
from cordboard.telephony.outcomes import AgentRung

LEFT = "LEFT"
STOPPED = "STOPPED"

_OFFER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MS = re.compile(r"[0-9]{1,15}")

_BY_KEY = {"none": "left_whisper", "timeout": "no_key", "withdrawn": "withdrawn", "taken": "taken"}
_BY_CAUSE = {
    "1": "unavailable",
    "3": "unregistered",
    "17": "busy",
    "18": "unavailable",
    "19": "unavailable",
    "20": "unregistered",
    "21": "rejected",
    "27": "unavailable",
    "38": "unavailable",
    "41": "unavailable",
}
_BY_STATUS = {"BUSY": "busy", "NOANSWER": "no_answer"}
_BY_OTHERS = ("caller_left", "withdrawn")  # no doing of the agent
_WITHDRAWN = (("NOANSWER", "16"), ("CHANUNAVAIL", "16"), ("CHANUNAVAIL", "0"))


class AgentWords(NamedTuple):
    """The words behind "agent.", as in `dialplan/render`. key: "unset" until the agent picks up."""

    offer_id: str
    status: str
    cause: str
    key: str
    joined_ms: str
    now_ms: str


def agent_rung(words: list[str]) -> AgentRung:
    """The outcome. Raises SwitchProtocolError on words that are not our dialplan's."""
    if len(words) != len(AgentWords._fields):
        raise SwitchProtocolError("a returned offer that is none of ours")
    said = AgentWords(*words)
    if not (_OFFER.fullmatch(said.offer_id) and _MS.fullmatch(said.now_ms)):
        raise SwitchProtocolError("a returned offer without its id or time")
    joined_at = int(said.joined_ms) / 1000 if _MS.fullmatch(said.joined_ms) else None
    result = "joined" if joined_at is not None else _result(said)
    return AgentRung(said.offer_id, result, joined_at, int(said.now_ms) / 1000)


def agents_rung(words: list[str]) -> AgentRung:
    """The outcome of ringing several phones at once, that of who was joined in front. words: when it was told, the
    offer that was joined and since when, both "" for none; then of each phone its offer, status, cause and key.

    Raises SwitchProtocolError on words that are not our dialplan's.
    """
    now_ms, winner, joined_ms, *of_phones = words if len(words) > 3 else [""] * 4
    if not of_phones or len(of_phones) % 4:
        raise SwitchProtocolError("returned offers that are none of ours")
    rung = [
        agent_rung([offer_id, status, cause, key, joined_ms if offer_id == winner else "", now_ms])
        for offer_id, status, cause, key in zip(*(of_phones[n::4] for n in range(4)), strict=True)
    ]
    first, *others = sorted(rung, key=lambda one: one.joined_at is None)
    if first.joined_at is not None:
        others = [replace(one, result="taken") if one.result in _BY_OTHERS else one for one in others]
    return replace(first, others=tuple(others))


def refusal(words: str) -> str:
    """Why one of several phones that ring at once does not any more. words: its status, cause and key.

    Raises ValueError on words that are not our dialplan's.
    """
    status, cause, key = words.split(".")
    return _result(AgentWords("", status, cause, key, "", ""))


def _result(said: AgentWords) -> str:
    """Why they were not joined."""
    if said.status == LEFT:
        return "caller_left"
    if said.status == STOPPED:
        return "withdrawn"
    if said.key != "unset":
        return _BY_KEY.get(said.key, "declined")
    if by_cause := _BY_CAUSE.get(said.cause):
        return by_cause
    if (said.status, said.cause) in _WITHDRAWN:
        return "withdrawn"
    return _BY_STATUS.get(said.status, "failed")
