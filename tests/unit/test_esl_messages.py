"""Event socket bytes become messages wherever they are cut; what is none, or has no end, is refused."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.errors import SwitchProtocolError
from esl_apps.events import EslEvent, parts_of
from esl_apps.messages import HEADER_MAX_BYTES, HEADERS_MAX, Headers, Message, MessageSplitter
from tests.doubles.esl_peer import OK, api_answer, event, reply
from tests.doubles.esl_recordings import plain_messages, recording, streams
from tests.doubles.fuzzing import examples

SMALL_BYTES = 8_000


def flat(messages: list[Message]) -> list[tuple[str, bytes, bytes]]:
    return [(one.kind, one.headers.block, one.body) for one in messages]


def fed(chunks: list[bytes]) -> list[tuple[str, bytes, bytes]]:
    splitter = MessageSplitter()
    return flat([message for chunk in chunks for message in splitter.feed(chunk)])


def test_recordings_read_as_a_second_parser_reads_them() -> None:
    for name, connection in streams():
        stream = recording(name).stream(connection)
        messages, others = MessageSplitter().feed(stream), list(plain_messages(stream))
        assert [one.kind for one in messages] == [other.kind for other in others]
        assert [one.body for one in messages] == [other.body for other in others]
        for one, other in zip(messages, others, strict=True):
            assert not other.event or dict(EslEvent(*parts_of(one))) == other.event


def test_a_small_recording_reads_alike_cut_at_every_byte() -> None:
    tried = 0
    for stream in [recording(name).stream(connection) for name, connection in streams()]:
        if len(stream) <= SMALL_BYTES:
            tried += 1
            whole = fed([stream])
            assert all(fed([stream[:cut], stream[cut:]]) == whole for cut in range(len(stream) + 1))
    assert tried >= 3


MESSAGES = [OK, api_answer("false"), event("DTMF", DTMF_Digit="5"), reply("-ERR x"), api_answer("a\n\nb: c\n\n")]


def test_every_pair_of_messages_reads_alike_cut_at_every_byte() -> None:
    for first in MESSAGES:
        for second in MESSAGES:
            stream = first + second
            whole = fed([first]) + fed([second])
            assert all(fed([stream[:cut], stream[cut:]]) == whole for cut in range(len(stream) + 1))


@pytest.mark.parametrize(("name", "connection"), streams())
def test_a_recording_reads_alike_cut_anywhere(name: str, connection: str) -> None:
    one = recording(name)
    stream, source = one.stream(connection), random.Random(name)
    whole = fed([stream])
    assert fed(one.chunks(connection)) == whole
    for pieces in (2, 10, 200):
        cuts = sorted(source.randrange(len(stream) + 1) for _ in range(pieces))
        begins, ends = [0, *cuts], [*cuts, len(stream)]
        assert fed([stream[begin:end] for begin, end in zip(begins, ends, strict=True)]) == whole


def test_byte_by_byte_is_the_same() -> None:
    stream = recording("03-outbound-async-full-digits-sip").stream("outbound")
    assert fed([stream[at : at + 1] for at in range(len(stream))]) == fed([stream])


REFUSED = {
    "no type": b"Reply-Text: +OK\n\n",
    "no length": b"Content-Type: text/event-plain\n\nEvent-Name: X\n\n",
    "negative": b"Content-Type: api/response\nContent-Length: -1\n\n",
    "huge": b"Content-Type: api/response\nContent-Length: 999999999\n\n",
    "longer than a number": b"Content-Type: api/response\nContent-Length: 99999999999999999999\n\n",
    "not a number": b"Content-Type: api/response\nContent-Length: 12x\n\n",
    "other digits": "Content-Type: api/response\nContent-Length: ١٢\n\n".encode(),
    "blank": b"Content-Type: api/response\nContent-Length: \n\n",
    "web": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" + b"x" * HEADER_MAX_BYTES,
    "never ends": b"A: b\n" * (HEADER_MAX_BYTES // 5 + 1),
    "one line never ends": b"A" * (HEADER_MAX_BYTES + 1),
    "too many headers": b"Content-Type: command/reply\n" + b"A: b\n" * (HEADERS_MAX + 1) + b"\n",
    "zeros": b"\0" * (HEADER_MAX_BYTES + 1),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("size", [1 << 20, 997])
def test_what_is_no_message_is_refused(data: bytes, size: int) -> None:
    splitter = MessageSplitter()
    with pytest.raises(SwitchProtocolError):
        for at in range(0, len(data), size):
            splitter.feed(data[at : at + size])


def test_a_body_longer_than_allowed_is_refused_before_it_comes() -> None:
    with pytest.raises(SwitchProtocolError):
        MessageSplitter(body_max_bytes=10).feed(b"Content-Type: api/response\nContent-Length: 11\n\n")


def test_a_reply_has_no_body_whatever_a_value_in_it_says() -> None:
    stream = b"Content-Type: command/reply\nReply-Text: a\nContent-Length: 500\n\n" + OK
    assert [kind for kind, _, _ in fed([stream])] == ["command/reply", "command/reply"]


def test_of_a_header_that_comes_twice_the_first_counts() -> None:
    headers = Headers(b"A: 1\nB: x%0AA: 2\nA: 3")
    assert headers["A"] == "1"
    assert headers["B"] == "x\nA: 2"
    assert dict(headers) == {"A": "1", "B": "x\nA: 2"}
    assert "C" not in headers
    with pytest.raises(KeyError):
        headers["C"]


def test_a_header_is_found_by_its_whole_name_only() -> None:
    headers = Headers(b"variable_Unique-ID: x\nUnique-ID-2: y\nUnique-ID: z")
    assert headers["Unique-ID"] == "z"
    assert headers["variable_Unique-ID"] == "x"


def test_an_empty_value_reads_as_empty() -> None:
    assert Headers(b"Caller-Caller-ID-Name: _undef_")["Caller-Caller-ID-Name"] == ""


def test_bytes_that_are_no_text_do_no_harm() -> None:
    assert Headers(b"A: %FF%C3x\nB: \xff")["A"] == "\ufffd\ufffdx"


SHAPES = st.lists(
    st.one_of(
        st.sampled_from([OK, b"\n", b"\n\n", b"Content-Length: ", b"Content-Type: ", b"text/event-plain", b"api/"]),
        st.sampled_from([b"-", b"5", b"4294967296", b"Event-Name: X\n", b"%0A", b"\r\n", b"{", b"command/reply"]),
        st.binary(max_size=20),
    ),
    max_size=12,
)


@pytest.mark.fuzz
@examples(0.15)
@given(parts=SHAPES, cut=st.integers(0, 200))
def test_any_bytes_are_messages_or_refused_alike_wherever_they_are_cut(parts: list[bytes], cut: int) -> None:
    data = b"".join(parts)

    def outcome(chunks: list[bytes]) -> list[tuple[str, bytes, bytes]] | None:
        try:
            return fed(chunks)
        except SwitchProtocolError:
            return None

    assert outcome([data]) == outcome([data[:cut], data[cut:]])
