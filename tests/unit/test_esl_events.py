"""Events as facts; and a caller who writes headers, commands or codes into a name stays one value."""

from __future__ import annotations

import pytest
from greenswitch.esl import ESLEvent
from hypothesis import given
from hypothesis import strategies as st

from cordboard.errors import SwitchProtocolError
from cordboard.telephony.hangup_causes import HangupCause
from esl_apps.events import (
    EslEvent,
    cause_of_word,
    digit_of,
    executed_of,
    hangup_cause_of,
    hangup_word,
    parts_of,
)
from esl_apps.messages import MessageSplitter
from tests.doubles.esl_peer import event, executed
from tests.doubles.esl_recordings import recording
from tests.doubles.fuzzing import examples

UNSAFE = '\r\n "#%&+:;<=>?@[\\]^`{|}'  # what FreeSWITCH encodes, besides what is no printable ASCII
HEXADECIMAL = "0123456789ABCDEF"


def read(data: bytes) -> EslEvent:
    (message,) = MessageSplitter().feed(data)
    return EslEvent(*parts_of(message))


def as_freeswitch_writes(value: str) -> str:
    """FreeSWITCH's own encoding, which leaves what looks encoded already."""
    raw = value.encode(errors="surrogatepass")
    written = ""
    for at, byte in enumerate(raw):
        following = [chr(one) for one in raw[at + 1 : at + 3]]
        is_code = byte == ord("%") and len(following) == 2 and all(one in HEXADECIMAL for one in following)
        fine = 0x20 <= byte <= 0x7E and chr(byte) not in UNSAFE
        written += chr(byte) if fine or is_code else f"%{byte:02X}"
    return written or "_undef_"


def test_facts_of_an_event() -> None:
    one = read(event("DTMF", "leg-1", DTMF_Digit="#", variable_note="a b", Other_Leg_Unique_ID="leg-2"))
    assert (one.name, one.leg_id, one.other_leg_id, one.variable("note")) == ("DTMF", "leg-1", "leg-2", "a b")
    assert one.at == 1795353408.045122
    assert one.variable("nothing", "else") == "else"
    assert digit_of(one) == "#"
    assert one.body == b""


@pytest.mark.parametrize("key", ["A", "12", "", "w", "\n", "٣"])
def test_a_key_that_is_none_of_the_twelve_is_no_key(key: str) -> None:
    assert digit_of(read(event("DTMF", DTMF_Digit=key))) == ""


def test_a_completion_says_what_ran_and_what_came_of_it() -> None:
    done = executed_of(read(executed("id-1", "play_and_get_digits", "_none_", variable_read="42")))
    assert (done.application, done.response, done.event.variable("read")) == ("play_and_get_digits", "_none_", "42")


def test_the_body_of_a_job_is_what_the_command_said() -> None:
    job = read(event("BACKGROUND_JOB", body="+OK 0b0b\n", Job_UUID="j-1"))
    assert job.text == "+OK 0b0b"
    assert job["Content-Length"] == "9"
    assert job["Job-UUID"] == "j-1"


WORDS = {
    "NORMAL_CLEARING": HangupCause.NORMAL,
    "ORIGINATOR_CANCEL": HangupCause.NORMAL,
    "USER_BUSY": HangupCause.BUSY,
    "NO_ANSWER": HangupCause.NO_ANSWER,
    "ALLOTTED_TIMEOUT": HangupCause.NO_ANSWER,
    "CALL_REJECTED": HangupCause.REJECTED,
    "UNALLOCATED_NUMBER": HangupCause.UNALLOCATED,
    "USER_NOT_REGISTERED": HangupCause.UNALLOCATED,
    "NORMAL_CIRCUIT_CONGESTION": HangupCause.CONGESTION,
    "DESTINATION_OUT_OF_ORDER": HangupCause.UNKNOWN,
    "": HangupCause.UNKNOWN,
}


@pytest.mark.parametrize(("word", "cause"), WORDS.items())
def test_why_a_channel_ended(word: str, cause: HangupCause) -> None:
    assert cause_of_word(word) is cause
    ended = read(event("CHANNEL_HANGUP", Hangup_Cause=word))
    assert (hangup_word(ended), hangup_cause_of(ended)) == (word, cause)


