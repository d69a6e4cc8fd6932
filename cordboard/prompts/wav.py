"""The one sound format both switches play without conversion: 8 kHz, mono, 16 bit WAV."""

from __future__ import annotations

import wave
from pathlib import Path

SAMPLE_RATE_HZ = 8_000


class NotPlayable(ValueError):
    """The file is no WAV in the telephone format; the message says what it is instead."""


def duration_s(path: Path) -> float:
    """How long the file plays. Raises NotPlayable if it is not 8 kHz mono 16 bit WAV."""
    try:
        with wave.open(str(path), "rb") as sound:
            shape = (sound.getframerate(), sound.getnchannels(), sound.getsampwidth() * 8)
            frames = sound.getnframes()
    except (wave.Error, EOFError) as fault:
        raise NotPlayable(f"not a WAV file ({fault})") from fault
    if shape != (SAMPLE_RATE_HZ, 1, 16):
        raise NotPlayable(f"{shape[0]} Hz, {shape[1]} channel(s), {shape[2]} bit; wanted is 8000 Hz, 1, 16")
    return frames / SAMPLE_RATE_HZ
