"""What the switch reads out of FreeSWITCH's events and lists: agents' legs, ends of calls, phones, lost callers."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from cordboard.errors import SwitchProtocolError
from cordboard.telephony.ports import AgentLegEvent, CustomerLeg, DeviceState
from cordboard.telephony.verbs import OutsideNumber
from esl_apps.agent_legs import agent_leg_event, joined_caller, leg_of, offer_of
from esl_apps.agent_results import result_of_leg, result_of_refusal, talk_of
from esl_apps.call_events import call_event, is_left_alone
from esl_apps.calling_back import leg_wanted
from esl_apps.devices import Devices, place_of_registration, places_of, users_of
from esl_apps.events import EslEvent
from esl_apps.rescue import rescue_callers, still_callers

CALL = "01KAJ5Q8XZC3T4V6W7Y8Z9ABCD"
AT = {"Event-Date-Timestamp": "1795360083285137"}
ANSWERED = {"Caller-Channel-Answered-Time": "1795360082005143"}
BRIDGED = {"Caller-Channel-Bridged-Time": "1795360083285137"}


def event(name: str, leg_id: str = "offer-o1", **headers: str) -> EslEvent:
    """An event as it comes: values are percent-encoded. Variables are written without `variable_`."""
    told = {"Event-Name": name, "Unique-ID": leg_id, **AT, **headers}
    return EslEvent("\n".join(f"{key}: {quote(value)}" for key, value in told.items()).encode())


def leg(name: str, *more: dict[str, str], **named: str) -> EslEvent:
    """An event of an agent's leg."""
    values = {
        "variable_cordboard_caller": "caller",
        **{f"variable_cordboard_{key}": one for key, one in named.items()},
    }
    for part in more:
        values |= part
    return event(name, **values)


def ended(word: str, *more: dict[str, str], **named: str) -> EslEvent:
    return leg("CHANNEL_HANGUP_COMPLETE", {"Hangup-Cause": word}, *more, **named)


def test_the_id_of_an_agents_leg_is_that_of_its_offer() -> None:
    assert offer_of(leg_of("01KAJ5")) == "01KAJ5"
    assert offer_of("02ab12a2-720f-4818-bab0-09b0cd774ccc") == offer_of("offer-") == offer_of("offer-a b") == ""


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (leg("CHANNEL_PROGRESS"), "ringing"),
        (leg("CHANNEL_ANSWER"), "answered"),
        (leg("CHANNEL_BRIDGE", {"Other-Leg-Unique-ID": "caller"}), "joined"),
        (ended("NORMAL_CLEARING", ANSWERED, BRIDGED), "gone"),
        (ended("NO_ANSWER"), "gone"),
        (ended("NO_ANSWER", several="true"), "refused"),
    ],
)
def test_what_an_agents_leg_does(told: EslEvent, kind: str) -> None:
    found = agent_leg_event(told)
    assert isinstance(found, AgentLegEvent)
    assert (found.kind, found.offer_id, found.caller_leg_id, found.at) == (kind, "o1", "caller", 1795360083.285137)


def test_what_is_none_of_an_offer_says_nothing() -> None:
    assert agent_leg_event(event("CHANNEL_ANSWER", "02ab12a2")) is None
    assert agent_leg_event(leg("CHANNEL_BRIDGE", {"Other-Leg-Unique-ID": "somebody"})) is None
    assert agent_leg_event(leg("PLAYBACK_START")) is None


@pytest.mark.parametrize(
    ("more", "by"),
    [
        ({"variable_last_bridge_role": "originator", "variable_sip_hangup_disposition": "recv_bye"}, "agent"),
        (
            {"variable_bridge_hangup_cause": "NORMAL_CLEARING", "variable_sip_hangup_disposition": "send_bye"},
            "caller",
        ),
        ({"Hangup-Cause": "ORIGINATOR_CANCEL"}, "caller"),
        ({"variable_endpoint_disposition": "BLIND_TRANSFER"}, "blind_transfer"),
        ({"variable_endpoint_disposition": "ATTENDED_TRANSFER"}, "attended_transfer"),
        ({"variable_last_bridge_role": "originator", "variable_sip_hangup_disposition": "send_bye"}, ""),
    ],
)
def test_who_ended_a_talk(more: dict[str, str], by: str) -> None:
    found = agent_leg_event(ended("NORMAL_CLEARING", ANSWERED, BRIDGED, more))
    assert found is not None and found.ended_by == by


