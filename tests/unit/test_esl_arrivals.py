"""Arrivals from what FreeSWITCH says of a channel: whose call it is, and what came of what the dialplan did."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from cordboard.errors import SwitchProtocolError
from cordboard.telephony.outcomes import Connected, Done, Failed, NotConnected, Outcome
from cordboard.telephony.ports import Arrival
from esl_apps.arrivals import arrival_of
from esl_apps.events import EslEvent

CALL_ID = "01KAJ5Q8XZC3T4V6W7Y8Z9ABCD"
USUAL = {
    "Unique-ID": "f5818865",
    "Caller-Caller-ID-Number": "+442079460123",
    "Caller-Caller-ID-Name": "Ada",
    "Caller-Destination-Number": "loop",
    "Caller-Channel-Created-Time": "1795353368225141",
    "variable_cordboard_dnis": "5000",
    "variable_cordboard_token": "t0ken",
}


def arrival(**more: str) -> Arrival:
    headers = USUAL | {f"variable_{name}": value for name, value in more.items()}
    return read(headers)


def read(headers: dict[str, str]) -> Arrival:
    block = "".join(f"{name}: {quote(value, safe='')}\n" for name, value in headers.items())
    return arrival_of(EslEvent(block.encode()), token="t0ken", switch="freeswitch")


def test_a_new_call_has_a_new_id_and_what_the_network_said() -> None:
    call = arrival().call
    assert (call.ani, call.dnis, call.caller_name, call.leg_id) == ("+442079460123", "5000", "Ada", "f5818865")
    assert call.started_at.timestamp() == 1795353368.225141
    assert call.call_id != arrival().call.call_id


def test_a_call_that_comes_back_is_the_same_and_stands_where_it_stood() -> None:
    found = arrival(cordboard_call=CALL_ID, cordboard_checkpoint="support:abc:main")
    assert (found.call.call_id, found.checkpoint, found.returned) == (CALL_ID, "support:abc:main", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"cordboard_token": "guessed"},
        {"cordboard_call": "not-an-id"},
        {"cordboard_checkpoint": "a b"},
        {"cordboard_checkpoint": "x" * 513},
    ],
)
def test_what_is_not_of_our_dialplan_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SwitchProtocolError):
        arrival(**wrong)


def test_numbers_and_names_are_text_and_nothing_else() -> None:
    forged = {
        "Caller-Caller-ID-Number": "+44${system(id)}\n\nx",
        "Caller-Caller-ID-Name": "Bob\nvariable_cordboard_token: x\x9b2J\u202e",
    }
    call = read(USUAL | forged).call
    assert call.ani == "+44systemidx"
    assert call.caller_name == "Bob variable_cordboard_token: x2J"


RETURNED: list[tuple[dict[str, str], Outcome]] = [
    ({"originate_disposition": "USER_BUSY"}, NotConnected("busy")),
    ({"originate_disposition": "CALL_REJECTED"}, NotConnected("rejected")),
    ({"originate_disposition": "ALLOTTED_TIMEOUT"}, NotConnected("no_answer")),
    ({"originate_disposition": "USER_NOT_REGISTERED"}, NotConnected("unreachable")),
    ({"originate_disposition": "ALLOTTED_TIMEOUT", "cordboard_picked_up": "1"}, NotConnected("rejected")),
    (
        {"originate_disposition": "USER_BUSY", "originate_causes": "ARRAY::a;USER_BUSY|:b;ALLOTTED_TIMEOUT"},
        NotConnected("no_answer"),
    ),
    ({"originate_disposition": "NO_ANSWER", "originate_causes": "a;NONE"}, NotConnected("no_answer")),
    ({}, Failed("dial failed")),
    (
        {
            "originate_disposition": "SUCCESS",
            "cordboard_picked_up": "1",
            "cordboard_joined": "1795353368000000",
            "cordboard_left": "1795353370500000",
        },
        Connected(2.5),
    ),
    ({"originate_disposition": "SUCCESS"}, Connected(0.0)),
]


@pytest.mark.parametrize(("left", "outcome"), RETURNED)
def test_what_bridge_left_on_the_channel_is_an_outcome(left: dict[str, str], outcome: Outcome) -> None:
    assert arrival(cordboard_returned="dial", **left).returned == outcome


def test_voicemail_comes_back_done() -> None:
    assert arrival(cordboard_returned="voicemail").returned == Done()
