"""Numbers as trunks send them and people type them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cordboard.crm.phone_numbers import COUNTRIES, WORDS, NumberRead, read_number, shown, to_e164

ADA = "+442079460123"


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("+442079460123", "GB"), ("+442079460123", ""), ("+442079460123", "ES"), ("00442079460123", "GB"),
        ("00442079460123", "ES"), ("011442079460123", "US"), ("02079460123", "GB"), ("2079460123", "GB"),
        ("442079460123", "GB"), ("442079460123", "ES"), ("+44 (0)20 7946 0123", "ES"), ("020-7946-0123", "GB"),
        ("020\u00a07946\u20110123", "GB"), ("\u202a+44 20 7946 0123\u202c", "US"), ('"+442079460123"', "GB"),
        ("tel:+442079460123", "GB"), (" +44.20.7946.0123 ", "GB"), ("+44/20/79460123", ""),
    ],
)  # fmt: skip
def test_many_forms_of_one_number(text: str, country: str) -> None:
    assert read_number(text, country) == NumberRead(ADA)
    assert to_e164(text, country) == ADA


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("34915550142", "GB", "+34915550142"),  # without its +, and no British number
        ("07700 900123", "GB", "+447700900123"),  # of a range that no table of numbers lists
        ("06 1234 5678", "IT", "+390612345678"),  # the zero belongs to it
        ("2025550142", "US", "+12025550142"),
        ("1 202 555 0142", "US", "+12025550142"),
    ],
)
def test_numbers_of_other_countries(text: str, country: str, number: str) -> None:
    assert to_e164(text, country) == number


@pytest.mark.parametrize(
    ("text", "country", "why"),
    [
        *((word, "GB", "withheld") for word in (
            "", "  ", "anonymous", "Anonymous", "Withheld", "PRIVATE", "restricted", "unavailable", "unknown",
            "<unknown>", "No Number", "nobody", "0", "0000000000", "+266696687", "266696687", "7378742833",
        )),
        *((number, "GB", "short") for number in ("1001", "112", "999", "20 79", "+44", "+44207")),
        ("1001", "DE", "short"),  # long enough to be a number there
        ("1001", "AT", "short"),
        ("5550142", "US", "short"),  # without area code
        ("+4477009001234567", "GB", "long"),
        ("1" * 40, "GB", "long"),
        ("12345678901234", "GB", "long"),  # with a + it would be American by its first digit, and is not
        ("+442079460123 x12", "GB", "has_extension"),
        ("+442079460123 ext. 12", "GB", "has_extension"),
        ("+442079460123;ext=12", "GB", "has_extension"),
        ("020 7946 0123", "", "needs_country"),
        *((text, "GB", "malformed") for text in (
            "call me", "Ada Lovelace", "+", "()", "*69", "#31#", "sip:+442079460123@example.org", "0207946o123",
            "+9999999999", "442079460123\r\nX: y", "٢٠٧٩٤٦٠١٢٣٤", "+442079460123" * 5_000, "--+44", "\x00",
        )),
    ],
)  # fmt: skip
def test_what_is_no_number_has_a_reason(text: str, country: str, why: str) -> None:
    assert read_number(text, country) == NumberRead("", why)
    assert to_e164(text, country) is None
    assert WORDS[why]


@given(
    st.text(max_size=80) | st.text("+0123456789 ()-x", max_size=30), st.sampled_from(["", "GB", "US", "DE", "IT"])
)
@example("10000000000000", "DE")
@example("0000001", "DE")
def test_whatever_comes_gives_e164_or_a_reason(text: str, country: str) -> None:
    read = read_number(text, country)
    if read.why is None:
        assert read.e164[0] == "+"
        assert read.e164[1:].isascii()
        assert 5 <= len(read.e164[1:]) <= 15 and read.e164[1:].isdigit()
        assert to_e164(read.e164, "") == read.e164
    else:
        assert read.e164 == ""


def test_a_number_as_people_read_it() -> None:
    assert shown(ADA) == "+44 20 7946 0123"
    assert shown("no number") == "no number"


def test_countries_are_two_letters() -> None:
    assert {"GB", "ES", "US"} <= COUNTRIES
    assert "UK" not in COUNTRIES
