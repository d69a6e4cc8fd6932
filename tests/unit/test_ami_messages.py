"""AMI actions byte for byte, values that would be two, and messages cut anywhere, even inside a character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_scripts.ami_messages import (
    LINE_MAX_BYTES,
    MESSAGE_MAX_BYTES,
    MessageSplitter,
    encode_action,
    unescaped,
)
from cordboard.errors import SwitchProtocolError
from tests.doubles.fake_ami import actions_in
from tests.doubles.fuzzing import examples


def test_an_action_is_these_bytes() -> None:
    action = {"Action": "Originate", "Variable": ["a=1", "b=2"], "Empty": []}
    assert encode_action(action.items()) == b"Action: Originate\r\nVariable: a=1\r\nVariable: b=2\r\n\r\n"


UNFIT = [
    ("CallerID", "x\r\nApplication: System"),
    ("CallerID", "x\nApplication: System"),
    ("CallerID", "x\rApplication: System"),
    ("CallerID", "x\0"),
    ("CallerID", "x" * LINE_MAX_BYTES),
    ("CallerID", "é" * (LINE_MAX_BYTES // 2)),
    ("CallerID", "\ud800"),
    ("Caller: ID", "x"),
    ("Caller\r\nAction", "x"),
    ("", "x"),
]


@pytest.mark.parametrize(("key", "value"), UNFIT)
def test_what_is_more_than_one_line_is_refused(key: str, value: str) -> None:
    with pytest.raises(SwitchProtocolError):
        encode_action([("Action", "Originate"), (key, value)])
    with pytest.raises(SwitchProtocolError):
        encode_action([("Action", "Originate"), (key, ["fine", value])])


def test_the_longest_line_is_read_by_asterisk() -> None:
    value = "x" * (LINE_MAX_BYTES - len("Data: "))
    assert actions_in(encode_action([("Action", "X"), ("Data", value)])) == [[("Action", "X"), ("Data", value)]]


@pytest.mark.fuzz
@examples(0.10)
@given(value=st.text(alphabet=st.one_of(st.sampled_from("\r\n\0: "), st.characters(codec="utf-8")), max_size=120))
def test_any_text_is_refused_or_is_exactly_one_header(value: str) -> None:
    try:
        line = encode_action([("Action", "Originate"), ("CallerID", value)])
    except SwitchProtocolError:
        assert not {"\r", "\n", "\0"}.isdisjoint(value)
        return
    assert [[name for name, _ in action] for action in actions_in(line)] == [["Action", "CallerID"]]


MESSAGES = "Event: Hangup\r\nCallerIDName: Zoë ☎️\r\n\r\nResponse: Success\r\n\r\n".encode()


@pytest.mark.parametrize("cut", range(len(MESSAGES) + 1))
def test_messages_are_whole_wherever_they_are_cut(cut: int) -> None:
    splitter = MessageSplitter()
    whole = splitter.feed(MESSAGES[:cut]) + splitter.feed(MESSAGES[cut:])
    assert whole == ["Event: Hangup\r\nCallerIDName: Zoë ☎️", "Response: Success"]


def test_a_message_without_end_is_refused() -> None:
    splitter = MessageSplitter()
    with pytest.raises(SwitchProtocolError):
        for _ in range(MESSAGE_MAX_BYTES // 1000 + 2):
            splitter.feed(b"x" * 1000)


@pytest.mark.parametrize(
    ("value", "text"),
    [("Bob", "Bob"), (r"a\nb", "a\nb"), (r"a\\nb", r"a\nb"), (r"\"x\"", '"x"'), ("a\\", "a\\"), (r"\'", "'")],
)
def test_names_in_events_are_unescaped_once(value: str, text: str) -> None:
    assert unescaped(value) == text
