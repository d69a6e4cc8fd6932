"""RTP packets (RFC 3550), telephone events (RFC 4733) and the G.711 mu-law codec. Pure; `media` sends and receives.

Samples are 16 bit at 8,000 a second, in numpy arrays; one packet carries 160 of them, 20 ms.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 8_000
PACKET_SAMPLES = 160
PACKET_S = PACKET_SAMPLES / SAMPLE_RATE_HZ
ULAW_SILENCE = 0xFF
EVENT_CODES = {key: code for code, key in enumerate("0123456789*#ABCD")}
END_PACKETS = 3  # RFC 4733 2.5.1.4: the last packet is sent three times, it may get lost
_END_BIT = 0x80
_EVENT_VOLUME = 10  # dBm0 below zero
_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")

Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet. timestamp: counts samples; marker: the first packet after a silence, or of an event."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def encode_packet(packet: RtpPacket) -> bytes:
    """The packet as one datagram. Counters are taken modulo their width."""
    second = packet.payload_type | (0x80 if packet.marker else 0)
    header = _HEADER.pack(
        0x80, second, packet.sequence & 0xFFFF, packet.timestamp & 0xFFFFFFFF, packet.ssrc & 0xFFFFFFFF
    )
    return header + packet.payload


def parse_packet(datagram: bytes) -> RtpPacket | None:
    """The packet in a datagram; None if it is none (RTCP, STUN and other strangers arrive on RTP ports)."""
    if len(datagram) < _HEADER.size or datagram[0] >> 6 != 2:
        return None
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(datagram)
    start = _HEADER.size + 4 * (first & 0x0F)
    if first & 0x10 and len(datagram) >= start + 4:
        start += 4 + 4 * int.from_bytes(datagram[start + 2 : start + 4], "big")
    end = len(datagram) - (datagram[-1] if first & 0x20 else 0)
    return RtpPacket(
        second & 0x7F, bool(second & 0x80), sequence, timestamp, ssrc, datagram[start : max(start, end)]
    )


@dataclass(frozen=True, slots=True)
class TelephoneEvent:
    """What one packet says of a key. duration: samples since the key went down; ended: it is up again."""

    key: str
    duration: int
    ended: bool


def encode_event(event: TelephoneEvent) -> bytes:
    """The payload of a telephone event packet. Raises KeyError for what is no key."""
    flags = _EVENT_VOLUME | (_END_BIT if event.ended else 0)
    return _EVENT.pack(EVENT_CODES[event.key], flags, min(event.duration, 0xFFFF))


def parse_event(payload: bytes) -> TelephoneEvent | None:
    """The event in a payload; None if it is no key we know."""
    if len(payload) < _EVENT.size:
        return None
    code, flags, duration = _EVENT.unpack_from(payload)
    key = next((key for key, known in EVENT_CODES.items() if known == code), None)
    return None if key is None else TelephoneEvent(key, duration, bool(flags & _END_BIT))


def key_ticks(key: str, tone_ms: int) -> Iterator[list[TelephoneEvent]]:
    """The packets of one key, tick by tick (20 ms each): updates while it is down, the end three times.

    tone_ms: rounded up to whole packets, two at least.
    """
    packets = max(2, -(-tone_ms // 20))
    for number in range(1, packets):
        yield [TelephoneEvent(key, number * PACKET_SAMPLES, ended=False)]
    yield [TelephoneEvent(key, packets * PACKET_SAMPLES, ended=True)] * END_PACKETS


def ulaw_decode(payload: bytes) -> Samples:
    """Samples of a PCMU payload."""
    return _DECODE[np.frombuffer(payload, dtype=np.uint8)]


def ulaw_encode(samples: Samples) -> bytes:
    """PCMU payload of samples."""
    return bytes(_ENCODE[samples.view(np.uint16)])


def tone(frequency_hz: float, seconds: float, level: float = 0.25) -> Samples:
    """A sine. level: of full scale, 0 to 1."""
    time_s = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return np.round(np.sin(2 * np.pi * frequency_hz * time_s) * level * 32_767).astype(np.int16)


def _decode_table() -> Samples:
    """ITU-T G.711, table 2a: 256 codes to linear."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    magnitude = ((mantissa * 8 + 132) << exponent) - 132
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _encode_table() -> NDArray[np.uint8]:
    """Linear, seen as unsigned 16 bit, to the nearest code."""
    linear = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    biased = np.minimum(np.abs(linear), 32_635) + 132
    exponent = np.floor(np.log2(biased)).astype(np.int32) - 7
    mantissa = biased >> (exponent + 3) & 15
    code = np.where(linear < 0, 0x80, 0) | exponent << 4 | mantissa
    table: NDArray[np.uint8] = (~code & 0xFF).astype(np.uint8)
    return table


_DECODE = _decode_table()
_ENCODE = _encode_table()
