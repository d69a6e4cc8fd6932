"""Several agents rung at once, on the wire: what the dialplan is told to do, and what it brings back."""

from __future__ import annotations

import pytest

from agi_scripts.agent_results import agents_rung
from agi_scripts.arrivals import arrival_of
from agi_scripts.environment import Environment
from cordboard.errors import SwitchProtocolError
from cordboard.telephony.outcomes import AgentRung, HandedOver
from cordboard.telephony.verbs import MAX_TARGETS, AgentPhone, RingAgent
from tests.doubles.agi_line import perform
from tests.doubles.fake_asterisk import RAN

NOW, NOW_MS = 1795373770.017, "1795373770017"
JOINED, JOINED_MS = 1795373760.5, "1795373760500"


def ring(*phones: AgentPhone) -> RingAgent:
    return RingAgent("o-1", "PJSIP/1001", 14.2, "default", also=phones)


async def test_each_phone_is_written_with_its_offer_for_the_leg_that_rings_it() -> None:
    outcome, _, variables = await perform(
        ring(AgentPhone("o-2", "PJSIP/1002"), AgentPhone("o-3", "Local/3@x/n")), [RAN]
    )
    assert outcome == HandedOver()
    written = {name: value for name, value in variables.items() if "PHONE" in name or "OFFER" in name}
    assert written == {
        "CORDBOARD_PHONES": "3",
        "_CORDBOARD_PHONE_1": "PJSIP/1001",
        "_CORDBOARD_OFFER_1": "o-1",
        "_CORDBOARD_PHONE_2": "PJSIP/1002",
        "_CORDBOARD_OFFER_2": "o-2",
        "_CORDBOARD_PHONE_3": "Local/3@x/n",
        "_CORDBOARD_OFFER_3": "o-3",
    }
    assert (variables["CORDBOARD_NEXT"], variables["CORDBOARD_RING_S"]) == ("agents", "15")


@pytest.mark.parametrize(
    "phones",
    [
        (AgentPhone("o-2", "PJSIP/1002&PJSIP/1003"),),
        (AgentPhone("o 2", "PJSIP/1002"),),
        tuple(AgentPhone(f"o-{number}", "PJSIP/1002") for number in range(2, MAX_TARGETS + 2)),
    ],
    ids=["two devices", "no offer", "too many"],
)
async def test_what_is_more_than_a_phone_or_too_many_of_them_is_refused(phones: tuple[AgentPhone, ...]) -> None:
    with pytest.raises(SwitchProtocolError):
        await perform(ring(*phones), [])


def returned(winner: str, *phones: str) -> str:
    joined_ms = JOINED_MS if winner else ""
    return f"agents.{NOW_MS}.{winner}.{joined_ms}." + ".".join(phones)


def of(text: str) -> dict[str, str]:
    first = agents_rung(text.split(".")[1:])
    return {one.offer_id: one.result for one in (first, *first.others)}


def test_who_was_joined_comes_first_and_the_others_lost_it_to_them() -> None:
    text = returned("o-2", "o-1.STOPPED..unset", "o-2.STOPPED..unset", "o-3.LEFT..unset")
    assert agents_rung(text.split(".")[1:]) == AgentRung(
        "o-2", "joined", JOINED, NOW, (AgentRung("o-1", "taken", None, NOW), AgentRung("o-3", "taken", None, NOW))
    )


@pytest.mark.parametrize(
    ("words", "result"),
    [
        ("STOPPED..unset", "taken"),
        ("ANSWER.16.withdrawn", "taken"),
        ("ANSWER.16.taken", "taken"),
        ("NOANSWER.0.unset", "no_answer"),
        ("CHANUNAVAIL.21.unset", "rejected"),
        ("ANSWER.16.2", "declined"),
        ("ANSWER.16.none", "left_whisper"),
    ],
)
def test_a_phone_that_had_its_say_before_somebody_was_joined_keeps_it(words: str, result: str) -> None:
    assert of(returned("o-2", f"o-1.{words}", "o-2.STOPPED..unset"))["o-1"] == result


def test_nobody_was_joined() -> None:
    assert of(returned("", "o-1.NOANSWER.0.unset", "o-2.BUSY.17.unset", "o-3.STOPPED..unset")) == {
        "o-1": "no_answer",
        "o-2": "busy",
        "o-3": "withdrawn",
    }


def test_the_caller_left() -> None:
    assert of(returned("", "o-1.LEFT..unset", "o-2.CHANUNAVAIL.21.unset")) == {
        "o-1": "caller_left",
        "o-2": "rejected",
    }


@pytest.mark.parametrize(
    "text",
    [
        f"agents.{NOW_MS}..",
        f"agents.{NOW_MS}...o-1.NOANSWER.0",
        "agents.now...o-1.NOANSWER.0.unset",
        f"agents.{NOW_MS}...o 1.NOANSWER.0.unset",
        "agents",
    ],
)
def test_what_is_not_our_dialplans_is_refused(text: str) -> None:
    with pytest.raises(SwitchProtocolError):
        agents_rung(text.split(".")[1:])


def test_it_arrives_with_the_call() -> None:
    text = returned("", "o-1.NOANSWER.0.unset", "o-2.BUSY.17.unset")
    arguments = ("", "cp:1", "5000", "", text, "1795373770.017", "t0ken", "")
    arrival = arrival_of(Environment("call", "lab-1.1", "en", arguments), token="t0ken", switch="asterisk")
    assert isinstance(arrival.returned, AgentRung)
    assert [one.result for one in arrival.returned.others] == ["busy"]
