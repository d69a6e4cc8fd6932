"""What a caller hears, from the audio alone: which known prompt, when it began, whether it was cut short.

An `Ear` is fed with received audio as it comes, without gaps (silence as zeros), and returns events. It either
searches for the beginning of a prompt (`anchors`) or follows those that have begun (`following`):

    searching ── an anchor matches ──► following one or several prompts with the same beginning ── `Began`
        ▲                                  │ one after the other disagrees with what is heard
        └── all are complete or stopped ───┘ `Heard`: the one heard furthest, or the set that cannot be told apart

Sound that belongs to no known prompt is reported as `Sound`. It takes 0.25 s of a prompt and a step of 0.1 s to
recognise it. Pure: it has no clock and no task; `listening` feeds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from cordboard.lab.anchors import LENGTH, MOST_STARTS, THRESHOLD, AnchorIndex, Match
from cordboard.lab.following import FRAME, MISSED, Candidate, Progress, Signal, loud_frames, prepare
from cordboard.lab.prompt_book import PromptBook
from cordboard.lab.rtp import SAMPLE_RATE_HZ, Samples

STEP = round(0.1 * SAMPLE_RATE_HZ)  # new audio a search waits for
SURE = 0.97  # a match as good as this needs no second look; clean audio scores 0.99 and more
MARGIN = 0.05  # a match so much worse than the best one is not considered
_BEHIND = round(0.1 * SAMPLE_RATE_HZ)  # a prompt heard so much less far than another is not the one
_SOUND_ENDS_AFTER = round(0.3 * SAMPLE_RATE_HZ)
_SHORTEST_SOUND = round(0.1 * SAMPLE_RATE_HZ)  # the click of a cut is no sound worth a word
_KEPT = 2 * SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Began:
    """A prompt has begun. prompts: all that have this beginning; start_s: on the ear's time line."""

    prompts: tuple[str, ...]
    start_s: float
    score: float


@dataclass(frozen=True, slots=True)
class Heard:
    """A prompt has ended. prompts: more than one where what was heard fits several.

    heard_s: how long it was heard; cut_s: how much of it was missing at its end (0.0 when whole); lost_s: how much
    was missing at its beginning; score: normalised correlation over what was heard.
    """

    prompts: tuple[str, ...]
    start_s: float
    heard_s: float
    cut_s: float
    score: float
    lost_s: float = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether it was heard from its beginning to its end."""
        return max(self.cut_s, self.lost_s) <= MISSED / SAMPLE_RATE_HZ

    @property
    def end_s(self) -> float:
        """When it stopped being heard."""
        return self.start_s + self.heard_s


@dataclass(frozen=True, slots=True)
class Sound:
    """Something was heard that is no known prompt: music, a tone, a person, digits of the PBX's own."""

    start_s: float
    length_s: float

    @property
    def end_s(self) -> float:
        """When it stopped."""
        return self.start_s + self.length_s


Event = Began | Heard | Sound