@pytest.mark.parametrize("name", ["08-events-json", "08c-events-xml"])
def test_an_event_in_another_format_is_refused(name: str) -> None:
    messages = MessageSplitter().feed(recording(name).stream("inbound"))
    other = next(one for one in messages if one.kind in ("text/event-json", "text/event-xml"))
    with pytest.raises(SwitchProtocolError):
        parts_of(other)


def test_a_plain_event_that_calls_itself_something_else_is_refused() -> None:
    (message,) = MessageSplitter().feed(event("DTMF").replace(b"event-plain", b"event-json"))
    with pytest.raises(SwitchProtocolError):
        parts_of(message)


def test_where_nobody_forges_anything_greenswitch_reads_the_same() -> None:
    read_alike = 0
    for name in ("03b-outbound-async-full-digits-loopback", "05c-outbound-agent-uuid_bridge-loopback"):
        for connection in recording(name).connections:
            for message in MessageSplitter().feed(recording(name).stream(connection)):
                if message.kind == "text/event-plain" and b"%0A" not in message.body:  # that would be an SDP
                    block = parts_of(message).block
                    theirs = ESLEvent(block.decode()).headers
                    ours = {key: value or "_undef_" for key, value in EslEvent(block).items()}
                    assert {key: value.strip() for key, value in ours.items()} == theirs
                    read_alike += 1
    assert read_alike > 50


def test_where_a_caller_forges_greenswitch_is_deceived_and_we_are_not() -> None:
    block = b"Event-Name: CHANNEL_ANSWER\nCaller-Caller-ID-Name: Bob%0AEvent-Name: CHANNEL_HANGUP"
    assert ESLEvent(block.decode()).headers["Event-Name"] == "CHANNEL_HANGUP"
    assert EslEvent(block).name == "CHANNEL_ANSWER"


@pytest.mark.parametrize("body", [b"", b"\n\n", b"Event-Name: X\n", b"{}\n\n", b"\n\nEvent-Name: X\n\n"])
def test_an_event_without_name_or_end_is_refused(body: bytes) -> None:
    data = b"Content-Length: %d\nContent-Type: text/event-plain\n\n%b" % (len(body), body)
    (message,) = MessageSplitter().feed(data)
    with pytest.raises(SwitchProtocolError):
        parts_of(message)


@pytest.mark.parametrize("stamp", ["", "x", "-5", "1" * 30, "١"])
def test_a_moment_that_is_none_is_zero(stamp: str) -> None:
    assert EslEvent(f"Event-Date-Timestamp: {stamp}".encode()).at == 0.0


FORGERIES = [
    "Bob%0AEvent-Name: CHANNEL_HANGUP%0Avariable_is_vip: true",
    "Bob\nEvent-Name: CHANNEL_HANGUP\n\n",
    "Bob\n\nContent-Type: text/event-plain\nContent-Length: 5\n\n",
    "${system(touch /tmp/x)}",
    "[a=b]{c=d},|^^;",
    "%0D%0A%00%25%30%41",
]
TEXTS = st.one_of(
    st.sampled_from(FORGERIES),
    st.lists(st.sampled_from(["%0A", "%", "\n", "\r", ": ", "0A", "Event-Name", "x", "\0", "☎"]), max_size=15).map(
        "".join
    ),
    st.text(max_size=60),
)


@pytest.mark.fuzz
@examples(0.22)
@given(name=TEXTS, number=TEXTS)
def test_a_caller_cannot_write_a_header(name: str, number: str) -> None:
    values = {"Caller-Caller-ID-Name": name, "Caller-Caller-ID-Number": number, "Hangup-Cause": "NORMAL_CLEARING"}
    lines = "".join(f"{key}: {as_freeswitch_writes(value)}\n" for key, value in values.items())
    inner = f"Event-Name: CHANNEL_ANSWER\nUnique-ID: 1\n{lines}\n".encode()
    one = read(b"Content-Length: %d\nContent-Type: text/event-plain\n\n%b" % (len(inner), inner))
    assert (one.name, one.leg_id, hangup_word(one)) == ("CHANNEL_ANSWER", "1", "NORMAL_CLEARING")
    assert list(one) == ["Event-Name", "Unique-ID", *values]
    for key in ("Caller-Caller-ID-Name", "Caller-Caller-ID-Number"):
        if "%" not in values[key] and values[key] != "_undef_":
            assert one[key] == values[key].encode(errors="surrogatepass").decode(errors="replace")
