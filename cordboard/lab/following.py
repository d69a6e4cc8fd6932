"""Following a prompt that was recognised by its beginning: how far does what is heard agree with it?

Pure arithmetic on arrays, used by `hearing`. A prompt is compared in blocks of 0.2 s at a known alignment, so it
costs one product a block. Where it is silent, what is heard must be silent too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from cordboard.lab.rtp import SAMPLE_RATE_HZ, Samples

Signal = NDArray[np.float32]

BLOCK = round(0.2 * SAMPLE_RATE_HZ)
FRAME = round(0.02 * SAMPLE_RATE_HZ)
SAME = 0.7  # score of a block; unrelated speech stays below 0.5 at a fixed alignment
SAME_SHIFTED = 0.85  # the best of many alignments must be better
SAME_FRAME = 0.5  # of a frame, which is less sure; three in a row must differ
FRAMES_MISSED = 3
MISSED = round(0.1 * SAMPLE_RATE_HZ)  # a prompt that lacks less at its end counts as whole: nobody notices
QUIET_SHARE = 0.1  # of the prompt's own level: below it a block counts as a pause
NOISE_SHARE = 0.2  # of the prompt's level: a block that differs by less agrees, however faint it is itself
LOUD_RMS = 60.0  # about -55 dB of full scale: above the rounding of mu-law, below any speech
SHIFT = round(0.06 * SAMPLE_RATE_HZ)  # how far audio may slip within a prompt (a lost packet closed up, a late run)


@dataclass(frozen=True, slots=True)
class Reference:
    """A known prompt, trimmed to its sound. lead: samples cut off before it; level: its root mean square."""

    key: str
    sound: Signal
    lead: int
    level: float


class Progress(Enum):
    """Where a candidate stands."""

    GOING_ON = "going on"
    COMPLETE = "complete"
    STOPPED = "stopped"


@dataclass(slots=True)
class Candidate:
    """A prompt that may be playing. start: where its sound begins, in samples of the ear's time line.

    position, heard: up to where in the prompt it has been compared, and heard. lost: so much of its beginning
    was not heard.
    """

    reference: Reference
    start: int
    position: int = 0
    heard: int = 0
    lost: int = 0
    progress: Progress = Progress.GOING_ON
    _last_loud: int = 0
    _sums: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])

    @property
    def end(self) -> int:
        """Up to where it has been heard, on the ear's time line."""
        return self.start + self.heard

    @property
    def score(self) -> float:
        """Normalised correlation over all that was heard of it, 0 to 1."""
        product, reference, heard = self._sums
        return product / float(np.sqrt(reference * heard)) if reference and heard else 0.0

    def follow(self, audio: Signal, offset: int) -> None:
        """Compare as many blocks as `audio`, which begins at `offset` on the time line, holds."""
        while self.progress is Progress.GOING_ON:
            block = self._next_block()
            if self.start + self.position - offset + len(block) > len(audio):
                return
            self._compare(block, audio, offset)

    def _next_block(self) -> Signal:
        """Blocks of BLOCK samples; the last one is up to half as long again, as a short one would tell little."""
        left = len(self.reference.sound) - self.position
        size = BLOCK if left >= BLOCK * 3 // 2 else left
        return self.reference.sound[self.position : self.position + size]

    def _compare(self, block: Signal, audio: Signal, offset: int) -> None:
        begin = self.start + self.position - offset
        heard = audio[begin : begin + len(block)] if begin >= 0 else audio[:0]
        agrees = self._agrees(block, heard) or self._agrees_shifted(block, audio, begin)
        if agrees:
            if rms(block) > NOISE_SHARE * self.reference.level:
                self._last_loud, self.heard = self.position, self.position + len(block)
            self.position += len(block)
        if not agrees or self.position == len(self.reference.sound):
            self.heard = self._precise_end(audio, offset)
            is_whole = agrees and len(self.reference.sound) - self.heard <= MISSED
            self.progress = Progress.COMPLETE if is_whole else Progress.STOPPED

    def _is_loud(self, part: Signal) -> bool:
        return rms(part) > QUIET_SHARE * self.reference.level

    def _agrees(self, block: Signal, heard: Signal) -> bool:
        if len(heard) < len(block):
            return False
        if rms(heard - block) <= max(LOUD_RMS, NOISE_SHARE * self.reference.level):
            return self._note_agreement(block, heard)
        return self._is_loud(block) and similarity(block, heard) >= SAME and self._note_agreement(block, heard)

    def _note_agreement(self, block: Signal, heard: Signal) -> bool:
        parts = (float(np.dot(block, heard)), float(np.dot(block, block)), float(np.dot(heard, heard)))
        self._sums = [total + part for total, part in zip(self._sums, parts, strict=True)]
        return True

    def _agrees_shifted(self, block: Signal, audio: Signal, begin: int) -> bool:
        """Whether the block stands a little earlier or later; then the rest is expected there."""
        first = max(0, begin - SHIFT)
        around = audio[first : max(0, begin + len(block) + SHIFT)]
        if len(block) < BLOCK // 2 or len(around) < len(block) or not self._is_loud(block):
            return False
        best = int(np.argmax(np.correlate(around, block, mode="valid")))
        heard = around[best : best + len(block)]
        if similarity(block, heard) < SAME_SHIFTED:
            return False
        self.start += first + best - begin
        return self._agrees(block, heard)

    def _precise_end(self, audio: Signal, offset: int) -> int:
        """Up to where the prompt was heard, to the frame: a block agrees though its last part is missing.

        Pauses of the prompt do not count as heard, unless nothing but a pause was left of it.
        """
        sound, begin = self.reference.sound[self._last_loud :], self.start + self._last_loud - offset
        heard, missed = min(self.heard, self._last_loud), 0
        for at in range(0, min(len(sound), len(audio) - begin) - FRAME + 1, FRAME):
            frame = sound[at : at + FRAME]
            if not self._is_loud(frame):
                continue
            agrees = begin + at >= 0 and similarity(frame, audio[begin + at : begin + at + FRAME]) >= SAME_FRAME
            heard, missed = (self._last_loud + at + FRAME, 0) if agrees else (heard, missed + 1)
            if missed == FRAMES_MISSED:
                return heard
        return heard if missed or self.position < len(self.reference.sound) else self.position


def prepare(key: str, samples: Samples) -> Reference | None:
    """A prompt made ready for comparison; None if there is nothing to hear in it."""
    loud = loud_frames(samples.astype(np.float32))
    if not len(loud):
        return None
    begin, end = int(loud[0]) * FRAME, min(len(samples), (int(loud[-1]) + 1) * FRAME)
    sound = samples[begin:end].astype(np.float32)
    return Reference(key, sound, begin, rms(sound))


def loud_frames(signal: Signal) -> NDArray[np.intp]:
    """The numbers of the frames (20 ms each) in which something can be heard."""
    whole = len(signal) // FRAME * FRAME
    if not whole:
        return np.flatnonzero(np.zeros(0))
    power = np.square(signal[:whole]).reshape(-1, FRAME).mean(axis=1)
    return np.flatnonzero(power > LOUD_RMS**2)


def rms(signal: Signal) -> float:
    """Root mean square; 0.0 of nothing."""
    return float(np.sqrt(np.dot(signal, signal) / len(signal))) if len(signal) else 0.0


def similarity(one: Signal, other: Signal) -> float:
    """Normalised correlation of two stretches of equal length, -1 to 1; 0.0 if one is silent."""
    scale = float(np.sqrt(np.dot(one, one) * np.dot(other, other)))
    return float(np.dot(one, other)) / scale if scale else 0.0
