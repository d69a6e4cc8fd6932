"""What agents' legs do, from FreeSWITCH's events about them. Pure; called by the switch.

An agent's leg has an id that is made of its offer's, so it is known by that alone, in events and in a list of
channels. A caller chooses neither an id nor a variable of it: the values of events are percent-encoded, and split
before they are decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from cordboard.telephony.ports import AgentLegEvent
from esl_apps import variables
from esl_apps.agent_results import CALLER_LEFT, result_of_leg
from esl_apps.events import BRIDGED, HANGUP_COMPLETE, EslEvent, hangup_word

ANSWERED = "CHANNEL_ANSWER"
RINGING = "CHANNEL_PROGRESS"
EVENTS = (RINGING, ANSWERED, BRIDGED, HANGUP_COMPLETE)

_LEG = re.compile(r"offer-([A-Za-z0-9_-]{1,64})")
_CUSTOMER = re.compile(r"customer-([A-Za-z0-9_-]{1,64})")  # rung for an agent who has taken the call already
_MICROS = re.compile(r"[0-9]{10,17}")
_PASSED_ON = {"BLIND_TRANSFER": "blind_transfer", "ATTENDED_TRANSFER": "attended_transfer"}

Row = Mapping[str, str]
"""A channel, as `show channels as json` lists it."""


def leg_of(offer_id: str) -> str:
    """The id of the leg that rings an offer's agent."""
    return f"offer-{offer_id}"


def offer_of(leg_id: str) -> str:
    """The offer whose agent a leg rings; "" if it is no agent's leg."""
    found = _LEG.fullmatch(leg_id)
    return found[1] if found else ""


def agent_leg_event(event: EslEvent) -> AgentLegEvent | None:
    """What an event says of an agent's leg; None if it is about none, or says nothing new."""
    caller = event.variable(variables.CALLER_LEG)
    if event.name == ANSWERED and (found := _CUSTOMER.fullmatch(event.leg_id)):
        return AgentLegEvent("joined", found[1], leg_of(found[1]), caller, event.at)
    offer_id = offer_of(event.leg_id)
    if not offer_id:
        return None
    if event.name == HANGUP_COMPLETE:
        return _ended(event, offer_id, caller)
    kinds: dict[str, Literal["ringing", "answered", "joined"]] = {
        RINGING: "ringing",
        ANSWERED: "answered",
        BRIDGED: "joined",
    }
    kind = kinds.get(event.name)
    if kind is None or (kind == "joined" and not _is_talk(event, caller)):
        return None
    return AgentLegEvent(kind, offer_id, event.leg_id, caller, event.at)


def _is_talk(event: EslEvent, caller: str) -> bool:
    """Whether this bridge is the talk: with the caller, and not with our own leg that stands in for one."""
    return event.other_leg_id == caller and not event.variable(variables.BEHIND)


def is_joined(event: EslEvent) -> bool:
    """Whether this agent's leg was joined with the caller, by its last event."""
    return event.get("Caller-Channel-Bridged-Time", "0") not in ("", "0")


def _ended(event: EslEvent, offer_id: str, caller: str) -> AgentLegEvent:
    """Of several phones that ring at once one that was not joined has refused; else the leg has ended."""
    if is_joined(event):
        by = _ended_by(event)
        return AgentLegEvent("gone", offer_id, event.leg_id, caller, event.at, ended_by=by)
    if event.variable(variables.SEVERAL):
        result = result_of_leg(event)
        return AgentLegEvent("refused", offer_id, "", caller, event.at, result=result)
    return AgentLegEvent("gone", offer_id, event.leg_id, caller, event.at)


def _ended_by(event: EslEvent) -> str:
    """Who ended a talk: the side that hung up has the role; a phone that passes its call on hangs up as well."""
    if passed_on := _PASSED_ON.get(event.variable("endpoint_disposition")):
        return passed_on
    if hangup_word(event) == CALLER_LEFT:
        return "caller"
    if event.variable("last_bridge_role"):
        return "agent" if event.variable("sip_hangup_disposition").startswith("recv_") else ""
    return "caller" if event.variable("bridge_hangup_cause") else ""


def joined_caller(leg_id: str, rows: Iterable[Row]) -> str:
    """The leg that an agent's is joined with, "" for none: the two are one call to FreeSWITCH."""
    return next((row["uuid"] for row in rows if row["call_uuid"] == leg_id and row["uuid"] != leg_id), "")


def seconds_of(micros: str) -> float | None:
    """Seconds since 1970; None for what is no time."""
    return int(micros) / 1_000_000 if _MICROS.fullmatch(micros) else None
