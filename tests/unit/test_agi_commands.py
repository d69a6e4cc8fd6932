"""AGI commands byte for byte, and by the rules of Asterisk's own parser: one line is one command."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_scripts import commands
from cordboard.errors import SwitchProtocolError
from tests.doubles.fake_asterisk import commands_in
from tests.doubles.fuzzing import examples

LINES = [
    (commands.answer(), b"ANSWER\n"),
    (commands.channel_status(), b"CHANNEL STATUS\n"),
    (commands.stream_file("/p/welcome"), b'STREAM FILE "/p/welcome" ""\n'),
    (commands.stream_file("/p/welcome", "12#"), b'STREAM FILE "/p/welcome" "12#"\n'),
    (commands.get_option("/p/menu", "12", 5000), b'GET OPTION "/p/menu" "12" 5000\n'),
    (commands.wait_for_digit(2500), b"WAIT FOR DIGIT 2500\n"),
    (commands.wait_for_digit(0), b"WAIT FOR DIGIT 1\n"),
    (commands.wait_for_digit(-1), b"WAIT FOR DIGIT 1\n"),
    (commands.say_number(-42), b'SAY NUMBER -42 ""\n'),
    (commands.say_digits("12*#"), b'SAY DIGITS "12*#" ""\n'),
    (commands.say_datetime(17, "ABdY", "Europe/Madrid"), b'SAY DATETIME 17 "" "ABdY" "Europe/Madrid"\n'),
    (commands.record_file("/m/1", "#", 60000, 3, True), b'RECORD FILE "/m/1" wav "#" 60000 0 BEEP s=3\n'),
    (commands.record_file("/m/1", "", 500, 0, False), b'RECORD FILE "/m/1" wav "" 500 0 s=1\n'),
    (commands.set_variable("CHANNEL(language)", "es"), b'SET VARIABLE "CHANNEL(language)" "es"\n'),
    (commands.multi_set({"A": "1", "TIMEOUT(absolute)": "5"}), b'EXEC MSet "A=1,TIMEOUT(absolute)=5"\n'),
    (commands.set_variable("A", 'a "b" \\c'), b'SET VARIABLE "A" "a \\"b\\" \\\\c"\n'),
]


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_each_command_is_these_bytes(line: bytes, expected: bytes) -> None:
    assert line == expected


@pytest.mark.parametrize("unfit", ["a\nEXEC Dial PJSIP/premium", "a\rb", "a\0b", "\n"])
def test_line_breaks_and_nul_are_refused(unfit: str) -> None:
    for encode in (commands.quoted, lambda value: commands.set_variable("A", value), commands.stream_file):
        with pytest.raises(SwitchProtocolError):
            encode(unfit)


def test_a_line_of_8000_bytes_is_refused_and_the_longest_allowed_one_is_one_command() -> None:
    frame = len(commands.set_variable("A", ""))
    longest = commands.set_variable("A", "x" * (commands.LINE_MAX_BYTES - frame))
    assert len(longest) == commands.LINE_MAX_BYTES
    assert len(commands_in(longest)) == 1
    with pytest.raises(SwitchProtocolError):
        commands.set_variable("A", "x" * (commands.LINE_MAX_BYTES - frame + 1))


@pytest.mark.parametrize("value", list(",\"\\()[]{}|$'"))
def test_what_mset_would_interpret_is_refused(value: str) -> None:
    with pytest.raises(SwitchProtocolError):
        commands.multi_set({"A": f"1{value}2"})


def test_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(SwitchProtocolError):
        commands.set_variable("A", "\ud800")


HOSTILE = st.text(
    alphabet=st.one_of(st.sampled_from('"\\ \t\n\r\0()$,;|'), st.characters(codec="utf-8")), max_size=200
)


@pytest.mark.fuzz
@examples(0.30)
@given(value=HOSTILE, name=HOSTILE)
def test_any_text_is_refused_or_is_exactly_one_argument(value: str, name: str) -> None:
    try:
        line = commands.set_variable(name, value)
    except SwitchProtocolError:
        assert not {"\r", "\n", "\0"}.isdisjoint(name + value)
        return
    assert commands_in(line) == [["SET", "VARIABLE", name, value]]


@pytest.mark.fuzz
@examples(0.05)
@given(filling=st.integers(7800, 8300), tail=HOSTILE)
def test_long_text_is_refused_or_is_exactly_one_command(filling: int, tail: str) -> None:
    value = "x" * filling + tail
    try:
        line = commands.stream_file(value)
    except SwitchProtocolError:
        return
    assert commands_in(line) == [["STREAM", "FILE", value, ""]]
