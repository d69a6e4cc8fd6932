"""Whether the PBX's music on hold is in received audio, wherever in its loop it plays. Pure; `sound_steps` asks."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from cordboard.errors import LabError
from cordboard.lab.rtp import SAMPLE_RATE_HZ, Samples

WINDOW_S = 0.5
THRESHOLD = 0.8  # clean audio scores 0.99 and more, other sounds of the lab 0.3 at most
_WINDOW = round(WINDOW_S * SAMPLE_RATE_HZ)
_QUIET = 100.0  # mean amplitude of what is worth looking at


class Music:
    """A piece that is played round and round."""

    def __init__(self, samples: Samples) -> None:
        """Raises LabError for less than one window of samples."""
        if len(samples) < _WINDOW:
            raise LabError(f"music on hold must last {WINDOW_S:g} s or more")
        looped = np.concatenate([samples, samples[:_WINDOW]]).astype(np.float64)
        self._size = 1 << (len(looped) + _WINDOW - 1).bit_length()
        self._spectrum = np.fft.rfft(looped, self._size)
        energy = np.concatenate([[0.0], np.cumsum(looped**2)])
        self._norms = np.sqrt(np.maximum(energy[_WINDOW:] - energy[:-_WINDOW], 1.0))

    @classmethod
    def from_file(cls, path: Path) -> Music:
        """The music in a WAV file: 8 kHz, mono, 16 bit."""
        with wave.open(str(path), "rb") as file:
            return cls(np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16))

    def score(self, heard: Samples) -> float:
        """The best normalised correlation of the last half second of what was heard with any part of the music."""
        window = heard[-_WINDOW:].astype(np.float64)
        if len(window) < _WINDOW or float(np.abs(window).mean()) < _QUIET:
            return 0.0
        products = np.fft.irfft(self._spectrum * np.conj(np.fft.rfft(window, self._size)), self._size)
        return float(np.max(products[: len(self._norms)] / self._norms) / np.linalg.norm(window))

    def is_in(self, heard: Samples) -> bool:
        """Whether the last half second of what was heard is this music."""
        return self.score(heard) >= THRESHOLD
