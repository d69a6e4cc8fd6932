"""What agents' legs do, from the user events our dialplan sends over the manager link. Pure; called by the switch.

Asterisk puts the channel's own facts in front of what the dialplan says, and writes a caller's or a connected
number raw: with line breaks in it (%0A in a SIP address) it can forge headers, or the end of one event and another
event whole. So of each header the last one counts, which is the dialplan's, and an event without the token that
only the dialplan and we know is none of ours.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import Literal, cast

from agi_scripts import variables
from agi_scripts.agent_results import refusal
from cordboard.telephony.ports import AgentLeg, AgentLegEvent

USER_EVENT = "CordboardAgent"
LISTED_VARIABLES = (variables.SIDE, variables.OFFER, variables.CALLER_LEG, variables.JOINED)
AGENT_SIDE = "agent"

_KINDS = ("ringing", "answered", "joined", "gone", "refused")
_OFFER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LEG = re.compile(r"[A-Za-z0-9._-]{1,100}")
_MS = re.compile(r"[0-9]{1,15}")
_ENDED_BY = ("agent", "caller", "blind_transfer", "attended_transfer")
_NO_VALUE = "(null)"  # Asterisk's word for a variable that is not set
_OTHER_HALF = ";2"  # of a Local channel: it has got copies of all variables, and is no agent's leg

Headers = Mapping[str, "str | list[str]"]


class NotOurs(ValueError):
    """An event which our dialplan did not send. The message holds nothing of it."""


def is_agent_event(headers: Headers) -> bool:
    """Whether a UserEvent claims to be one of ours."""
    return last(headers, "UserEvent") == USER_EVENT


def agent_leg_event(headers: Headers, token: str) -> AgentLegEvent:
    """The event in a UserEvent's headers. Raises NotOurs without our token, or with what we do not write."""
    if not hmac.compare_digest(last(headers, "Token").encode("utf-8", "replace"), token.encode()):
        raise NotOurs("an agent's event without our token")
    kind, at_ms = last(headers, "Kind"), last(headers, "At")
    offer_id, leg_id, caller = last(headers, "Offer"), last(headers, "Leg"), last(headers, "Caller")
    if kind not in _KINDS or not _MS.fullmatch(at_ms):
        raise NotOurs("an agent's event without its kind or time")
    if not (_OFFER.fullmatch(offer_id) and _LEG.fullmatch(leg_id) and (not caller or _LEG.fullmatch(caller))):
        raise NotOurs("an agent's event with ids that are none")
    known = cast(Literal["ringing", "answered", "joined", "gone", "refused"], kind)
    if known == "refused":  # told by the leg that rang the agent's
        result = _refusal(last(headers, "Words"))
        return AgentLegEvent(known, offer_id, "", caller, int(at_ms) / 1000, result=result)
    by = last(headers, "By")  # a dialplan that was installed before does not say
    ended_by = by if by in _ENDED_BY else ""
    return AgentLegEvent(known, offer_id, leg_id, caller, int(at_ms) / 1000, ended_by=ended_by)


def _refusal(words: str) -> str:
    try:
        return refusal(words)
    except ValueError as error:
        raise NotOurs("an agent's event with words that are none") from error


def agent_leg(headers: Headers) -> AgentLeg | None:
    """The agent's leg in a Status event which was asked for `LISTED_VARIABLES`; None if it is no such leg."""
    values = _variables(headers)
    offer_id = values.get(variables.OFFER, "")
    is_agents = values.get(variables.SIDE) == AGENT_SIDE and not last(headers, "Channel").endswith(_OTHER_HALF)
    if not is_agents or not _OFFER.fullmatch(offer_id):
        return None
    joined_ms = values.get(variables.JOINED, "")
    return AgentLeg(
        offer_id=offer_id,
        leg_id=last(headers, "Uniqueid"),
        caller_leg_id=values.get(variables.CALLER_LEG, ""),
        joined_at=int(joined_ms) / 1000 if _MS.fullmatch(joined_ms) else None,
    )


def last(headers: Headers, name: str) -> str:
    """The last header of a name, "" if there is none."""
    values = headers.get(name, "")
    return values if isinstance(values, str) else values[-1]


def _variables(headers: Headers) -> dict[str, str]:
    """From the lines "Variable: NAME=value"."""
    lines = headers.get("Variable", [])
    pairs = [line.partition("=") for line in ([lines] if isinstance(lines, str) else lines)]
    return {name: "" if value == _NO_VALUE else value for name, _, value in pairs}