@pytest.mark.parametrize(
    ("told", "result"),
    [
        (ended("USER_BUSY"), "busy"),
        (ended("CALL_REJECTED"), "rejected"),
        (ended("NO_USER_RESPONSE"), "unavailable"),
        (ended("UNALLOCATED_NUMBER"), "unavailable"),
        (ended("NO_ANSWER"), "no_answer"),
        (ended("USER_NOT_REGISTERED"), "unregistered"),
        (ended("EXCHANGE_ROUTING_ERROR"), "failed"),
        (ended("LOSE_RACE"), "taken"),
        (ended("MANAGER_REQUEST", ANSWERED, key="none"), "withdrawn"),
        (ended("ORIGINATOR_CANCEL", ANSWERED, key="none"), "caller_left"),
        (ended("NORMAL_CLEARING", ANSWERED, key="none"), "left_whisper"),
        (ended("NORMAL_CLEARING", ANSWERED), "left_whisper"),
        (ended("CALL_REJECTED", ANSWERED, key="timeout"), "no_key"),
        (ended("CALL_REJECTED", ANSWERED, key="2"), "declined"),
        (ended("CALL_REJECTED", ANSWERED, key="#"), "declined"),
        (ended("CALL_REJECTED", ANSWERED, key="taken"), "taken"),
    ],
)
def test_why_an_agent_was_not_joined(told: EslEvent, result: str) -> None:
    assert result_of_leg(told) == result


def test_a_leg_that_was_never_made_says_why_by_the_answer_to_its_job() -> None:
    assert result_of_refusal("USER_NOT_REGISTERED") == "unregistered"
    assert result_of_refusal("") == "failed"


def test_a_caller_who_is_back_brings_the_talk() -> None:
    facts = event("", "caller", variable_cordboard_won="o1", variable_cordboard_joined="1795360080000000")
    talk = talk_of(facts)
    assert talk is not None
    assert (talk.offer_id, talk.result, talk.joined_at) == ("o1", "joined", 1795360080.0)
    assert talk_of(event("", "caller", variable_cordboard_won="o1;x")) is None


# -- calls --


def test_a_call_that_nobody_hung_up_was_cut_off() -> None:
    for word, cause in (("MEDIA_TIMEOUT", 44), ("RECOVERY_ON_TIMER_EXPIRE", 102), ("NETWORK_OUT_OF_ORDER", 38)):
        found = call_event(_end(word))
        assert found is not None and (found.kind, found.call_id, found.cause) == ("left", CALL, cause)


def test_a_session_that_was_not_renewed_was_cut_off_though_it_ends_like_a_hang_up() -> None:
    ended_by_sip = {"Hangup-Cause": "NORMAL_CLEARING", "variable_sip_term_status": "200"}
    found = call_event(_end("", **ended_by_sip))
    assert found is not None and (found.kind, found.cause) == ("left", 102)
    assert call_event(_end("", **ended_by_sip, variable_sip_hangup_disposition="recv_bye")) is None


@pytest.mark.parametrize("more", [{"Hangup-Cause": "NORMAL_CLEARING"}, {"variable_cordboard_done": "safe"}])
def test_a_call_that_was_hung_up_was_not(more: dict[str, str]) -> None:
    assert call_event(_end("MEDIA_TIMEOUT", **more)) is None


def test_a_worker_is_told_of_an_end_that_none_has_seen() -> None:
    assert is_left_alone(_end("NORMAL_CLEARING"))
    assert not is_left_alone(_end("NORMAL_CLEARING", variable_cordboard_held="true"))
    assert not is_left_alone(_end("NORMAL_CLEARING", variable_cordboard_done="hung_up"))
    assert not is_left_alone(event("CHANNEL_HANGUP_COMPLETE", "x", variable_cordboard_call="no id"))


def _end(word: str, **more: str) -> EslEvent:
    headers = {"Hangup-Cause": word, "variable_cordboard_call": CALL, **more}
    return event("CHANNEL_HANGUP_COMPLETE", "caller", **headers)


CUSTOMER = OutsideNumber("+442079460123", "sofia/gateway/trunk/442079460123", "+442079460100")
OF_CUSTOMER = {"cordboard_originated": CALL, "cordboard_customer_number": "+442079460123"}


