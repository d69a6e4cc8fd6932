"""What a log line may show of a caller."""

from __future__ import annotations

import pytest

from cordboard.redaction import clean, redactor, show_number


@pytest.mark.parametrize(("style", "shown"), [("full", "+442079460123"), ("last3", "…123"), ("none", "…")])
def test_numbers_are_shown_as_the_setting_says(style: str, shown: str) -> None:
    assert redactor(style)(None, "info", {"ani": "+442079460123"}) == {"ani": shown}  # type: ignore[arg-type]


def test_a_withheld_number_stays_empty() -> None:
    assert show_number("", "last3") == ""


def test_names_and_digits_never_show() -> None:
    fields = redactor("full")(None, "info", {"caller_name": "Ada", "digits": "4711", "node": "menu"})
    assert fields == {"caller_name": "[hidden]", "digits": "[hidden]", "node": "menu"}


def test_control_characters_cannot_forge_a_line_or_drive_a_terminal() -> None:
    fields = redactor("full")(None, "info", {"reason": "a\x1b[31mb\r\nc", "ani": "1\n2"})
    assert fields == {"reason": "a[31mbc", "ani": "12"}


def test_a_name_keeps_its_letters_and_loses_what_does_not_print() -> None:
    hostile = "Zo\u00eb \u2028\u2029\u202e\u200b\ud800\x85\N{WAVING HAND SIGN}"
    assert clean(hostile) == "Zo\u00eb \N{WAVING HAND SIGN}"
