"""Calls to numbers outside are counted, by caller and by flow, and the one too many is not made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cordboard.config.outside_section import Cap, Outside
from cordboard.service.outside_caps import MAX_KEPT, OutsideCaps
from cordboard.telephony.dial_policy import DialPolicy
from cordboard.telephony.outcomes import Connected
from cordboard.telephony.outside_numbers import parse_outside
from cordboard.telephony.ports import Arrival
from cordboard.telephony.verbs import Dial, Extension, OutsideNumber, Transfer
from tests.doubles.flow_kit import AROUND, CALL, flow_of
from tests.doubles.scripted_phone import ScriptedPhone
from tests.doubles.workers_kit import names, workers_for

NUMBER = OutsideNumber("+442079460123", "PJSIP/+442079460123@trunk")
EMERGENCY = OutsideNumber("112", "PJSIP/112@trunk", is_emergency=True)
RING = Dial((NUMBER,), 20.0)
OTHER_CALLER = replace(CALL, ani="+442079460999")


def caps_of(per_caller: int = 10, per_flow: int = 1000) -> OutsideCaps:
    caps = OutsideCaps()
    within_s = 60.0
    caps.use(
        Outside(
            device="PJSIP/{number}@trunk",
            per_caller=Cap(calls=per_caller, within_s=within_s),
            per_flow=Cap(calls=per_flow, within_s=within_s),
        )
    )
    return caps


def test_of_a_burst_of_1000_calls_ten_are_made() -> None:
    caps = caps_of()
    made = [caps.allow(CALL, "shop", RING, number / 100) for number in range(1000)]
    assert made == [True] * 10 + [False] * 990


def test_each_caller_has_a_count_and_each_flow_one_for_all() -> None:
    caps = caps_of(per_caller=2, per_flow=3)
    assert [caps.allow(CALL, "shop", RING, 0.0) for _ in range(3)] == [True, True, False]
    assert [caps.allow(OTHER_CALLER, "shop", RING, 0.0) for _ in range(2)] == [True, False]
    assert caps.allow(OTHER_CALLER, "night", RING, 0.0)


def test_callbacks_count_for_the_customer_and_for_the_queue() -> None:
    caps = caps_of(per_caller=2, per_flow=3)
    made = [
        caps.allow_callback(number, "sales", "call", 0.0) for number in ("+441", "+441", "+441", "+442", "+443")
    ]
    assert made == [True, True, False, True, False]
    assert caps.allow_callback("+443", "support", "call", 0.0)
    assert not OutsideCaps().allow_callback("+441", "sales", "call", 0.0), "nothing outside is allowed"


def test_what_was_refused_does_not_count_and_time_heals() -> None:
    caps = caps_of(per_caller=1)
    assert [caps.allow(CALL, "shop", RING, at) for at in (0.0, 30.0, 59.9, 60.0, 61.0)] == [
        True,
        False,
        False,
        True,
        False,
    ]


def test_each_number_of_a_group_counts_and_so_does_a_transfer() -> None:
    caps = caps_of(per_caller=3)
    group = Dial((NUMBER, Extension("1001", "PJSIP/1001"), NUMBER), 20.0)
    assert caps.allow(CALL, "shop", group, 0.0)
    assert not caps.allow(CALL, "shop", group, 0.0), "one of the two would be too many"
    assert caps.allow(CALL, "shop", Transfer(NUMBER), 0.0)


def test_extensions_and_emergency_calls_are_never_held_up() -> None:
    caps = caps_of(per_caller=1)
    assert caps.allow(CALL, "shop", RING, 0.0)
    assert all(caps.allow(CALL, "shop", Dial((EMERGENCY,), 20.0), 0.0) for _ in range(100))
    assert all(caps.allow(CALL, "shop", Dial((Extension("1", "PJSIP/1"),), 20.0), 0.0) for _ in range(100))


def test_settings_that_allow_no_more_numbers_hold_for_calls_that_began_before() -> None:
    caps = caps_of()
    caps.use(None)
    assert not caps.allow(CALL, "shop", RING, 0.0)
    assert caps.allow(CALL, "shop", Dial((EMERGENCY,), 20.0), 0.0)


def test_no_number_of_callers_fills_the_memory() -> None:
    caps = caps_of(per_flow=100_000)
    for number in range(MAX_KEPT + 50):
        assert caps.allow(replace(CALL, ani=str(number)), "shop", RING, 0.0)
    assert len(caps._made) == MAX_KEPT


LOOP = """
    a: {dial: {number: "020 7946 0123"}, next: a, refused: no, otherwise: bye}
    no: {play: sorry, next: bye}
"""


async def test_a_flow_that_calls_over_and_over_goes_another_way_at_the_cap(tmp_path: Path) -> None:
    policy = DialPolicy(outside=parse_outside("PJSIP/{number}@trunk", country="GB", countries=["GB"]))
    flow = flow_of(LOOP, around=replace(AROUND, dial_policy=policy))
    async with workers_for(tmp_path, flow) as workers:
        phone = ScriptedPhone(Arrival(CALL), [Connected(1.0)] * 20)
        await workers.new(caps=caps_of(per_caller=4)).take(phone)
    assert names(phone) == ["Dial"] * 4 + ["sorry", "Hangup"]
