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
_AT_ONCE = 64  # anchors

Spectrum = NDArray[np.complexfloating]


@dataclass(frozen=True, slots=True)
class Match:
    """An anchor was found: `offset` samples into its prompt, `found_at` samples into the audio searched."""

    reference: Reference
    offset: int
    found_at: int
    score: float


class AnchorIndex:
    """The anchors of all prompts, transformed once. It never changes, so all who listen may share it."""

    def __init__(self, references: Sequence[Reference]) -> None:
        owners = [(reference, offset) for reference in references for offset in _offsets_of(reference)]
        by_length: dict[int, list[_Anchor]] = {}
        for number, (reference, offset) in enumerate(owners):
            anchor = _Anchor(number, reference, offset, reference.sound[offset : offset + LENGTH])
            by_length.setdefault(len(anchor.sound), []).append(anchor)
        self._groups = [
            _Group(length, anchors[at : at + _AT_ONCE])
            for length, anchors in by_length.items()
            for at in range(0, len(anchors), _AT_ONCE)
        ]

    def search(self, audio: Signal, starts: int, threshold: float = THRESHOLD) -> list[Match]:
        """Anchors which begin within the first `starts` samples of `audio`, best first.

        audio: at most 4,096 samples, at least LENGTH - 1 more than `starts`. Offsets count from its beginning.
        """
        heard = np.fft.rfft(audio, _TRANSFORM)
        power = np.concatenate([[0.0], np.cumsum(np.square(audio, dtype=np.float64))])
        levels = {group.length: _levels(power, starts, group.length) for group in self._groups}
        found = [match for group in self._groups for match in group.matches(heard, levels[group.length], threshold)]
        return [match for _, match in sorted(found, key=lambda one: (-one[1].score, one[0]))]


@dataclass(frozen=True, slots=True)
class _Anchor:
    """number: its place among all."""

    number: int
    reference: Reference
    offset: int
    sound: Signal


class _Group:
    """Some anchors of one length: few enough for the processor's cache, which makes the search twice as fast."""

    def __init__(self, length: int, anchors: Sequence[_Anchor]) -> None:
        self.length = length
        self._anchors = anchors
        padded = np.zeros((len(anchors), _TRANSFORM), dtype=np.float32)
        for row, anchor in zip(padded, anchors, strict=True):
            row[:length] = anchor.sound / np.sqrt(np.dot(anchor.sound, anchor.sound))
        self._spectra = np.conj(np.fft.rfft(padded, axis=1))

    def matches(self, heard: Spectrum, levels: Signal, threshold: float) -> Iterator[tuple[int, Match]]:
        """Its anchors that are in the audio, each with its number. levels: of the audio, at each start."""
        scores = np.fft.irfft(heard * self._spectra, axis=1)[:, : len(levels)] / levels
        best = np.argmax(scores, axis=1)
        for row in map(int, np.flatnonzero(scores[np.arange(len(best)), best] >= threshold)):
            anchor, found_at = self._anchors[row], int(best[row])
            yield anchor.number, Match(anchor.reference, anchor.offset, found_at, float(scores[row, found_at]))


def _levels(power: NDArray[np.float64], starts: int, length: int) -> Signal:
    """Norm of the audio under an anchor at each start; never below that of what counts as silence.

    power: the sum of the audio's squares up to each sample.
    """
    ends = np.minimum(np.arange(starts) + length, len(power) - 1)
    levels: Signal = np.sqrt(np.maximum(power[ends] - power[:starts], length * LOUD_RMS**2)).astype(np.float32)
    return levels


def _offsets_of(reference: Reference) -> Iterator[int]:
    length = len(reference.sound)
    for offset in OFFSETS:
        if (offset == 0 and length >= SHORTEST) or offset + LENGTH <= length:
            yield offset
