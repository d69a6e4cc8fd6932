"""Which agents' phones the callers of each switch can be joined to: what the settings say, and who is offered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cordboard.acd.model import Agent, FloorPlan, Moment, Queue, WaitingCall
from cordboard.acd.needs_json import asks_as_json, needs_as_json, needs_from_json
from cordboard.acd.why_waiting import Around, why_waiting
from cordboard.bootstrap.reach_checks import reach_findings, unreachable_devices, with_ways
from cordboard.config.findings import Finding
from cordboard.config.yaml_reader import parse_yaml
from cordboard.errors import ConfigurationError
from cordboard.flows.loader import load_flow
from cordboard.flows.surroundings import Surroundings
from cordboard.service.crossing import Crossing
from cordboard.settings import load_settings
from cordboard.store.acd_values import Entered, Entering
from cordboard.store.leases import observer_lease
from cordboard.telephony.dial_policy import DialPolicy
from cordboard.telephony.needs import Needs
from cordboard.telephony.outside_numbers import parse_outside
from cordboard.telephony.ports import DeviceState
from cordboard.telephony.reach import Reach, bad_trunk, extension_of, switch_of
from cordboard.telephony.verbs import AgentDevice, Destination, Dial, DialTarget, Extension, OutsideNumber, Transfer
from tests.doubles.floor_kit import FloorKit

BOTH = ("asterisk", "freeswitch")
PLAN = FloorPlan(
    queues={"sales": Queue("sales")},
    agents={
        "alice": Agent("alice", "Alice", "PJSIP/1001", ("sales",)),
        "fred": Agent("fred", "Fred", "user/1002@example.org", ("sales",)),
    },
)
TRUNK = {"freeswitch": {"asterisk": "sofia/gateway/asterisk/{extension}"}}


@pytest.mark.parametrize(
    ("device", "switch", "extension"),
    [
        ("PJSIP/1001", "asterisk", "1001"),
        ("Local/1001@agents/n", "asterisk", "1001"),
        ("SIP/trunk/1001", "asterisk", "1001"),
        ("user/1001", "freeswitch", "1001"),
        ("user/1001@example.org", "freeswitch", "1001"),
        ("sofia/internal/1001@10.0.0.9", "freeswitch", "1001"),
        ("sofia/internal/1001%example.org", "freeswitch", "1001"),
        ("sofia/internal/sip:1001@10.0.0.9", "freeswitch", "1001"),
        ("PJSIP/", "asterisk", ""),
    ],
)
def test_a_device_says_which_switch_it_is_of_and_how_it_is_called_there(
    device: str, switch: str, extension: str
) -> None:
    assert (switch_of(device), extension_of(device)) == (switch, extension)


def test_a_phone_of_the_other_switch_is_rung_over_the_trunk_if_there_is_one() -> None:
    assert Reach(BOTH).ways("PJSIP/1001") == {"asterisk": "PJSIP/1001"}
    ways = Reach(BOTH, TRUNK).ways("PJSIP/1001")
    assert ways == {"asterisk": "PJSIP/1001", "freeswitch": "sofia/gateway/asterisk/1001"}
    assert Reach(BOTH, TRUNK).ways("user/1002") == {"freeswitch": "user/1002"}


def test_with_one_switch_nothing_is_kept_of_it() -> None:
    plan = with_ways(replace(PLAN, agents={"alice": PLAN.agents["alice"]}), Reach(("asterisk",)))
    assert plan.agents["alice"].ways == {}
    assert plan.agents["alice"].rung_from("asterisk") == "PJSIP/1001"


@pytest.mark.parametrize(
    ("switch", "other", "device"),
    [
        ("asterisk", "asterisk", "PJSIP/{extension}"),
        ("asterisk", "freeswitch", "PJSIP/1001@freeswitch"),
        ("asterisk", "freeswitch", "sofia/gateway/fs/{extension}"),
        ("freeswitch", "asterisk", "sofia/gateway/asterisk/{extension}&user/1"),
        ("freeswitch", "asterisk", "{extension}"),
    ],
)
def test_a_trunk_that_cannot_be_is_told(switch: str, other: str, device: str) -> None:
    assert bad_trunk(switch, other, device) is not None  # type: ignore[arg-type]


def test_a_good_trunk_is_not() -> None:
    assert bad_trunk("freeswitch", "asterisk", "sofia/gateway/asterisk/{extension}") is None
    assert bad_trunk("asterisk", "freeswitch", "PJSIP/{extension}@freeswitch") is None


def test_a_phone_that_no_call_can_reach_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "agents.yaml").write_text("agents:\n  fred: {device: user/1002}\n")
    [finding] = reach_findings(tmp_path, PLAN, Reach(("asterisk",)))
    assert (finding.code, finding.line) == ("unreachable-device", 2)
    assert "freeswitch" in finding.message


SETTINGS = """\
switches: [{switches}]
extensions:
  "0": user/1000
  1XX: {device}