def test_somebody_is_called_back_by_a_leg_that_enters_the_loop() -> None:
    wanted = leg_wanted(CustomerLeg("leg", CALL, CUSTOMER, 30.0))
    assert (wanted.device, wanted.extension, wanted.variables) == (CUSTOMER.device, "customer", OF_CUSTOMER)
    listened_to = leg_wanted(CustomerLeg("leg", CALL, CUSTOMER, 30.0, detect_machines=True))
    assert listened_to.variables == OF_CUSTOMER | {"cordboard_detect": "true"}


def test_the_agent_first_has_a_leg_in_the_customers_stead() -> None:
    wanted = leg_wanted(CustomerLeg("leg", CALL, CUSTOMER, 29.5, agent_first=True))
    assert (wanted.device, wanted.extension) == ("loopback/stand-in/cordboard-callback", "stands-in")
    assert wanted.variables == OF_CUSTOMER | {
        "cordboard_customer": CUSTOMER.device,
        "cordboard_ring_s": "30",
        "cordboard_shown": "+442079460100",
        "loopback_bowout": "false",
    }


@pytest.mark.parametrize(
    "customer",
    [
        OutsideNumber("+442079460123", "sofia/gateway/trunk/1,user/2", ""),
        OutsideNumber("+442079460123", "${system(reboot)}/1", ""),
        OutsideNumber("x", "sofia/gateway/trunk/1", ""),
    ],
)
def test_nobody_is_called_back_who_is_no_number_and_device(customer: OutsideNumber) -> None:
    with pytest.raises(SwitchProtocolError):
        leg_wanted(CustomerLeg("leg", CALL, customer, 30.0))


def test_what_became_of_somebody_who_was_called_back() -> None:
    def told(word: str, *more: dict[str, str], **named: str) -> tuple[str, int] | None:
        found = call_event(ended(word, *more, originated=CALL, **named))
        return None if found is None else (found.kind, found.cause)

    assert told("NORMAL_CLEARING", ANSWERED) == ("gone", 16)
    assert told("NORMAL_CLEARING", ANSWERED, machine="true") == ("machine", 16)
    assert told("NO_ANSWER") is None, "the answer to making the leg tells"
    for word, cause in (("USER_BUSY", 17), ("NO_ANSWER", 19), ("ALLOTTED_TIMEOUT", 19), ("CALL_REJECTED", 21)):
        why = {"variable_originate_disposition": word}
        assert told("NORMAL_CLEARING", ANSWERED, why, not_reached="true", customer="d") == ("not_reached", cause)
    assert told("NORMAL_CLEARING", ANSWERED, customer="d") is None, "the leg behind one that stood in for them"


def test_the_agent_first_is_joined_when_the_customer_picks_up() -> None:
    stand_in = {"Other-Leg-Unique-ID": "caller"}
    assert agent_leg_event(leg("CHANNEL_BRIDGE", stand_in, behind="b-leg")) is None
    told = event("CHANNEL_ANSWER", "customer-o1", variable_cordboard_caller="caller")
    found = agent_leg_event(told)
    assert found is not None and (found.kind, found.offer_id, found.leg_id) == ("joined", "o1", "offer-o1")
    assert found.caller_leg_id == "caller"


# -- phones --

USERS = """userid|context|domain|group|contact|callgroup|effective_caller_id_name|effective_caller_id_number
1001|default|example.org|g|sofia/internal/sip:1001@192.0.2.7:5060|||1001
1002|default|example.org|g|error/user_not_registered|||1002

+OK
"""


def test_the_users_of_a_directory_and_whether_they_are_registered() -> None:
    assert users_of(USERS) == {"1001": True, "1002": False}
    assert users_of("-ERR") == {}


def test_a_phone_has_the_names_that_agents_yaml_can_say() -> None:
    devices = Devices()
    for place in places_of(USERS):
        devices.note_place(place)
    found = devices.list(users_of(USERS), [])
    assert [name for name, state in found.items() if state is DeviceState.IDLE] == [
        "user/1001",
        "user/1001@example.org",
        "sofia/internal/1001@example.org",
        "sofia/internal/1001%example.org",
    ]
    assert found["user/1002@example.org"] is DeviceState.UNAVAILABLE


def test_a_phone_of_no_listed_directory_is_known_by_its_registration() -> None:
    row = {"reg_user": "1003", "realm": "example.org", "url": "sofia/external/sip:1003@192.0.2.9:5060"}
    assert place_of_registration(row) == ("1003", "example.org", "external")
    assert place_of_registration({}) == ("", "", "")


