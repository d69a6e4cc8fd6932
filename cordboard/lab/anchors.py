"""Finding where a known prompt begins in a stretch of audio, by normalised cross-correlation with anchors.

An anchor is 0.25 s of a prompt, taken at 0, 0.25 and 0.5 s of its sound. Whole prompts are no good for this: one
that is cut short scores as low as a false one (0.12 to 0.78), while an anchor scores 0.9 and more whatever comes
after it. Pure; `hearing` uses it. One transform of the audio serves all anchors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cordboard.lab.following import LOUD_RMS, Reference, Signal
from cordboard.lab.rtp import SAMPLE_RATE_HZ

LENGTH = round(0.25 * SAMPLE_RATE_HZ)
OFFSETS = tuple(round(offset_s * SAMPLE_RATE_HZ) for offset_s in (0.0, 0.25, 0.5))
THRESHOLD = 0.9
SHORTEST = round(0.08 * SAMPLE_RATE_HZ)  # a prompt shorter than an anchor is its own anchor, down to this
_TRANSFORM = 4_096
MOST_STARTS = _TRANSFORM - LENGTH + 1  # positions one transform can examine


@dataclass(frozen=True, slots=True)
class Match:
    """An anchor was found: `offset` samples into its prompt, `found_at` samples into the audio searched."""

    reference: Reference
    offset: int
    found_at: int
    score: float


class AnchorIndex:
    """The anchors of all prompts, transformed once."""

    def __init__(self, references: Sequence[Reference]) -> None:
        self._owners = [(reference, offset) for reference in references for offset in _offsets_of(reference)]
        anchors = [reference.sound[offset : offset + LENGTH] for reference, offset in self._owners]
        self._norms = np.array([np.sqrt(np.dot(anchor, anchor)) for anchor in anchors], dtype=np.float32)
        self._lengths = np.array([len(anchor) for anchor in anchors], dtype=np.intp)
        padded = np.zeros((len(anchors), _TRANSFORM), dtype=np.float32)
        for row, anchor in zip(padded, anchors, strict=True):
            row[: len(anchor)] = anchor
        self._spectra = np.conj(np.fft.rfft(padded, axis=1))

    def search(self, audio: Signal, starts: int, threshold: float = THRESHOLD) -> list[Match]:
        """Anchors which begin within the first `starts` samples of `audio`, best first.

        audio: at most 4,096 samples, at least LENGTH - 1 more than `starts`. Offsets count from its beginning.
        """
        if not self._owners:
            return []
        products = np.fft.irfft(np.fft.rfft(audio, _TRANSFORM) * self._spectra, axis=1)[:, :starts]
        scores = products / (self._norms[:, None] * self._levels(audio, starts))
        best = np.argmax(scores, axis=1)
        return sorted(self._matches(scores, best, threshold), key=lambda match: -match.score)

    def _matches(self, scores: Signal, best: NDArray[np.intp], threshold: float) -> Iterator[Match]:
        for row, (reference, offset) in enumerate(self._owners):
            score, found_at = float(scores[row, best[row]]), int(best[row])
            if score >= threshold:
                yield Match(reference, offset, found_at, score)

    def _levels(self, audio: Signal, starts: int) -> Signal:
        """Norm of the audio under each anchor at each start; never below that of what counts as silence."""
        power = np.concatenate([[0.0], np.cumsum(np.square(audio, dtype=np.float64))])
        ends = np.minimum(np.arange(starts)[None, :] + self._lengths[:, None], len(audio))
        energy = power[ends] - power[:starts][None, :]
        floor = self._lengths[:, None] * LOUD_RMS**2
        levels: Signal = np.sqrt(np.maximum(energy, floor)).astype(np.float32)
        return levels


def _offsets_of(reference: Reference) -> Iterator[int]:
    length = len(reference.sound)
    for offset in OFFSETS:
        if (offset == 0 and length >= SHORTEST) or offset + LENGTH <= length:
            yield offset
