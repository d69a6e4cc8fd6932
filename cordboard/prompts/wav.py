"""The sound format both switches play without conversion: 8 kHz, mono, 16 bit WAV.

Asterisk plays the 16 kHz file beside it, `.wav16`, to callers whose telephones can make use of it.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import NamedTuple

SAMPLE_RATE_HZ = 8_000
WIDEBAND_HZ = 16_000
_BYTES_PER_SAMPLE = 2
_HEADER_BYTES = 44


class NotPlayable(ValueError):
    """The file is no readable WAV in the telephone format; the message says what it is instead."""


class WavShape(NamedTuple):
    """How a sound is kept. frames: as many as the header promises."""

    rate_hz: int
    channels: int
    bits: int
    frames: int

    @property
    def is_telephone(self) -> bool:
        """Whether it can be played as it is."""
        return self[:3] == (SAMPLE_RATE_HZ, 1, 16)


def wav_shape(path: Path) -> WavShape:
    """What a WAV file says of itself. Raises NotPlayable if it cannot be read or is none."""
    try:
        with wave.open(str(path), "rb") as sound:
            bits = sound.getsampwidth() * 8
            return WavShape(sound.getframerate(), sound.getnchannels(), bits, sound.getnframes())
    except (wave.Error, EOFError) as fault:
        raise NotPlayable(f"not a WAV file ({fault})") from fault
    except OSError as fault:
        raise NotPlayable(f"it cannot be read ({fault.strerror})") from fault


def wideband_path(path: Path) -> Path:
    """The 16 kHz file beside an 8 kHz one, by the name under which Asterisk looks for it."""
    return path.with_suffix(".wav16")


def duration_s(path: Path) -> float:
    """How long the file plays. Raises NotPlayable if it cannot be read or is not 8 kHz mono 16 bit WAV.

    A header may promise more than there is (programs which write to a pipe put 0x7FFFF000): the file's size counts.
    """
    shape = wav_shape(path)
    if not shape.is_telephone:
        raise NotPlayable(
            f"{shape.rate_hz} Hz, {shape.channels} channel(s), {shape.bits} bit; wanted is 8000 Hz, 1, 16"
        )
    try:
        there_s = recorded_s(path)
    except OSError as fault:
        raise NotPlayable(f"it cannot be read ({fault.strerror})") from fault
    return min(shape.frames / SAMPLE_RATE_HZ, there_s)


def recorded_s(path: Path) -> float:
    """How long a recording is by the size of its file, whatever its header says: good while it is being written.

    Raises OSError if there is none.
    """
    samples = (path.stat().st_size - _HEADER_BYTES) // _BYTES_PER_SAMPLE
    return max(0, samples) / SAMPLE_RATE_HZ
