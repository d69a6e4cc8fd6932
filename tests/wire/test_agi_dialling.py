"""Ring groups, screening, numbers outside and transfers on the wire: what the phone asks of Asterisk 22.10.1."""

from __future__ import annotations

import pytest

from cordboard.errors import SwitchProtocolError
from cordboard.telephony.outcomes import Failed, HandedOver, NotConnected, Transferred
from cordboard.telephony.verbs import (
    AgentDevice,
    Destination,
    Dial,
    DialTarget,
    Extension,
    OutsideNumber,
    Say,
    Transfer,
)
from tests.doubles.agi_line import perform
from tests.doubles.fake_asterisk import RAN
from tests.doubles.fixed_sounds import prompt

ALICE, BOB = Extension("1001", "PJSIP/1001"), AgentDevice("bob", "PJSIP/1002")
LONDON = OutsideNumber("+442079460123", "PJSIP/+442079460123@trunk", "+442079460100")
IS, IS_NOT = "200 result=1 (1)", "200 result=1 (0)"
NAMES = ("DEVICE", "IN_ORDER", "SCREEN", "SCREENED", "SCREENED_BY", "CALLER_ID", "CALLER_ID_OF")


async def dialled(verb: Dial) -> dict[str, str]:
    """What is written on the channel, without the part of the names that all share."""
    outcome, asked, variables = await perform(verb, [])
    assert (outcome, asked) == (HandedOver(), [])
    assert (variables["CORDBOARD_NEXT"], variables["CORDBOARD_CP"]) == ("dial", "cp:1")
    return {name: variables[f"CORDBOARD_{name}"] for name in NAMES if variables[f"CORDBOARD_{name}"]}


DIALLED: list[tuple[Dial, dict[str, str]]] = [
    (Dial((ALICE,), 15), {"DEVICE": "PJSIP/1001"}),
    (Dial((ALICE, BOB), 15), {"DEVICE": "PJSIP/1001&PJSIP/1002"}),
    (Dial((ALICE, BOB), 15, in_order=True), {"DEVICE": "PJSIP/1001&PJSIP/1002", "IN_ORDER": "1"}),
    (Dial((ALICE,), 15, screen=(prompt("a"),)), {"DEVICE": "PJSIP/1001", "SCREEN": "/prompts/a"}),
    (
        Dial((ALICE, BOB), 15, in_order=True, screen=(prompt("a"), prompt("b"))),
        {"DEVICE": "PJSIP/1001&PJSIP/1002", "IN_ORDER": "1", "SCREEN": "/prompts/a&/prompts/b"},
    ),
    (
        Dial((ALICE, BOB), 15, screen=(prompt("a"),)),
        {
            "DEVICE": "Local/1@cordboard-screened/n&Local/2@cordboard-screened/n",
            "SCREENED": "PJSIP/1001&PJSIP/1002",
            "SCREENED_BY": "/prompts/a",
        },
    ),
    (
        Dial((LONDON, ALICE), 15),
        {
            "DEVICE": "PJSIP/+442079460123@trunk&PJSIP/1001",
            "CALLER_ID": "+442079460100",
            "CALLER_ID_OF": "PJSIP/trunk-",
        },
    ),
]


@pytest.mark.parametrize(("verb", "written"), DIALLED)
async def test_who_is_rung_is_written_on_the_channel(verb: Dial, written: dict[str, str]) -> None:
    assert await dialled(verb) == written


@pytest.mark.parametrize(
    ("device", "names"),
    [
        ("PJSIP/44123@trunk", "PJSIP/trunk-"),
        ("PJSIP/trunk/sip:44123@carrier.example:5060", "PJSIP/trunk-"),
        ("DAHDI/g1/44123", "DAHDI/"),
    ],
)
async def test_the_number_of_ours_goes_with_the_trunk_alone(device: str, names: str) -> None:
    verb = Dial((OutsideNumber("+44123", device, "+442079460100"),), 15)
    assert (await dialled(verb))["CALLER_ID_OF"] == names


