"""The one sound format both switches play without conversion: 8 kHz, mono, 16 bit WAV."""

from __future__ import annotations

import wave
from pathlib import Path

SAMPLE_RATE_HZ = 8_000
_BYTES_PER_SAMPLE = 2
_HEADER_BYTES = 44


class NotPlayable(ValueError):
    """The file is no readable WAV in the telephone format; the message says what it is instead."""


def duration_s(path: Path) -> float:
    """How long the file plays. Raises NotPlayable if it cannot be read or is not 8 kHz mono 16 bit WAV.

    A header may promise more than there is (programs which write to a pipe put 0x7FFFF000): the file's size counts.
    """
    try:
        with wave.open(str(path), "rb") as sound:
            shape = (sound.getframerate(), sound.getnchannels(), sound.getsampwidth() * 8)
            promised_s = sound.getnframes() / SAMPLE_RATE_HZ
        there_s = recorded_s(path)
    except (wave.Error, EOFError) as fault:
        raise NotPlayable(f"not a WAV file ({fault})") from fault
    except OSError as fault:
        raise NotPlayable(f"it cannot be read ({fault.strerror})") from fault
    if shape != (SAMPLE_RATE_HZ, 1, 16):
        raise NotPlayable(f"{shape[0]} Hz, {shape[1]} channel(s), {shape[2]} bit; wanted is 8000 Hz, 1, 16")
    return min(promised_s, there_s)


def recorded_s(path: Path) -> float:
    """How long a recording is by the size of its file, whatever its header says: good while it is being written.

    Raises OSError if there is none.
    """
    samples = (path.stat().st_size - _HEADER_BYTES) // _BYTES_PER_SAMPLE
    return max(0, samples) / SAMPLE_RATE_HZ