outside: {{device: "{trunk}", countries: [GB]}}
country: GB
"""


@pytest.mark.parametrize(
    ("switches", "device", "trunk", "lines"),
    [
        ("freeswitch", "user/{extension}", "sofia/gateway/carrier/{number}", []),
        ("freeswitch", "PJSIP/{extension}", "PJSIP/{number}@carrier", [4, 5]),
        ("asterisk, freeswitch", "PJSIP/{extension}", "PJSIP/{number}@carrier", []),
    ],
)
def test_what_flows_may_dial_and_no_call_can_ring_is_a_fault(
    tmp_path: Path, switches: str, device: str, trunk: str, lines: list[int]
) -> None:
    (tmp_path / "cordboard.yaml").write_text(SETTINGS.format(switches=switches, device=device, trunk=trunk))
    found = list(unreachable_devices(*load_settings(tmp_path, {})))
    assert [finding.line for finding in found] == lines
    assert {finding.code for finding in found} <= {"unreachable-device"}


OUTSIDE = OutsideNumber("+442079460123", "PJSIP/+442079460123@carrier")


@pytest.mark.parametrize(
    ("switch", "target", "device"),
    [
        ("freeswitch", Extension("21", "PJSIP/1001"), "sofia/gateway/asterisk/1001"),
        ("freeswitch", AgentDevice("alice", "PJSIP/1001"), "sofia/gateway/asterisk/1001"),
        ("asterisk", Extension("21", "PJSIP/1001"), "PJSIP/1001"),
        ("asterisk", Extension("22", "user/1002"), None),
        ("asterisk", OUTSIDE, OUTSIDE.device),
        ("freeswitch", OUTSIDE, None),
        ("simulator", Extension("22", "user/1002"), "user/1002"),
    ],
)
def test_what_a_flow_dials_is_rung_over_the_trunk_too(switch: str, target: DialTarget, device: str | None) -> None:
    rung = Reach(BOTH, TRUNK).rung_from(switch, target)
    assert (rung.device if rung is not None else None) == device


def test_of_a_group_those_who_cannot_be_reached_are_left_out() -> None:
    crossing = Crossing(Reach(BOTH, TRUNK))
    here, there = Extension("21", "PJSIP/1001"), Extension("22", "user/1002")
    assert crossing.rung_from("asterisk", Dial((here, there), 20.0)) == Dial((here,), 20.0)
    assert crossing.rung_from("asterisk", Dial((there,), 20.0)) is None
    assert crossing.rung_from("asterisk", Transfer(there)) is None
    place = Transfer(Destination("reception", "default,100,1"))
    assert crossing.rung_from("asterisk", place) is place


@pytest.mark.parametrize(
    ("node", "column"),
    [
        ('{dial: "22", otherwise: bye}', 13),
        ("{dial: {agent: fred}, otherwise: bye}", 21),
        ('{dial: {group: ["0", {extension: "22"}]}, otherwise: bye}', 39),
        ('{transfer: "22", otherwise: bye}', 17),
        ('{dial: {number: "+44 20 7946 0123"}, otherwise: bye}', 22),
        ('{dial: "0", otherwise: bye}', 0),
    ],
)
def test_a_flow_that_dials_whom_callers_of_a_switch_do_not_reach_is_a_fault(node: str, column: int) -> None:
    around = Surroundings(
        dial_policy=DialPolicy.of(
            {"0": "PJSIP/1000", "22": "user/1002"},
            parse_outside("sofia/gateway/carrier/{number}", countries=["GB"]),
        ),
        agents={"fred": "user/1002"},
        switches=BOTH,
        reach=Reach(BOTH, TRUNK),
    )
    text = f"flow: f\nstart: a\non_failure: bye\nnodes:\n  a: {node}\n  bye: {{hangup: normal}}\n"
    try:
        found: Sequence[Finding] = load_flow(parse_yaml(text.encode(), "f.yaml"), around).warnings
    except ConfigurationError as refused:
        found = refused.findings
    lacking = [(one.line, one.column) for one in found if one.code == "switch-lacks"]
    assert lacking == ([(5, column)] if column else [])


def test_the_switch_is_a_part_of_what_makes_callers_alike() -> None:
    needs = Needs(require=(("spanish", 3),), switch="freeswitch")
    assert needs_from_json(needs_as_json(needs)) == needs
    assert needs_from_json(asks_as_json(needs)).switch == "freeswitch"
    assert asks_as_json(Needs()) == ""


# -- in the store --


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[FloorKit]:
    kit = FloorKit(tmp_path / "cordboard.db", with_ways(PLAN, Reach(BOTH, TRUNK)))
    for agent in PLAN.agents:
        kit.presence(agent)
    yield kit
    kit.close()


def enter(floor: FloorKit, call_id: str, switch: str) -> Entered:
    entering = Entering(call_id, f"leg-{call_id}", switch, "sales", "en", 0, floor.now.wall, "w1")
    return floor.do(lambda c: floor.store.enter(c, floor.now, entering))


def test_a_caller_is_offered_only_to_whom_their_switch_reaches(floor: FloorKit) -> None:
    first, second, third = (enter(floor, call_id, "asterisk") for call_id in ("a", "b", "c"))
    assert first.offer is not None and first.offer.agent == "alice"
    assert second.offer is None and third.offer is None, "fred's phone cannot be rung from there"
    from_there = enter(floor, "d", "freeswitch")
    assert from_there.offer is not None and from_there.offer.agent == "fred"


def test_what_rings_is_in_the_words_of_the_callers_switch(floor: FloorKit) -> None:
    floor.device("user/1002@example.org", DeviceState.BUSY)
    entered = enter(floor, "a", "freeswitch")
    assert entered.offer is not None
    assert (entered.offer.agent, entered.offer.device) == ("alice", "sofia/gateway/asterisk/1001")


def test_callers_of_a_switch_that_nobody_observes_get_no_offer_and_hold_up_nobody(floor: FloorKit) -> None:
    floor.store.needs_lease = observer_lease("asterisk")
    name = observer_lease("freeswitch")
    assert floor.do(lambda c: floor.store.take_lease(c, floor.now, name, "w1", 60.0))
    assert enter(floor, "a", "asterisk").offer is None, "alice is free"
    floor.device("PJSIP/1001", DeviceState.BUSY)
    assert enter(floor, "b", "freeswitch").offer is not None
    floor.device("PJSIP/1001", DeviceState.IDLE)
    name = observer_lease("asterisk")
    assert floor.do(lambda c: floor.store.take_lease(c, floor.now, name, "w1", 60.0))
    floor.sweep()
    assert [offer.agent for offer in floor.take("w1", "a")] == ["alice"]


def test_who_comes_back_on_another_switch_is_offered_to_whom_that_one_reaches(floor: FloorKit) -> None:
    floor.device("PJSIP/1001", DeviceState.BUSY)
    assert enter(floor, "a", "asterisk").offer is None
    entered = enter(floor, "a", "freeswitch")
    assert entered.offer is not None and entered.offer.agent == "fred"


def test_a_list_of_one_switchs_phones_forgets_none_of_the_other(floor: FloorKit) -> None:
    floor.device("PJSIP/1001", DeviceState.BUSY)
    states = {"user/1002@example.org": DeviceState.BUSY}
    floor.do(lambda c: floor.store.devices_listed(c, floor.now, states, "freeswitch"))
    assert enter(floor, "a", "asterisk").offer is None, "alice is busy still"
    floor.do(lambda c: floor.store.devices_listed(c, floor.now, {}, "asterisk"))
    floor.sweep()
    assert [offer.agent for offer in floor.take("w1", "a")] == ["alice"]


def test_why_says_whose_phone_is_out_of_reach() -> None:
    plan = with_ways(PLAN, Reach(BOTH, TRUNK))
    call = WaitingCall("e", "c", "sales", 0, 0.0, Needs(switch="asterisk"))
    said = why_waiting(call, plan, Around({}, frozenset(), 0), Moment(1.0, 1.0))
    assert said == ["fred's phone is on freeswitch, which this call cannot reach"]