async def test_digits_are_said_to_who_is_called_with_asterisks_own_sounds() -> None:
    verb = Dial((ALICE,), 15, screen=(prompt("a"), Say("digits", "44*", "en")))
    assert (await dialled(verb))["SCREEN"] == "/prompts/a&digits/4&digits/4&digits/star"


@pytest.mark.parametrize("said", [prompt("missing"), Say("number", "7", "en"), Say("digits", "1&Hangup", "en")])
async def test_what_cannot_be_said_to_who_is_called_fails_before_anybody_is_rung(said: object) -> None:
    outcome, asked, variables = await perform(Dial((ALICE,), 15, screen=(said,)), [])  # type: ignore[arg-type]
    assert isinstance(outcome, Failed)
    assert (asked, variables) == ([], {})


NO_TARGETS: list[tuple[DialTarget, ...]] = [
    (),
    (ALICE, Extension("1", "PJSIP/1&PJSIP/2")),
    (OutsideNumber("+44", "PJSIP/+44@trunk,30,tT"),),
    (OutsideNumber("+44", "PJSIP/+44@trunk", '<+44>" & 1'),),
    (AgentDevice("bob", ""),),
    (ALICE,) * 21,
]


@pytest.mark.parametrize("targets", NO_TARGETS)
async def test_what_is_no_device_or_number_is_never_written(targets: tuple[DialTarget, ...]) -> None:
    with pytest.raises(SwitchProtocolError):
        await perform(Dial(targets, 15), [])
    if len(targets) == 1:
        with pytest.raises(SwitchProtocolError):
            await perform(Transfer(targets[0]), [IS])


# -- transfers --

RECEPTION = Destination("reception", "from-internal,100,1")
OURS = ["GET", "VARIABLE", "DIALPLAN_EXISTS(cordboard-call,away,1)"]
THEIRS = ["GET", "VARIABLE", "DIALPLAN_EXISTS(from-internal,100,1)"]


async def test_a_call_is_given_to_a_place_in_the_dialplan() -> None:
    outcome, asked, variables = await perform(Transfer(RECEPTION), [IS, IS])
    assert outcome == Transferred()
    assert asked == [OURS, THEIRS]
    assert variables["CORDBOARD_DONE"] == "away"
    place = [variables[f"CORDBOARD_TO_{name}"] for name in ("CONTEXT", "EXTEN", "PRIORITY")]
    assert place == ["from-internal", "100", "1"]


@pytest.mark.parametrize("target", [ALICE, BOB, LONDON])
async def test_a_call_is_given_to_a_device(target: DialTarget) -> None:
    outcome, asked, variables = await perform(Transfer(target), [IS])
    assert (outcome, asked) == (Transferred(), [OURS])
    assert (variables["CORDBOARD_DEVICE"], variables["CORDBOARD_TO_CONTEXT"]) == (target.device, "")


async def test_a_place_that_the_dialplan_has_not_leaves_the_call_with_us() -> None:
    outcome, _, variables = await perform(Transfer(RECEPTION), [IS, IS_NOT])
    assert outcome == NotConnected("unreachable")
    assert "CORDBOARD_DONE" not in variables


async def test_an_asterisk_that_cannot_tell_is_believed_to_have_it() -> None:
    assert (await perform(Transfer(RECEPTION), [RAN, RAN]))[0] == Transferred()


async def test_a_dialplan_of_an_earlier_release_knows_no_transfers_and_is_not_asked_for_one() -> None:
    outcome, _, variables = await perform(Transfer(RECEPTION), [IS_NOT])
    assert isinstance(outcome, Failed) and "install-dialplan" in outcome.reason
    assert "CORDBOARD_DONE" not in variables


@pytest.mark.parametrize("place", ["", "a,b", "a,b,c,d", "a,${X},1", "a,b,1)\nx", 'a,b"c,1', "a,b,s"])
async def test_what_is_no_place_is_never_written(place: str) -> None:
    with pytest.raises(SwitchProtocolError):
        await perform(Transfer(Destination("x", place)), [])
