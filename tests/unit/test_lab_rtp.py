"""RTP packets, telephone events, mu-law, and the time line on which received packets are laid down."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.lab.received_audio import ReceivedAudio
from cordboard.lab.rtp import (
    RtpPacket,
    TelephoneEvent,
    encode_event,
    encode_packet,
    key_ticks,
    parse_event,
    parse_packet,
    tone,
    ulaw_decode,
    ulaw_encode,
)

LOUD = ulaw_encode(np.full(160, 8031, dtype=np.int16))


def packet(timestamp: int, ssrc: int = 1, marker: bool = False) -> RtpPacket:
    return RtpPacket(0, marker, 0, timestamp, ssrc, LOUD)


def loud_spans(heard: ReceivedAudio) -> list[tuple[float, float]]:
    """Where something was laid down, as (begin, end) in seconds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], heard.samples() != 0, [0]]).astype(int))) / 8000
    return [(float(begin), float(end)) for begin, end in edges.reshape(-1, 2)]


def test_a_packet_is_encoded_byte_for_byte() -> None:
    wire = encode_packet(RtpPacket(101, True, 0x1_0203, 0x1_0405_0607, 0x08090A0B, b"xy"))
    assert wire == bytes.fromhex("80e5 0203 04050607 08090a0b") + b"xy"
    assert parse_packet(wire) == RtpPacket(101, True, 0x0203, 0x04050607, 0x08090A0B, b"xy")


def test_extensions_sources_and_padding_are_skipped() -> None:
    wire = (
        bytes.fromhex("b1 00 0001 00000002 00000003")
        + b"SRC1"
        + bytes.fromhex("bede 0001")
        + b"EXTN"
        + b"voice\0\0\3"
    )
    assert parse_packet(wire) == RtpPacket(0, False, 1, 2, 3, b"voice")


@given(st.binary(max_size=80))
def test_no_datagram_breaks_the_parser(datagram: bytes) -> None:
    parsed = parse_packet(datagram)
    assert parsed is None or len(parsed.payload) <= len(datagram)


def test_a_key_is_five_updates_and_three_ends() -> None:
    ticks = list(key_ticks("#", tone_ms=100))
    assert [[(event.duration, event.ended) for event in tick] for tick in ticks] == [
        [(160, False)], [(320, False)], [(480, False)], [(640, False)], [(800, True)] * 3,
    ]  # fmt: skip
    assert encode_event(ticks[-1][0]) == bytes.fromhex("0b 8a 0320")


@pytest.mark.parametrize("key", "0123456789*#ABCD")
def test_every_key_survives_the_wire(key: str) -> None:
    event = TelephoneEvent(key, 800, ended=True)
    assert parse_event(encode_event(event)) == event


def test_mu_law_is_the_standard_one() -> None:
    codes = bytes(range(256))
    linear = ulaw_decode(codes)
    assert (linear[0x00], linear[0x80], linear[0xFF], linear[0x7F]) == (-32124, 32124, 0, 0)
    assert ulaw_encode(linear).replace(b"\x7f", b"\xff") == codes.replace(b"\x7f", b"\xff")
    speech = tone(440, 0.1, level=0.9)
    error = ulaw_decode(ulaw_encode(speech)).astype(float) - speech
    assert np.abs(error).max() <= 0.035 * 32768


def test_a_run_is_laid_down_by_time_stamp_however_it_jitters() -> None:
    heard = ReceivedAudio(started_at=100.0)
    for number, late_s in enumerate([0.0, 0.03, 0.015, 0.05, 0.0]):
        heard.place(packet(5000 + 160 * number), arrived_at=101.0 + 0.02 * number + late_s)
    assert loud_spans(heard) == [(1.0, 1.1)]


def test_a_pause_without_packets_keeps_its_length() -> None:
    heard = ReceivedAudio(started_at=0.0)
    heard.place(packet(0), arrived_at=0.5)
    heard.place(packet(160, marker=True), arrived_at=2.0)  # the stamp does not tell of the pause
    heard.place(packet(320), arrived_at=2.021)
    assert loud_spans(heard) == [(0.5, 0.52), (2.0, 2.04)]


def test_a_new_source_is_anchored_by_the_clock_and_never_overwrites() -> None:
    heard = ReceivedAudio(started_at=0.0)
    heard.place(packet(77, ssrc=1), arrived_at=0.5)
    heard.place(packet(1_000_000, ssrc=2), arrived_at=0.515)
    assert loud_spans(heard) == [(0.5, 0.54)]


def test_lost_and_reordered_packets_leave_their_place() -> None:
    heard = ReceivedAudio(started_at=0.0)
    for number in (0, 1, 4, 3):
        heard.place(packet(160 * number), arrived_at=0.1 + 0.02 * number)
    assert loud_spans(heard) == [(0.1, 0.14), (0.16, 0.2)]


def test_time_stamps_wrap_around() -> None:
    heard = ReceivedAudio(started_at=0.0)
    heard.place(packet(0xFFFFFFFF - 79), arrived_at=0.1)
    heard.place(packet(80), arrived_at=0.12)
    assert loud_spans(heard) == [(0.1, 0.14)]


def test_a_long_call_grows_the_buffer_and_is_saved(tmp_path: Path) -> None:
    heard = ReceivedAudio(started_at=0.0)
    heard.place(packet(0), arrived_at=90.0)
    heard.place(packet(0, ssrc=9), arrived_at=1e9)  # beyond any call: dropped
    assert heard.end_s == pytest.approx(90.02)
    assert len(heard.samples(89.0, 91.0)) == 16_000
    heard.save(tmp_path / "call.wav")
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (8000, 1, round(90.02 * 8000))
