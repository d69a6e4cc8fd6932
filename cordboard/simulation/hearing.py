"""What a caller hears, in words, and for how long: for people who read a simulated call, and for its clock.

A prompt with values in it is several utterances to a phone and one sentence to a person; here it is one `Spoken`.
(A value that begins such a prompt, right behind another one, is told with that.) Used by the rehearsal and whoever
shows it. Times are estimates: nobody has measured a recording.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cordboard.flows.speaking.words import WORDS
from cordboard.telephony.verbs import Prompt, Say, Utterance

VALUE = "value"
"""The name of a value that is said by itself."""

_CHARACTERS_A_SECOND = 14.0  # an unhurried voice: about 150 words a minute
_PAUSE_S = 0.4  # between one thing said and the next
_DIGIT_S = 0.5
_TIMES = {"date": "%A, {day} %B %Y", "time": "%H:%M"}
_PIECE = re.compile(r"(.+)\.([0-9]+)")  # of a prompt with values in it; no prompt's own name has a dot


@dataclass(frozen=True, slots=True)
class Spoken:
    """One thing that is said. name: the prompt's, or `VALUE`; pieces: what a phone is asked to play for it."""

    name: str
    language: str
    pieces: tuple[Utterance, ...]

    @property
    def words(self) -> str:
        """What is said, as text, values as a person writes them."""
        return " ".join(_words_of(piece) for piece in self.pieces)

    @property
    def seconds(self) -> float:
        """About how long it takes."""
        return round(_PAUSE_S + sum(map(_seconds_of, self.pieces)), 1)

    def is_called(self, name: str) -> bool:
        """Whether an admin means it by this name: `welcome`, or `es/welcome` for one language only."""
        language, _, own = name.rpartition("/")
        return self.name == own and language in ("", self.language)


def spoken_in(utterances: Iterable[Utterance]) -> tuple[Spoken, ...]:
    """What a verb says, one prompt after the other: its pieces are put together again."""
    groups: list[list[Utterance]] = []
    for utterance in utterances:
        if groups and _goes_on(groups[-1], utterance):
            groups[-1].append(utterance)
        else:
            groups.append([utterance])
    return tuple(Spoken(_name_of(group) or VALUE, group[0].language, tuple(group)) for group in groups)


def _goes_on(group: list[Utterance], utterance: Utterance) -> bool:
    """Whether an utterance belongs to the same prompt as those before it. What is no piece stands alone."""
    if _is_whole(group[0]) or _is_whole(utterance):
        return False
    piece = _piece(utterance)
    if piece is None:
        return True
    name, number = piece
    return _name_of(group) == "" or (_name_of(group) == name and number > 1)


def _is_whole(utterance: Utterance) -> bool:
    """Whether it is a prompt as it was written, without values."""
    return isinstance(utterance, Prompt) and utterance.flow != WORDS and _piece(utterance) is None


def _piece(utterance: Utterance) -> tuple[str, int] | None:
    """The prompt that these words are a piece of, and which; None for a value."""
    found = _PIECE.fullmatch(utterance.name) if isinstance(utterance, Prompt) and utterance.flow != WORDS else None
    return (found[1], int(found[2])) if found else None


def _name_of(group: list[Utterance]) -> str:
    first = group[0]
    if isinstance(first, Prompt) and _is_whole(first):
        return first.name
    return next((piece[0] for utterance in group if (piece := _piece(utterance))), "")


def _words_of(utterance: Utterance) -> str:
    return utterance.text if isinstance(utterance, Prompt) else _value_words(utterance)


def _seconds_of(utterance: Utterance) -> float:
    if isinstance(utterance, Say) and utterance.kind == "digits":
        return _DIGIT_S * len(utterance.value)
    return len(_words_of(utterance)) / _CHARACTERS_A_SECOND


def _value_words(say: Say) -> str:
    if say.kind in _TIMES:
        at = datetime.fromtimestamp(int(say.value), UTC).astimezone(ZoneInfo(say.zone))
        return at.strftime(_TIMES[say.kind].format(day=at.day))
    return " ".join(say.value) if say.kind == "digits" else say.value
