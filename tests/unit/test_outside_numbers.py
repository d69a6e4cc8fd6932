"""Numbers of the telephone network: only what the policy allows is ever rung, and emergency calls always are.

numbers_outside.csv: `yes` or `no` under the policy below, the number as somebody may write or dial it (`\\n` for a
line break), and what it is.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordboard.telephony.dial_policy import BadOutside, DialPolicy
from cordboard.telephony.outside_numbers import parse_outside
from cordboard.telephony.verbs import OutsideNumber

TABLE = [
    (allowed == "yes", number.replace("\\n", "\n"), what)
    for allowed, number, what in csv.reader(
        (Path(__file__).parent / "numbers_outside.csv").read_text("utf-8").splitlines()
    )
]
POLICY = parse_outside(
    "PJSIP/{number}@trunk", country="GB", countries=["GB", "IE"], deny=["+44 7700 3"], emergency=["123"]
)
DEVICE = re.compile(r"PJSIP/(\+(44|353)[0-9]{7,11}|112|999|123)@trunk")


def test_of_500_numbers_none_outside_the_policy_is_rung_and_none_inside_it_refused() -> None:
    assert len(TABLE) >= 500 and sum(allowed for allowed, *_ in TABLE) >= 30
    rung = {number: POLICY.resolve(number) for _, number, _ in TABLE}
    wrong = [(number, what) for allowed, number, what in TABLE if (rung[number] is not None) != allowed]
    assert wrong == []
    assert all(DEVICE.fullmatch(target.device) for target in rung.values() if target)


@settings(deadline=None)  # the first number of a country reads its table
@given(st.text(max_size=20) | st.text("0123456789+ -()", max_size=16))
def test_whatever_is_written_rings_one_device_of_the_trunk_or_none(text: str) -> None:
    target = POLICY.resolve(text)
    assert target is None or DEVICE.fullmatch(target.device)


def test_without_the_section_no_number_is_rung() -> None:
    assert DialPolicy().resolve_number("112") is None
    assert DialPolicy(outside=POLICY).resolve_number("112") == OutsideNumber(
        "112", "PJSIP/112@trunk", "", is_emergency=True
    )


@pytest.mark.parametrize("number", ["112", "999", "123"])
def test_nothing_keeps_an_emergency_call_from_being_made(number: str) -> None:
    strict = parse_outside("PJSIP/{number}@trunk", country="GB", deny=["+4", "+1", "+9"], emergency=["123"])
    target = strict.resolve(number)
    assert target is not None and target.is_emergency and target.device == f"PJSIP/{number}@trunk"


def test_an_allowed_beginning_beats_country_and_kind_and_a_denied_one_beats_it() -> None:
    policy = parse_outside("PJSIP/{number}@trunk", country="GB", allow=["+44 84", "+882"], deny=["+44 844"])
    assert policy.resolve("0845 123 4567") and policy.resolve("+88213300512")
    assert policy.resolve("0844 123 4567") is None and policy.resolve("020 7946 0123") is None


@pytest.mark.parametrize(
    ("types", "allowed"),
    [
        (["fixed"], ["+442079460123"]),
        (["mobile"], ["+447400123456"]),
        (["premium", "toll_free"], ["+449012345678", "+448001234567"]),
    ],
)
def test_only_the_kinds_of_number_that_are_named_are_rung(types: list[str], allowed: list[str]) -> None:
    policy = parse_outside("PJSIP/{number}@trunk", countries=["GB"], types=types)  # type: ignore[arg-type]
    numbers = ["+442079460123", "+447400123456", "+449012345678", "+448001234567", "+447012345678"]
    assert [number for number in numbers if policy.resolve(number)] == allowed


def test_a_countrys_own_toll_free_numbers_are_its_own_where_it_shares_its_code() -> None:
    policy = parse_outside("PJSIP/{digits}@trunk", country="CA", countries=["CA"])
    assert policy.resolve("800 555 0199") == OutsideNumber("+18005550199", "PJSIP/18005550199@trunk")
    assert policy.resolve("212 555 0123") is None, "New York"
    assert policy.resolve("900 234 5678") is None
    assert policy.resolve("911") and not parse_outside("P/{digits}", country="GB").resolve("911")


@pytest.mark.parametrize(
    ("section", "keys", "word"),
    [
        ({"device": "PJSIP/trunk"}, ("device",), "where the number goes"),
        ({"device": "PJSIP/{number}@trunk&PJSIP/{number}@other"}, ("device",), "no device"),
        ({"device": "PJSIP/{number}@trunk,30"}, ("device",), "no device"),
        ({"device": "PJSIP/{number}@${TRUNK}"}, ("device",), "no device"),
        ({"countries": ["GB", "UK"]}, ("countries", 1), "`UK` is no country"),
        ({"allow": ["0845"]}, ("allow", 0), "no beginning"),
        ({"deny": ["+44", "x"]}, ("deny", 1), "no beginning"),
        ({"emergency": ["1"]}, ("emergency", 0), "no emergency number"),
        ({"caller_id": "0207"}, ("caller_id",), "no number"),
    ],
)
def test_a_section_that_cannot_be_is_refused_at_its_place(
    section: dict[str, object], keys: tuple[object, ...], word: str
) -> None:
    with pytest.raises(BadOutside, match=re.escape(word)) as caught:
        parse_outside(**{"device": "PJSIP/{number}@trunk"} | section)  # type: ignore[arg-type]
    assert caught.value.keys == keys
