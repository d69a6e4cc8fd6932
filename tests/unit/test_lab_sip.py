"""SIP messages and SDP of the lab's callers: byte for byte out, forgiving in, hostile text unharmed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.lab import sip
from cordboard.lab.dialog import calling, confirmed
from cordboard.lab.sdp import AudioDescription, NoAudio, parse_audio

BYE = (
    b"BYE sip:ada@127.0.0.2:40000 SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bKabc\r\n"
    b'f: "Acme; tag=no" <sip:5000@127.0.0.1>;tag=pbx1\r\n'
    b"t: <sip:ada@127.0.0.2>;tag=ours\r\n"
    b"i: abc@127.0.0.2\r\n"
    b"CSeq: 7 BYE\r\n"
    b'Reason: SIP;cause=200\r\nReason: Q.850;cause=17;text="User busy"\r\n'
    b"Subject: two\r\n  lines\r\n"
    b"l: 0\r\n\r\n"
)


def test_a_request_is_read_whatever_the_form_of_its_header_names() -> None:
    request = sip.parse(BYE)
    assert isinstance(request, sip.Request)
    assert (request.method, request.uri, request.sequence) == ("BYE", "sip:ada@127.0.0.2:40000", (7, "BYE"))
    assert (request.header("Call-ID"), request.branch) == ("abc@127.0.0.2", "z9hG4bKabc")
    assert sip.parameter(request.header("from"), "tag") == "pbx1"
    assert request.header("subject") == "two lines"
    assert sip.q850_cause(request.headers_named("reason")) == 17


def test_a_response_copies_what_the_rfc_wants_and_tags_to_once() -> None:
    request = sip.parse(BYE.replace(b";tag=ours", b""))
    assert isinstance(request, sip.Request)
    response = sip.parse(sip.encode(sip.response_to(request, 200, "OK", to_tag="mine")))
    assert isinstance(response, sip.Response)
    assert (response.status, response.reason, response.branch) == (200, "OK", "z9hG4bKabc")
    assert response.header("to") == "<sip:ada@127.0.0.2>;tag=mine"
    assert response.sequence == (7, "BYE")


def test_an_invite_is_encoded_byte_for_byte() -> None:
    headers = (("Via", "SIP/2.0/UDP 127.0.0.2:4;branch=z9hG4bK1"), ("CSeq", "1 INVITE"))
    wire = sip.encode(sip.Request(headers, b"v=0\r\n", "INVITE", "sip:5000@127.0.0.1:5060"))
    assert wire == (
        b"INVITE sip:5000@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2:4;branch=z9hG4bK1\r\n"
        b"CSeq: 1 INVITE\r\nContent-Length: 5\r\n\r\nv=0\r\n"
    )


@pytest.mark.parametrize(
    "junk", [b"", b"\r\n\r\n", b"hello", b"\x80\x00" * 40, b"INVITE sip:x SIP/2.0\r\nno header\r\n\r\n"]
)
def test_what_is_no_sip_is_refused(junk: bytes) -> None:
    with pytest.raises(sip.NotSip):
        sip.parse(junk)


@given(st.binary(max_size=300))
def test_no_datagram_breaks_the_parser(datagram: bytes) -> None:
    for candidate in (datagram, b"SIP/2.0 200 OK\r\n" + datagram):
        try:
            message = sip.parse(candidate)
        except sip.NotSip:
            continue
        assert message.sequence[0] >= 0
        sip.encode(message)


def test_names_are_quoted_and_bytes_stand_verbatim() -> None:
    assert sip.display_name('a "b" \\') == '"a \\"b\\" \\\\"'
    assert sip.display_name("") == ""
    assert sip.display_name(b"\xff<raw") == "\udcff<raw"
    with pytest.raises(ValueError, match="CR or LF"):
        sip.display_name("a\r\nVia: x")


def test_numbers_are_percent_encoded_where_a_uri_needs_it() -> None:
    assert sip.uri_user("+442079460123") == "+442079460123"
    assert sip.uri_user("*21#") == "*21%23"
    assert sip.uri_user('1\r\n"<>@') == "1%0D%0A%22%3C%3E%40"


def test_an_answered_dialog_sends_to_the_contact_over_the_route() -> None:
    dialog = calling(number="5000", pbx=("127.0.0.1", 5060), via="127.0.0.2:4", user="ada", name='"Ada"')
    answer = sip.Response(
        (("To", "<sip:5000@127.0.0.1>;tag=p"), ("Contact", "<sip:127.0.0.1:5060;x=y>"),
         ("Record-Route", "<sip:a;lr>"), ("Record-Route", "<sip:b;lr>")), b"", 200, "OK",
    )  # fmt: skip
    bye = confirmed(dialog, answer).next().request("BYE")
    assert bye.uri == "sip:127.0.0.1:5060;x=y"
    assert bye.headers_named("route") == ["<sip:b;lr>", "<sip:a;lr>"]
    assert (bye.sequence, bye.header("to")) == ((2, "BYE"), "<sip:5000@127.0.0.1>;tag=p")
    assert bye.header("from").startswith('"Ada" <sip:ada@127.0.0.2>;tag=')


def test_an_audio_description_survives_the_wire() -> None:
    description = AudioDescription("127.0.0.2", 40000, 101)
    assert parse_audio(description.encode()) == description
    assert parse_audio(AudioDescription("127.0.0.2", 40000, None).encode()).telephone_event is None


def test_the_keys_go_by_the_number_the_answer_gives() -> None:
    body = (
        b"v=0\r\nc=IN IP4 127.0.0.9\r\nm=audio 18000 RTP/AVP 8 0 96\r\nc=IN IP4 127.0.0.1\r\n"
        b"a=rtpmap:96 telephone-event/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    )
    assert parse_audio(body) == AudioDescription("127.0.0.1", 18000, 96)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", "no RTP audio"),
        (b"c=IN IP4 1.2.3.4\r\nm=audio 9 RTP/AVP 8\r\n", "no PCMU"),
        (b"m=audio 9 RTP/AVP 0\r\n", "no IPv4"),
    ],
)
def test_a_description_without_our_audio_says_so(body: bytes, fault: str) -> None:
    with pytest.raises(NoAudio, match=fault):
        parse_audio(body)
