"""Agents' legs on the manager link: what our dialplan says is understood, and nobody else is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from panoramisk.message import Message

from agi_scripts.agent_legs import NotOurs, agent_leg, agent_leg_event, is_agent_event
from agi_scripts.ami_messages import END, MessageSplitter, headers_of
from cordboard.telephony.ports import AgentLeg, AgentLegEvent
from tests.doubles.fuzzing import examples

TOKEN = "t0ken"
TOLD = AgentLegEvent("joined", "o-1", "lab-1795373770.29", "lab-1795373770.28", 1795373770.846)


def user_event(number: str = "442079460123", **changed: str) -> str:
    """A UserEvent as Asterisk 22.10 sends it; the connected number stands in it raw."""
    ours = {
        "Kind": "joined",
        "Offer": "o-1",
        "Leg": "lab-1795373770.29",
        "Caller": "lab-1795373770.28",
        "At": "1795373770846",
        "Token": TOKEN,
    } | changed
    facts = ["Event: UserEvent", "Privilege: user,all", "Channel: PJSIP/1001-00000019", "CallerIDNum: 1001"]
    facts += [f"ConnectedLineNum: {number}", "Uniqueid: lab-1795373770.29", "UserEvent: CordboardAgent"]
    return "\r\n".join(facts + [f"{name}: {value}" for name, value in ours.items()])


def told(text: str) -> list[AgentLegEvent | str]:
    """What comes of all the messages in a text: events, or why one is not believed."""
    found: list[AgentLegEvent | str] = []
    for message in MessageSplitter().feed(text.encode("utf-8", "replace") + END):
        headers = Message(headers_of(message))
        if headers.event != "UserEvent" or not is_agent_event(headers):
            continue
        try:
            found.append(agent_leg_event(headers, TOKEN))
        except NotOurs as fault:
            found.append(str(fault))
    return found


@pytest.mark.parametrize("kind", ["ringing", "answered", "joined", "gone"])
def test_our_dialplans_events_are_understood(kind: str) -> None:
    assert told(user_event(Kind=kind)) == [AgentLegEvent(kind, *TOLD_IDS, TOLD.at)]  # type: ignore[arg-type]


TOLD_IDS = (TOLD.offer_id, TOLD.leg_id, TOLD.caller_leg_id)

STRANGE = [
    {"Token": "other"},
    {"Token": ""},
    {"Token": "\u00e9"},
    {"Kind": "answer"},
    {"Kind": ""},
    {"At": "soon"},
    {"At": "-1"},
    {"At": "9" * 16},
    {"Offer": ""},
    {"Offer": "a b"},
    {"Leg": ""},
    {"Leg": "a/b"},
    {"Caller": "${X}"},
]


@pytest.mark.parametrize("changed", STRANGE)
def test_what_our_dialplan_does_not_write_is_not_believed(changed: dict[str, str]) -> None:
    assert [type(one) for one in told(user_event(**changed))] == [str]


FORGED = [
    "1\r\nKind: gone\r\nOffer: o-2",
    "1\r\nKind: gone\r\nkind: gone\r\nKIND: gone\r\nOffer: o-2\r\noffer: o-2",
    "1\r\nToken: x\r\ntoken: x",
    "1\r\n\r\nEvent: UserEvent\r\nUserEvent: CordboardAgent\r\nKind: gone\r\nOffer: o-2\r\nLeg: 1\r\nAt: 1\r\n\r\n",
    "1\r\n\r\nEvent: UserEvent\r\nKind: gone",
    "1\r\nUserEvent: Other",
]


@pytest.mark.parametrize("number", FORGED)
def test_a_number_with_line_breaks_changes_nothing_that_is_believed(number: str) -> None:
    assert [one for one in told(user_event(number)) if isinstance(one, AgentLegEvent)] in ([TOLD], [])


BREAKS = st.sampled_from(["\r\n", "\r\n\r\n", "\n", "\r", ": "])
LINES = st.sampled_from(
    ["Event: UserEvent", "UserEvent: CordboardAgent", "Token: ", "token: x", "Kind: gone", "Kind"]
)
MORE_LINES = st.sampled_from(["kind: gone", "Offer: o-2", "OFFER: o-2", "Leg: 7", "At: 1", "Caller: 8"])


@pytest.mark.fuzz
@examples(0.05)
@given(st.lists(BREAKS | LINES | MORE_LINES | st.text(max_size=5), max_size=30).map("".join))
def test_whatever_a_number_holds_only_our_dialplan_is_believed(number: str) -> None:
    assert {one for one in told(user_event(number)) if isinstance(one, AgentLegEvent)} <= {TOLD}


# -- legs in a list --


def status(*variables: str, channel: str = "PJSIP/1001-00000019") -> dict[str, str | list[str]]:
    return {"Channel": channel, "Uniqueid": "1.29", "Variable": list(variables)}


AGENTS = ("CORDBOARD_SIDE=agent", "CORDBOARD_OFFER=o-1", "CORDBOARD_CALLER=1.28")


def test_a_listed_leg_of_an_agent_says_since_when_they_talk() -> None:
    assert agent_leg(status(*AGENTS, "CORDBOARD_JOINED=1795373770846")) == AgentLeg("o-1", "1.29", "1.28", TOLD.at)
    assert agent_leg(status(*AGENTS, "CORDBOARD_JOINED=(null)")) == AgentLeg("o-1", "1.29", "1.28", None)
    assert agent_leg(status(*AGENTS)) == AgentLeg("o-1", "1.29", "1.28", None)


@pytest.mark.parametrize(
    "listed",
    [
        status("CORDBOARD_SIDE=(null)", "CORDBOARD_OFFER=o-1"),  # the caller's leg has the offer too
        status("CORDBOARD_SIDE=agent", "CORDBOARD_OFFER=(null)"),
        status(*AGENTS, channel="Local/1@agents-0001;2"),
        {"Channel": "PJSIP/1", "Uniqueid": "1.1"},
        {"Channel": "PJSIP/1", "Uniqueid": "1.1", "Variable": "CORDBOARD_SIDE=agent"},
    ],
)
def test_other_legs_are_no_agents(listed: dict[str, str | list[str]]) -> None:
    assert agent_leg(listed) is None
