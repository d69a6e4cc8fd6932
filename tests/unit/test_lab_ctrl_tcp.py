"""baresip's netstrings, cut at every place a network may cut them."""

import pytest

from cordboard.lab.ctrl_tcp import NetstringReader, encode

MESSAGES = [{"event": True, "type": "CALL_INCOMING"}, {"response": True, "data": "a:b,c\u20ac"}, {}]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_messages_survive_any_fragmentation(size):
    stream = b"".join(encode(message) for message in MESSAGES)
    reader = NetstringReader()
    received = []
    for start in range(0, len(stream), size):
        received += reader.feed(stream[start : start + size])
    assert received == MESSAGES


@pytest.mark.parametrize("junk", [b"x:{},", b"99999999999", b"99999999:", b"-1:,", b"2:[}"])
def test_a_stream_of_something_else_is_refused(junk):
    with pytest.raises(ValueError):
        NetstringReader().feed(junk + b" " * 10)
