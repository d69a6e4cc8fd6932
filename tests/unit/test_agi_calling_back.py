"""Legs to customers as Asterisk is asked for them, and what it tells of calls: nothing else is sent or believed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agi_scripts.agent_legs import NotOurs
from agi_scripts.call_events import call_event, is_call_event
from agi_scripts.calling_back import leg_wanted
from cordboard.errors import SwitchProtocolError
from cordboard.telephony.ports import CallEvent, CustomerLeg
from cordboard.telephony.verbs import OutsideNumber

CALL_ID = "01M831M5QWAPGTK2MKGBM9HNBB"
CUSTOMER = OutsideNumber("+442079460123", "PJSIP/+442079460123@trunk", "+442079460100")
LEG = CustomerLeg(f"callback-{CALL_ID}", CALL_ID, CUSTOMER, 25.0, detect_machines=True)
EVENT = {
    "UserEvent": "CordboardCall",
    "Kind": "left",
    "Call": CALL_ID,
    "Cause": "44",
    "At": "1795373770846",
    "Token": "t0ken",
}


def test_the_customer_first_is_a_leg_to_the_customer() -> None:
    wanted = leg_wanted(LEG)
    assert (wanted.device, wanted.extension, wanted.ring_s) == (CUSTOMER.device, "customer", 25.0)
    assert wanted.caller_id == "+442079460100"
    assert wanted.variables == {
        "CORDBOARD_ORIGINATED": CALL_ID,
        "CORDBOARD_CUSTOMER_NUMBER": "+442079460123",
        "CORDBOARD_AMD": "1",
    }


def test_the_agent_first_is_a_leg_of_our_own_that_knows_whom_to_ring() -> None:
    wanted = leg_wanted(replace(LEG, agent_first=True))
    assert (wanted.device, wanted.extension) == ("Local/stand-in@cordboard-callback/n", "stands-in")
    assert wanted.variables["CORDBOARD_CUSTOMER"] == CUSTOMER.device
    assert wanted.variables["CORDBOARD_STAND_IN"] == LEG.leg_id
    assert wanted.variables["CORDBOARD_RING_S"] == "25"


@pytest.mark.parametrize(
    "leg",
    [
        replace(LEG, call_id="x"),
        replace(LEG, customer=replace(CUSTOMER, device="PJSIP/1&PJSIP/2")),
        replace(LEG, customer=replace(CUSTOMER, number="+44,evil")),
    ],
)
def test_what_is_more_than_one_number_is_not_dialled(leg: CustomerLeg) -> None:
    with pytest.raises(SwitchProtocolError):
        leg_wanted(leg)


@pytest.mark.parametrize("kind", ["left", "machine", "gone", "not_reached"])
def test_our_dialplans_events_are_understood(kind: str) -> None:
    headers = EVENT | {"Kind": kind}
    assert is_call_event(headers)
    assert call_event(headers, "t0ken") == CallEvent(kind, CALL_ID, 44, 1795373770.846)  # type: ignore[arg-type]


def test_a_cause_that_is_not_told_is_none() -> None:
    assert call_event(EVENT | {"Cause": ""}, "t0ken").cause == 0


@pytest.mark.parametrize(
    "forged",
    [{"Token": "guess"}, {"Kind": "evil"}, {"Call": "evil"}, {"Cause": "x"}, {"At": "now"}, {"Token": ""}],
)
def test_nobody_else_is_believed(forged: dict[str, str]) -> None:
    with pytest.raises(NotOurs):
        call_event(EVENT | forged, "t0ken")


def test_of_each_header_the_last_one_counts() -> None:
    forged = EVENT | {"Call": ["01M831M5QWAPGTK2MKGBM9HNBC", CALL_ID]}
    assert call_event(forged, "t0ken").call_id == CALL_ID
