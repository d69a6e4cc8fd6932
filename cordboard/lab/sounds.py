"""Sounds the lab makes for itself: music on hold, the safe destination, what a phone says.

Each is a melody of short sweeps in an order of its own, so that any quarter of a second tells which sound it is and
where in it. Written as 8 kHz, 16 bit, mono WAV, the same to the last bit on each run. `pbx` and `baresip` call it.
"""

from __future__ import annotations

import math
import random
import struct
import wave
from collections.abc import Iterator
from pathlib import Path

RATE_HZ = 8000
SWEEP_S = 0.125
AMPLITUDE = 8000  # -12 dBFS: far above noise, far from clipping
_RAMP_SAMPLES = 80  # 10 ms, so that sweeps do not click

SAFE_DESTINATION = "safe-destination"
MUSIC = "music"


def write_lab_sounds(directory: Path) -> None:
    """`safe-destination.wav` (3 s) and `music/music.wav` (20 s) under an existing directory."""
    write_melody(directory / f"{SAFE_DESTINATION}.wav", SAFE_DESTINATION, duration_s=3.0, low_hz=900, high_hz=1900)
    (directory / MUSIC).mkdir()
    write_melody(directory / MUSIC / f"{MUSIC}.wav", MUSIC, duration_s=20.0, low_hz=300, high_hz=800)


def write_looped(source: Path, target: Path, times: int) -> None:
    """Write a WAV that is another one played several times, without a gap."""
    with wave.open(str(source), "rb") as once, wave.open(str(target), "wb") as looped:
        looped.setparams(once.getparams())
        looped.writeframes(once.readframes(once.getnframes()) * times)


def write_melody(path: Path, name: str, *, duration_s: float, low_hz: float = 500, high_hz: float = 2500) -> None:
    """Write the melody that belongs to a name; other names sound different."""
    samples = list(_melody(name, round(duration_s / SWEEP_S), low_hz, high_hz))
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def _melody(name: str, sweeps: int, low_hz: float, high_hz: float) -> Iterator[int]:
    notes = random.Random(name)
    for _ in range(sweeps):
        yield from _sweep(notes.uniform(low_hz, high_hz), notes.uniform(low_hz, high_hz))


def _sweep(from_hz: float, to_hz: float) -> Iterator[int]:
    count = round(RATE_HZ * SWEEP_S)
    phase = 0.0
    for index in range(count):
        phase += 2 * math.pi * (from_hz + (to_hz - from_hz) * index / count) / RATE_HZ
        loudness = min(1.0, index / _RAMP_SAMPLES, (count - index) / _RAMP_SAMPLES)
        yield round(AMPLITUDE * loudness * math.sin(phase))
