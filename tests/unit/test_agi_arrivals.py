"""From Asterisk's facts to an arrival: new, resumed, returned and ended calls, and strangers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agi_scripts.arrivals import arrival_of
from agi_scripts.environment import Environment
from cordboard.edge.checkpoints import is_checkpoint
from cordboard.errors import SwitchProtocolError
from cordboard.telephony.call_id import is_call_id, new_call_id
from cordboard.telephony.outcomes import Connected, Done, Failed, NotConnected, Outcome
from cordboard.telephony.ports import Arrival
from tests.doubles.fake_asterisk import TOKEN, new_call


def arrive(arguments: list[str], script: str = "call") -> Arrival:
    environment = Environment(script, "lab-1.1", "en", tuple(arguments))
    return arrival_of(environment, token=TOKEN, switch="asterisk")


def test_a_new_call_gets_an_id() -> None:
    arrival = arrive(new_call(name="Zo%C3%AB%20(x"))
    assert is_call_id(arrival.call.call_id)
    assert (arrival.call.dnis, arrival.call.ani) == ("5000", "442079460123")
    assert arrival.call.caller_name == "Zoë (x"
    assert arrival.call.leg_id == "lab-1.1"
    assert arrival.call.started_at == datetime(2026, 11, 22, 15, 48, 1, 123000, UTC)
    assert (arrival.checkpoint, arrival.returned, arrival.ended) == ("", None, False)


def test_a_name_drives_no_terminal() -> None:
    assert arrive(new_call(name="%1B]0;x%07%C2%9B2J%E2%80%AEZo%C3%AB")).call.caller_name == "]0;x2JZoë"


def test_a_resumed_call_keeps_its_id_and_checkpoint() -> None:
    call_id = new_call_id()
    arrival = arrive(new_call(call_id=call_id, checkpoint="a:support~menu.2-1"))
    assert arrival.call.call_id == call_id
    assert arrival.checkpoint == "a:support~menu.2-1"


def test_an_ended_call_says_so() -> None:
    assert arrive(new_call(call_id=new_call_id()), script="ended").ended


RETURNED: list[tuple[str, Outcome]] = [
    ("dial.ANSWER.16.12345", Connected(12.345)),
    ("dial.ANSWER.16.", Connected(0.0)),
    ("dial.BUSY.17.", NotConnected("busy")),
    ("dial.DECLINED.16.0", NotConnected("rejected")),
    ("dial.BUSY.17.ANSWER.16.1500", Connected(1.5)),
    ("dial.BUSY.17.NOANSWER.0.CHANUNAVAIL.3.0", NotConnected("no_answer")),
    ("dial.CHANUNAVAIL.3.DECLINED.16.BUSY.17.0", NotConnected("rejected")),
    ("dial.BUSY.17.CHANUNAVAIL.3.0", NotConnected("busy")),
    ("dial.CHANUNAVAIL.3.INVALIDARGS.0.0", NotConnected("unreachable")),
    ("dial.CHANUNAVAIL.21.", NotConnected("rejected")),
    ("dial.CHANUNAVAIL.3.", NotConnected("unreachable")),
    ("dial.NOANSWER.0.", NotConnected("no_answer")),
    ("dial.NOANSWER.21.", NotConnected("no_answer")),  # 21 is left over from an agent who sent 603
    ("dial.NOANSWER.19.", NotConnected("no_answer")),
    ("dial.CONGESTION.34.", NotConnected("unreachable")),
    ("dial.INVALIDARGS..", Failed("dial failed")),
    ("voicemail.SUCCESS", Done()),
    ("voicemail.USEREXIT", Done()),
    ("voicemail.FAILED", Failed("voicemail failed")),
]


@pytest.mark.parametrize(("text", "outcome"), RETURNED)
def test_what_the_dialplan_did_comes_back_as_an_outcome(text: str, outcome: Outcome) -> None:
    assert arrive(new_call(call_id=new_call_id(), returned=text)).returned == outcome


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        new_call(token="other"),
        new_call(token=""),
        new_call(token="\u00e9"),
        new_call()[:-1],
        [*new_call(), "x"],
        new_call(call_id="../../etc"),
        new_call(call_id="01M81ZC53D341ZRA5YTGTBTDPG\n"),
        new_call(checkpoint="a b"),
        new_call(checkpoint="a" * 513),
        new_call(dnis="5000&Zap/g1/0900"),
        new_call(ani="1;2"),
        new_call(began="soon"),
        new_call(began="1e400"),
        new_call(returned="dial.ANSWER"),
        new_call(returned="agent"),
        new_call(returned="agent.o1.ANSWER.16.none..1795373770017.more"),
        new_call(returned="agent..ANSWER.16.none..1795373770017"),
        new_call(returned="agent.o1.ANSWER.16.none.."),
        new_call(returned="agent.o1.ANSWER.16.none..-1"),
        new_call(returned="agent.o/1.ANSWER.16.none..1795373770017"),
        new_call(returned="system.rm"),
    ],
)
def test_strangers_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SwitchProtocolError):
        arrive(arguments)


def test_an_unknown_script_is_refused() -> None:
    with pytest.raises(SwitchProtocolError):
        arrive(new_call(), script="admin")


@pytest.mark.parametrize(
    ("text", "fits"), [("", True), ("a" * 512, True), ("a" * 513, False), ("a,b", False), ("é", False)]
)
def test_checkpoints_have_their_alphabet(text: str, fits: bool) -> None:
    assert is_checkpoint(text) is fits


def test_call_ids_are_unique_and_sort_by_time() -> None:
    ids = [new_call_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert all(map(is_call_id, ids))
    assert sorted(one[:10] for one in ids) == [one[:10] for one in ids]
