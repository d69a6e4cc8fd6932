"""Asterisk's replies, cut at every byte, and rubbish: the same replies, or a refusal, and bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_scripts.replies import (
    CALLER_HUNG_UP,
    LINE_MAX_BYTES,
    USAGE_MAX_BYTES,
    Parsed,
    Reply,
    ReplyParser,
)
from cordboard.errors import SwitchProtocolError
from tests.doubles.fuzzing import examples

# As sent by Asterisk 22.10.1.
CONVERSATION = (
    b"200 result=0\n"
    b"100 Trying...\n"
    b"200 result=49 endpos=9920\n"
    b"HANGUP\n"
    b"200 result=-1 (hangup) endpos=16000\n"
    b"200 result=1 (hangup)\n"
    b"200 result=1 (x) endpos=0) endpos=7)\n"
    b"200 result=\n"
    b"510 Invalid or unknown command\n"
    b"520-Invalid command syntax.  Proper usage follows:\n"
    b" Usage: HANGUP [<channelname>]\n"
    b"HANGUP\n"
    b"200 result=7\n"
    b"520 End of proper usage.\n"
    b"511 Command Not Permitted on a dead channel or intercept routine\n"
    b"200 result=1 (Zo\xc3\xab)\r\n"
)
PARSED: list[Parsed] = [
    Reply(200, "0"),
    Reply(200, "49", "endpos=9920"),
    CALLER_HUNG_UP,
    Reply(200, "-1", "(hangup) endpos=16000"),
    Reply(200, "1", "(hangup)"),
    Reply(200, "1", "(x) endpos=0) endpos=7)"),
    Reply(200, ""),
    Reply(510, rest="Invalid or unknown command"),
    Reply(520),
    Reply(511, rest="Command Not Permitted on a dead channel or intercept routine"),
    Reply(200, "1", "(Zoë)"),
]


def test_a_conversation_is_understood() -> None:
    assert ReplyParser().feed(CONVERSATION) == PARSED


@pytest.mark.parametrize("cut", range(len(CONVERSATION) + 1))
def test_a_conversation_is_understood_wherever_it_is_cut(cut: int) -> None:
    parser = ReplyParser()
    assert parser.feed(CONVERSATION[:cut]) + parser.feed(CONVERSATION[cut:]) == PARSED


def test_byte_by_byte_is_the_same() -> None:
    parser = ReplyParser()
    assert [reply for byte in CONVERSATION for reply in parser.feed(bytes([byte]))] == PARSED


@pytest.mark.parametrize(
    ("rest", "position"),
    [("endpos=9920", 9920), ("(dtmf) endpos=16000", 16000), ("(timeout)", 0), ("endpos=x", 0), ("endpos=", 0)],
)
def test_the_end_position_is_read(rest: str, position: int) -> None:
    assert Reply(200, "0", rest).end_position == position


@pytest.mark.parametrize(("result", "number"), [("0", 0), ("-1", -1), ("35", 35), ("", -1), ("abc", -1)])
def test_a_result_is_a_number_or_could_not(result: str, number: int) -> None:
    assert Reply(200, result).number == number


@pytest.mark.parametrize(
    "broken", [b"\n", b"hello\n", b"20 result=0\n", b"\xff\xfe\n", b"2000 result=1\n", b"hangup\n"]
)
def test_what_is_no_reply_is_refused(broken: bytes) -> None:
    with pytest.raises(SwitchProtocolError):
        ReplyParser().feed(broken)


def test_a_line_without_end_is_refused() -> None:
    parser = ReplyParser()
    with pytest.raises(SwitchProtocolError):
        for _ in range(LINE_MAX_BYTES + 1):
            parser.feed(b"2")


def test_a_usage_text_without_end_is_refused() -> None:
    parser = ReplyParser()
    parser.feed(b"520-Invalid command syntax.  Proper usage follows:\n")
    with pytest.raises(SwitchProtocolError):
        for _ in range(USAGE_MAX_BYTES // 10 + 1):
            parser.feed(b"and so on\n")


PIECES = st.one_of(
    st.sampled_from(
        [b"200 result=", b"HANGUP", b"\n", b"\r\n", b"520-", b"520 End of proper usage.", b"(hangup)", b" "]
    ),
    st.binary(max_size=30),
)


@pytest.mark.fuzz
@examples(0.15)
@given(pieces=st.lists(PIECES, max_size=30))
def test_rubbish_is_parsed_alike_whole_and_in_pieces(pieces: list[bytes]) -> None:
    assert _outcome([b"".join(pieces)]) == _outcome(pieces)


def _outcome(chunks: list[bytes]) -> list[Parsed] | None:
    """What the chunks parse to; None if they are refused (a refusal may come before or after earlier replies)."""
    parser = ReplyParser()
    try:
        return [reply for chunk in chunks for reply in parser.feed(chunk)]
    except SwitchProtocolError:
        return None
