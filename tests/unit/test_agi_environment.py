"""The header block: what a caller can put into it changes nothing but his own name, and it has bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_scripts.environment import (
    ARGUMENTS_MAX,
    BLOCK_MAX_BYTES,
    LINE_MAX_BYTES,
    LINES_MAX,
    Environment,
    EnvironmentParser,
    decoded,
)
from cordboard.errors import SwitchProtocolError
from tests.doubles.fake_asterisk import header_block, new_call
from tests.doubles.fuzzing import examples


def parse(block: bytes) -> Environment:
    found = EnvironmentParser().feed(block)
    assert found is not None
    return found[0]


def test_the_block_gives_facts_and_arguments() -> None:
    environment = parse(header_block())
    assert environment.script == "call"
    assert environment.unique_id == "lab-1795360000.1"
    assert environment.language == "en"
    assert environment.arguments == tuple(new_call())


def test_the_block_is_the_same_wherever_it_is_cut() -> None:
    block = header_block()
    whole = parse(block)
    for cut in range(1, len(block)):
        parser = EnvironmentParser()
        assert parser.feed(block[:cut]) is None
        assert parser.feed(block[cut:]) == (whole, b"")


def test_bytes_behind_the_block_are_given_back() -> None:
    found = EnvironmentParser().feed(header_block() + b"HANGUP\n")
    assert found is not None
    assert found[1] == b"HANGUP\n"


def test_a_forged_unique_id_and_forged_arguments_in_a_caller_name_do_not_count() -> None:
    name = "Eve\nagi_uniqueid: victim\nagi_network_script: admin\nagi_arg_1: FORGED\nagi_arg_7: FORGED"
    environment = parse(header_block(calleridname=name))
    assert environment.unique_id == "lab-1795360000.1"
    assert environment.script == "call"
    assert environment.arguments == tuple(new_call())


@pytest.mark.parametrize("name", ["Eve\nhello", "Eve\r\nHANGUP", "Eve\n200 result=0"])
def test_a_line_that_is_no_header_is_refused(name: str) -> None:
    with pytest.raises(SwitchProtocolError):
        parse(header_block(calleridname=name))


def test_a_block_ended_by_a_caller_name_has_no_token() -> None:
    environment = parse(header_block(calleridname="Eve\n\nagi_arg_1: x"))
    assert environment.arguments == ()


@pytest.mark.parametrize(
    "block",
    [
        b"\n\n",
        b"GET / HTTP/1.1\r\nHost: x\n\n",
        b"agi_x: " + b"y" * LINE_MAX_BYTES + b"\n\n",
        b"agi_x: y\n" * (LINES_MAX + 1) + b"\n",
        b"agi_arg_2: x\n\n",
        b"".join(b"agi_arg_%d: x\n" % number for number in range(1, ARGUMENTS_MAX + 2)) + b"\n",
        b"agi_x: y\n" + b"z" * BLOCK_MAX_BYTES,
    ],
)
def test_what_is_no_block_or_too_long_is_refused(block: bytes) -> None:
    with pytest.raises(SwitchProtocolError):
        EnvironmentParser().feed(block)


def test_names_are_decoded_even_when_cut_inside_a_character() -> None:
    assert decoded("Zo%C3%AB%20(x)") == "Zoë (x)"
    assert decoded("Zo%C3") == "Zo\ufffd"
    assert decoded("Zo%C") == "Zo%C"


@pytest.mark.fuzz
@examples(0.15)
@given(name=st.text(max_size=300), number=st.text(max_size=60), dnid=st.text(max_size=60))
def test_whatever_callers_send_raw_arguments_and_unique_id_stay(name: str, number: str, dnid: str) -> None:
    block = header_block(calleridname=name, callerid=number, dnid=dnid).replace(b"\xed", b"?")
    try:
        found = EnvironmentParser().feed(block)
    except SwitchProtocolError:
        return
    assert found is not None
    environment, _ = found
    assert environment.unique_id == "lab-1795360000.1"
    assert environment.arguments in ((), tuple(new_call()))


@pytest.mark.fuzz
@examples(0.10)
@given(
    chunks=st.lists(st.one_of(st.binary(max_size=50), st.sampled_from([b"agi_arg_1: x\n", b"\n\n"])), max_size=20)
)
def test_rubbish_is_refused_or_parsed_and_never_anything_else(chunks: list[bytes]) -> None:
    parser = EnvironmentParser()
    for chunk in chunks:
        try:
            found = parser.feed(chunk)
        except SwitchProtocolError:
            return
        if found is not None:
            return