def test_a_phone_is_busy_while_it_has_a_channel_and_away_while_it_is_not_registered() -> None:
    devices = Devices()
    row = {"uuid": "a", "presence_id": "1001@example.org", "callstate": "ACTIVE"}
    trunk = {"uuid": "b", "presence_id": "+4420@192.0.2.1", "callstate": "ACTIVE"}
    assert devices.list(users_of(USERS), [row, trunk]) == {
        "user/1001": DeviceState.IN_USE,
        "user/1002": DeviceState.UNAVAILABLE,
    }
    assert devices.forget_leg("a") == ("1001", DeviceState.IDLE)
    assert devices.note_leg("c", "1001@example.org", rings=True) == ("1001", DeviceState.RINGING)
    assert devices.note_leg("c", "1001@example.org", rings=False) == ("1001", DeviceState.IN_USE)
    assert devices.note_leg("d", "+4420@192.0.2.1", rings=False) is None
    assert devices.note_registration("1002", is_registered=True) is DeviceState.IDLE


def test_what_an_event_has_told_goes_before_a_list_that_is_late() -> None:
    devices = Devices()
    devices.note_registration("1002", is_registered=True)
    assert devices.list(users_of(USERS), [])["user/1002"] is DeviceState.IDLE
    devices.forget_told()
    assert devices.list(users_of(USERS), [])["user/1002"] is DeviceState.UNAVAILABLE


def test_a_late_list_neither_holds_a_channel_that_has_ended_nor_drops_one_that_has_begun() -> None:
    devices = Devices()
    late = {"uuid": "a", "presence_id": "1001@example.org", "callstate": "ACTIVE"}
    devices.list(users_of(USERS), [late])
    assert devices.forget_leg("a") == ("1001", DeviceState.IDLE)
    assert devices.list(users_of(USERS), [late])["user/1001"] is DeviceState.IDLE
    assert devices.note_leg("a", "1001@example.org", rings=False) is None, "told late"
    devices.note_leg("b", "1001@example.org", rings=False)
    assert devices.list(users_of(USERS), [])["user/1001"] is DeviceState.IN_USE
    assert devices.list(users_of(USERS), [])["user/1001"] is DeviceState.IDLE, "its end was not told"
    devices.note_leg("c", "1001@example.org", rings=False)
    devices.forget_told()
    assert devices.list(users_of(USERS), [])["user/1001"] is DeviceState.IDLE, "it may have ended unheard"


# -- lost callers --


def row(leg_id: str, **more: str) -> dict[str, str]:
    return {"uuid": leg_id, "call_uuid": leg_id, "application": "playback", "state": "CS_EXECUTE", **more}


def test_who_is_joined_is_seen_by_the_one_call_that_the_two_are() -> None:
    rows = [row("caller", call_uuid="offer-o1"), row("offer-o1"), row("other")]
    assert joined_caller("offer-o1", rows) == "caller"
    assert joined_caller("offer-o2", rows) == ""


def test_callers_are_lost_who_stand_still_and_are_joined_with_nobody() -> None:
    rows = [
        row("parked", application="park", state="CS_PARK", call_uuid=""),
        row("reset", state="CS_RESET"),
        row("waits"),
        row("talks", state="CS_HIBERNATE", call_uuid="offer-o1"),
        row("offer-o1", state="CS_HIBERNATE"),
        row("has-called", application="park", state="CS_PARK"),
        row("called", call_uuid="has-called"),
    ]
    assert still_callers(rows) == {"parked", "reset"}


class Switch:
    """A switch with some channels. mine: those of our calls."""

    def __init__(self, *lists: list[dict[str, str]], mine: str) -> None:
        self.lists = list(lists)
        self.mine = mine
        self.sent: list[tuple[str, str, str]] = []

    async def channels(self) -> list[dict[str, str]]:
        return self.lists.pop(0)

    async def variable(self, leg_id: str, name: str) -> str:
        return CALL if leg_id == self.mine and name == "cordboard_call" else ""

    async def redirect(self, leg_id: str, *, context: str, extension: str) -> bool:
        self.sent.append((leg_id, extension, context))
        return True


async def test_a_caller_of_ours_who_stands_still_twice_is_fetched() -> None:
    once = row("once", state="CS_PARK")
    lost, foreign = row("lost", state="CS_PARK"), row("foreign", state="CS_PARK")
    switch = Switch([once, lost, foreign], [row("once"), lost, foreign], mine="lost")
    assert await rescue_callers(switch, sure_s=0.0) == 1
    assert switch.sent == [("lost", "late", "cordboard-call")]
