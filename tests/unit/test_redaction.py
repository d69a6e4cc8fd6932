"""What a log line may show of a caller."""

from __future__ import annotations

from typing import Literal

import pytest

from cordboard.redaction import clean, redactor, show_number


@pytest.mark.parametrize(("style", "shown"), [("full", "+442079460123"), ("last3", "…123"), ("none", "…")])
def test_numbers_are_shown_as_the_setting_says(style: str, shown: str) -> None:
    assert redactor(style)(None, "info", {"ani": "+442079460123"}) == {"ani": shown}  # type: ignore[arg-type]


@pytest.mark.parametrize("number", ["", " ", "anonymous", "Restricted", "UNKNOWN"])
@pytest.mark.parametrize("style", ["full", "last3", "none"])
def test_a_withheld_number_is_told_as_one(number: str, style: Literal["full", "last3", "none"]) -> None:
    assert show_number(number, style) == "withheld"


@pytest.mark.parametrize(
    "number", ["1001", "12345", "Ada Lovelace", "sip:ada@example.com", "+4420 ada", "\u0661" * 9]
)
def test_what_is_short_or_no_number_is_masked_whole(number: str) -> None:
    assert show_number(number, "last3") == "…"
    assert show_number("123456", "last3") == "…456"


def test_names_and_digits_never_show() -> None:
    fields = redactor("full")(None, "info", {"caller_name": "Ada", "digits": "4711", "node": "menu"})
    assert fields == {"caller_name": "[hidden]", "digits": "[hidden]", "node": "menu"}


def test_control_characters_cannot_forge_a_line_or_drive_a_terminal() -> None:
    fields = redactor("full")(None, "info", {"reason": "a\x1b[31mb\r\nc", "ani": "1\n2"})
    assert fields == {"reason": "a[31mbc", "ani": "12"}


def test_a_name_keeps_its_letters_and_loses_what_does_not_print() -> None:
    hostile = "Zo\u00eb \u2028\u2029\u202e\u200b\ud800\x85\N{WAVING HAND SIGN}"
    assert clean(hostile) == "Zo\u00eb \N{WAVING HAND SIGN}"