class Ear:
    """Listens to one call. All positions inside are samples since the first one it was fed."""

    def __init__(self, book: PromptBook) -> None:
        self._index = _index_of(book)
        self._audio: Signal = np.zeros(0, dtype=np.float32)
        self._offset = 0  # position of the first sample kept
        self._searched = 0  # every beginning before it has been examined
        self._heard_until = 0  # what lies before it belongs to prompts already reported
        self._candidates: list[Candidate] = []
        self._loud_until = 0
        self._sound_start: int | None = None
        self._sound_end = 0

    @property
    def quiet_since_s(self) -> float:
        """Since when there is silence: the end of the last frame in which anything was heard."""
        return self._loud_until / SAMPLE_RATE_HZ

    @property
    def sound_since_s(self) -> float | None:
        """Since when there is a sound that is no known prompt, None while there is none."""
        return None if self._sound_start is None else self._sound_start / SAMPLE_RATE_HZ

    @property
    def is_following(self) -> bool:
        """Whether a prompt has begun and not yet ended."""
        return bool(self._candidates)

    @property
    def fed_s(self) -> float:
        """Up to where it has listened."""
        return self._fed / SAMPLE_RATE_HZ

    def feed(self, samples: Samples) -> list[Event]:
        """Take in the next stretch of audio; returns what has been found out, in the order of time."""
        self._note_level(samples.astype(np.float32))
        self._audio = np.concatenate([self._audio, samples.astype(np.float32)])
        events: list[Event] = []
        while True:
            found = self._follow() if self._candidates else self._search()
            if found is None:
                break
            events += found
        self._forget()
        return events

    @property
    def _fed(self) -> int:
        return self._offset + len(self._audio)

    def _note_level(self, fresh: Signal) -> None:
        loud = loud_frames(fresh)
        if len(loud):
            self._loud_until = self._fed + (int(loud[-1]) + 1) * FRAME

    # Searching

    def _search(self) -> list[Event] | None:
        """Examine the next beginnings; None when more audio is needed."""
        starts = min(self._fed - LENGTH + 1 - self._searched, MOST_STARTS)
        if starts < STEP:
            return None
        audio = self._stretch(self._searched, self._searched + starts + LENGTH - 1)
        matches = self._index.search(audio, starts) if len(loud_frames(audio)) else []
        if not matches:
            return self._pass_over(starts)
        wait = 2 * FRAME if matches[0].score >= SURE else LENGTH
        if matches[0].found_at + wait > starts:
            return self._pass_over(matches[0].found_at) or None  # wait whether a better one begins just after it
        self._candidates = self._choose(matches)
        if not self._candidates:
            return self._pass_over(matches[0].found_at + FRAME)
        begin = self._candidates[0].start + self._candidates[0].lost
        prompts = tuple(candidate.reference.key for candidate in self._candidates)
        return [*self._end_sound(begin), Began(prompts, begin / SAMPLE_RATE_HZ, matches[0].score)]

    def _pass_over(self, starts: int) -> list[Event]:
        """No prompt begins at the next so many positions."""
        self._searched += starts
        return self._note_sound(self._searched - starts, self._searched)

    def _choose(self, matches: list[Match]) -> list[Candidate]:
        """The prompts that may have begun, each once. Torn ones, whose beginning was lost, only if all are."""
        near = [match for match in matches if match.score >= matches[0].score - MARGIN]
        best: dict[str, Candidate] = {}
        for match in near:
            candidate = self._candidate(match)
            if candidate is not None:
                best.setdefault(match.reference.key, candidate)
        return [candidate for candidate in best.values() if not candidate.lost] or list(best.values())

    def _candidate(self, match: Match) -> Candidate | None:
        """The prompt of a match, if it agrees beyond the anchor; its beginning may have been lost on the way."""
        found_at = self._searched + match.found_at
        whole = Candidate(match.reference, found_at - match.offset)
        torn = Candidate(match.reference, whole.start, match.offset, match.offset, match.offset)
        for candidate in (whole, torn):
            if candidate.start + candidate.lost >= self._heard_until - _BEHIND:
                candidate.follow(self._audio, self._offset)
                if candidate.end >= found_at + _BEHIND and self._is_credible(candidate, match):
                    return candidate
        return None

    def _is_credible(self, candidate: Candidate, match: Match) -> bool:
        """A match that is not sure must go on agreeing, or be followed by silence, as a prompt that was cut is."""
        if match.score >= SURE or candidate.progress is not Progress.STOPPED:
            return True
        after = self._stretch(candidate.end + 2 * FRAME, candidate.end + 5 * FRAME)
        return candidate.score >= THRESHOLD and not len(loud_frames(after))

    # Following

    def _follow(self) -> list[Event] | None:
        """Compare the candidates with new audio; None while one of them goes on."""
        for candidate in self._candidates:
            candidate.follow(self._audio, self._offset)
        if any(candidate.progress is Progress.GOING_ON for candidate in self._candidates):
            return None
        winners = self._winners()
        self._candidates = []
        return self._report(winners)

    def _winners(self) -> list[Candidate]:
        """Who was heard furthest; among equals those that are complete."""
        furthest = max(candidate.end for candidate in self._candidates)
        near = [candidate for candidate in self._candidates if candidate.end >= furthest - _BEHIND]
        return [candidate for candidate in near if candidate.progress is Progress.COMPLETE] or near

    def _report(self, winners: list[Candidate]) -> list[Event]:
        best = max(winners, key=lambda candidate: (candidate.end, candidate.score))
        missing = len(best.reference.sound) - best.heard
        self._heard_until = self._searched = max(self._searched + STEP, best.end)
        self._sound_start = None
        return [
            Heard(
                tuple(candidate.reference.key for candidate in winners),
                (best.start + best.lost) / SAMPLE_RATE_HZ,
                (best.heard - best.lost) / SAMPLE_RATE_HZ,
                missing / SAMPLE_RATE_HZ,
                best.score,
                best.lost / SAMPLE_RATE_HZ,
            )
        ]

    # Sounds that are no prompt

    def _note_sound(self, begin: int, end: int) -> list[Event]:
        """Take note of what was heard in a stretch in which no prompt begins."""
        loud = loud_frames(self._stretch(begin, end))
        if len(loud):
            if self._sound_start is None:
                self._sound_start = begin + int(loud[0]) * FRAME
            self._sound_end = begin + (int(loud[-1]) + 1) * FRAME
        return self._end_sound(self._sound_end) if end - self._sound_end >= _SOUND_ENDS_AFTER else []

    def _end_sound(self, upto: int) -> list[Event]:
        start, self._sound_start = self._sound_start, None
        if start is None or min(upto, self._sound_end) - start < _SHORTEST_SOUND:
            return []
        return [Sound(start / SAMPLE_RATE_HZ, (min(upto, self._sound_end) - start) / SAMPLE_RATE_HZ)]

    # The audio kept

    def _stretch(self, begin: int, end: int) -> Signal:
        return self._audio[begin - self._offset : end - self._offset]

    def _forget(self) -> None:
        """Keep what may be looked at again."""
        needed = min([self._searched, *(candidate.start + candidate.position for candidate in self._candidates)])
        surplus = needed - _KEPT - self._offset
        if surplus > _KEPT:
            self._audio = self._audio[surplus:].copy()
            self._offset += surplus


_indexes: WeakKeyDictionary[PromptBook, AnchorIndex] = WeakKeyDictionary()


def _index_of(book: PromptBook) -> AnchorIndex:
    """The anchors of a book, made once: for 600 prompts it takes 0.4 s, in which no other call is listened to."""
    if book not in _indexes:
        prepared = (prepare(key, book[key]) for key in book)
        _indexes[book] = AnchorIndex([reference for reference in prepared if reference is not None])
    return _indexes[book]


def tone_share(samples: Samples, frequency_hz: float) -> float:
    """How much of the power is at one frequency, 0 to 1 (Goertzel's measure, by one product)."""
    signal = samples.astype(np.float64)
    power = float(np.dot(signal, signal))
    if power == 0.0:
        return 0.0
    angle = 2 * np.pi * frequency_hz / SAMPLE_RATE_HZ * np.arange(len(signal))
    at_frequency = abs(np.dot(signal, np.exp(-1j * angle))) ** 2
    return min(1.0, float(2 * at_frequency / (len(signal) * power)))
