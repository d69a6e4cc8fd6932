"""What one party received, on a true time line: offsets into it are seconds since the call was dialled.

RTP comes only while there is something to hear, so its time stamps alone lose the pauses, and arrival alone
jitters. Here a run of packets is laid down by time stamp, and each run is anchored by the clock: where it begins,
and where time stamp and clock no longer agree. `media` fills it; `listening` and the tests read it.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from cordboard.lab.rtp import SAMPLE_RATE_HZ, RtpPacket, Samples, ulaw_decode

MAX_S = 3_600.0  # an hour is 58 MB; what comes later is dropped
_JUMP = round(0.2 * SAMPLE_RATE_HZ)  # a PBX on a busy machine sends late and catches up; that is no pause
_JUMP_AT_MARKER = round(0.04 * SAMPLE_RATE_HZ)
_FIRST_CAPACITY = 30 * SAMPLE_RATE_HZ


class ReceivedAudio:
    """A growing buffer of samples with silence where nothing came. `end_s`: up to where something came."""

    def __init__(self, started_at: float) -> None:
        """started_at: `time.monotonic()` at second 0."""
        self.started_at = started_at
        self._samples = np.zeros(_FIRST_CAPACITY, dtype=np.int16)
        self._end = 0
        self._ssrc: int | None = None
        self._anchor_position = 0
        self._anchor_timestamp = 0

    @property
    def end_s(self) -> float:
        """Where the audio received so far ends."""
        return self._end / SAMPLE_RATE_HZ

    def place(self, packet: RtpPacket, arrived_at: float) -> None:
        """Lay down one PCMU packet. arrived_at: `time.monotonic()` when it reached the machine."""
        position = self._position(packet, round((arrived_at - self.started_at) * SAMPLE_RATE_HZ))
        sound = ulaw_decode(packet.payload)
        end = position + len(sound)
        if position < 0 or end > MAX_S * SAMPLE_RATE_HZ:
            return
        self._reserve(end)
        self._samples[position:end] = sound
        self._end = max(self._end, end)

    def samples(self, start_s: float = 0.0, upto_s: float | None = None) -> Samples:
        """A copy of a stretch; silence where nothing came, also beyond `end_s`."""
        start = round(start_s * SAMPLE_RATE_HZ)
        end = self._end if upto_s is None else round(upto_s * SAMPLE_RATE_HZ)
        stretch = np.zeros(max(0, end - start), dtype=np.int16)
        known = self._samples[start : min(end, self._end)]
        stretch[: len(known)] = known
        return stretch

    def save(self, path: Path) -> None:
        """Write all of it as a WAV file: 8 kHz, mono, 16 bit."""
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE_HZ)
            file.writeframes(self._samples[: self._end].astype("<i2").tobytes())

    def _position(self, packet: RtpPacket, by_clock: int) -> int:
        by_timestamp = self._anchor_position + _signed32(packet.timestamp - self._anchor_timestamp)
        tolerance = _JUMP_AT_MARKER if packet.marker else _JUMP
        if packet.ssrc == self._ssrc and abs(by_timestamp - by_clock) <= tolerance:
            return by_timestamp
        self._ssrc = packet.ssrc
        self._anchor_timestamp = packet.timestamp
        self._anchor_position = max(by_clock, self._end)
        return self._anchor_position

    def _reserve(self, end: int) -> None:
        if end > len(self._samples):
            longer = np.zeros(max(end, 2 * len(self._samples)), dtype=np.int16)
            longer[: self._end] = self._samples[: self._end]
            self._samples = longer


def _signed32(difference: int) -> int:
    """The difference of two RTP time stamps, which wrap around at 2^32."""
    return (difference + 0x80000000) % 0x100000000 - 0x80000000
