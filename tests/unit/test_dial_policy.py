"""Nothing outside the policy can be dialled, and no device string can mean more than one device."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.telephony.dial_policy import DEVICE, BadDialRule, DialPolicy, DialRule, parse_rule
from cordboard.telephony.verbs import Extension

POLICY = DialPolicy.of(
    {
        "XXXX": "PJSIP/any",
        "1XXX": "PJSIP/{extension}",
        "100N": "PJSIP/team-{extension}",
        "1001": "PJSIP/front-desk",
        "ZX": "SIP/{extension}@gw",
        "0": "PJSIP/operator",
        "*9": "PJSIP/star",
    }
)


@pytest.mark.parametrize(
    ("extension", "device"),
    [
        ("1001", "PJSIP/front-desk"),
        ("1002", "PJSIP/team-1002"),
        ("1010", "PJSIP/1010"),
        ("2222", "PJSIP/any"),
        ("12", "SIP/12@gw"),
        ("0", "PJSIP/operator"),
        ("*9", "PJSIP/star"),
    ],
)
def test_the_most_specific_rule_wins(extension: str, device: str) -> None:
    assert POLICY.resolve(extension) == Extension(extension, device)


@pytest.mark.parametrize(
    "extension",
    [
        "",
        "9",
        "02",
        "10011",
        "1001&PJSIP/1002",
        "1001,30,tT",
        "PJSIP/1001",
        "X",
        "XXXX",
        "1001\n",
        "١٠٠١",
        " 0",
        "*" * 17,
    ],
)
def test_everything_else_is_refused(extension: str) -> None:
    assert POLICY.resolve(extension) is None


def test_an_empty_policy_lets_nothing_be_dialled() -> None:
    assert DialPolicy().resolve("0") is None


@pytest.mark.parametrize(
    ("pattern", "device", "word"),
    [
        ("", "PJSIP/1", "1 to 16"),
        ("1" * 17, "PJSIP/1", "1 to 16"),
        ("10x", "PJSIP/1", "`x`"),
        ("_1XX", "PJSIP/1", "`_`"),
        ("1.", "PJSIP/1", "`.`"),
        ("1", "PJSIP/1&PJSIP/2", "no device"),
        ("1", "PJSIP/1,20", "no device"),
        ("1", "PJSIP/1(2)", "no device"),
        ("1", "PJSIP/", "no device"),
        ("1", "1001", "no device"),
        ("1", "PJSIP/1\n", "no device"),
        ("1", "{extension}/1", ""),
        ("1", "PJSIP/${EXTEN}", "no device"),
        ("*1", "PJSIP/{extension}", "* or #"),
    ],
)
def test_a_bad_rule_is_refused_when_settings_load(pattern: str, device: str, word: str) -> None:
    if pattern == "1" and device == "{extension}/1":
        assert parse_rule(pattern, device).target("1").device == "1/1"
        return
    with pytest.raises(BadDialRule, match=re.escape(word)):
        parse_rule(pattern, device)


PATTERNS = st.text("0123456789*#XZN", min_size=1, max_size=4)


@given(st.lists(PATTERNS, max_size=6), st.text("0123456789*#&,", max_size=5))
def test_a_target_always_fits_its_rule_and_is_one_device(patterns: list[str], asked: str) -> None:
    policy = DialPolicy(tuple(DialRule(pattern, "PJSIP/desk") for pattern in patterns))
    target = policy.resolve(asked)
    fitting = [rule for rule in policy.rules if rule.fits(asked)]
    assert (target is not None) == bool(fitting)
    if target:
        assert DEVICE.fullmatch(target.device)
        assert target.extension == asked


@given(st.permutations(["1001", "100N", "10XX", "1XXX", "XXXX"]))
def test_the_order_of_rules_does_not_matter(patterns: list[str]) -> None:
    policy = DialPolicy(tuple(DialRule(pattern, f"PJSIP/{pattern}") for pattern in patterns))
    devices = [
        target.device for asked in ("1001", "1002", "1011", "1101", "9000") if (target := policy.resolve(asked))
    ]
    assert devices == ["PJSIP/1001", "PJSIP/100N", "PJSIP/10XX", "PJSIP/1XXX", "PJSIP/XXXX"]
