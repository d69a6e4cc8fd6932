"""Rules by which values are spoken: one for each kind and language, made when the flow loads.

`rule_for` says at once whether a language can say a kind of value at all, so that no call is the first to find out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from cordboard.config.suggestions import closest
from cordboard.flows.conditions import Kind
from cordboard.flows.node import NodeFailed
from cordboard.flows.speaking.english import ENGLISH
from cordboard.flows.speaking.french import FRENCH
from cordboard.flows.speaking.german import GERMAN
from cordboard.flows.speaking.grammar import Currency, Gender
from cordboard.flows.speaking.kinds import (
    SpokenKind,
    as_characters,
    as_date,
    as_decimal,
    as_keys,
    as_seconds,
    as_time,
)
from cordboard.flows.speaking.samples import SAMPLE_DAY, samples_of
from cordboard.flows.speaking.spanish import SPANISH
from cordboard.flows.speaking.speaker import Said, Speaker
from cordboard.flows.speaking.switch_languages import switch_says
from cordboard.telephony.verbs import Prompt

GRAMMARS = {"en": ENGLISH, "es": SPANISH, "fr": FRENCH, "de": GERMAN}

_Say = Callable[[Any, datetime], Said]


class SayRefused(Exception):
    """Something cannot be spoken as it was written. code, message, hint: as of a finding."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        self.code, self.message, self.hint = code, message, hint
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class How:
    """How a value is to be spoken. gender: of what is counted; currency: ISO 4217, for money."""

    kind: SpokenKind
    gender: Gender = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """How values of one kind are spoken in one language. words: all that it may use, to be made playable before."""

    say: _Say = field(repr=False, compare=False)
    words: tuple[Prompt, ...] = field(repr=False)
    how: How
    language: str

    def utterances(self, value: Any, now: datetime) -> Said:
        """What to play for a value. Raises NodeFailed for one that cannot be spoken."""
        return self.say(value, now)


@lru_cache(maxsize=1_000)
def rule_for(how: How, value_kind: Kind, language: str, zone: ZoneInfo) -> Rule:
    """The rule for values of a type. language: a tag, "en-gb"; zone: of moments. Raises SayRefused."""
    grammar = GRAMMARS.get(language.partition("-")[0])
    if grammar is None and not _needs_no_words(how, value_kind, language):
        hint = f"those that have: {', '.join(GRAMMARS)}; one of them can stand in, by `fallback` in the frame"
        raise SayRefused("cannot-say", f"`{language}` has no words for {_called(how, value_kind)}", hint)
    say = _say(Speaker(language, zone, grammar or ENGLISH), how)
    return Rule(say, _words_of(say, samples_of(how.kind, value_kind)), how, language)


def _needs_no_words(how: How, value_kind: Kind, language: str) -> bool:
    """Whether the switch says all of it."""
    return value_kind != "double" and switch_says(how.kind, language)


def _called(how: How, value_kind: Kind) -> str:
    return "decimals" if how.kind == "number" and value_kind == "double" else f"the kind `{how.kind}`"


def _say(speaker: Speaker, how: How) -> _Say:
    """What speaks values of a kind. Raises SayRefused for a currency without words."""
    gender, zone = how.gender, speaker.zone
    match how.kind:
        case "number":
            return lambda value, now: speaker.number(as_decimal(value), gender)
        case "digits":
            return lambda value, now: speaker.digits(as_keys(value))
        case "spelled":
            return lambda value, now: speaker.spelled(as_characters(value))
        case "ordinal":
            return lambda value, now: speaker.ordinal(int(as_decimal(value)), gender)
        case "date":
            return lambda value, now: speaker.date(as_date(value, zone, now))
        case "time":
            return lambda value, now: speaker.time(as_time(value, zone, now))
        case "duration":
            return lambda value, now: speaker.duration(as_seconds(value))
        case "money":
            currency = _currency(speaker, how.currency)
            return lambda value, now: speaker.money(as_decimal(value), currency)


def _currency(speaker: Speaker, code: str) -> Currency:
    known = speaker.grammar.currencies
    if code not in known:
        hint = closest(code, known) or f"known: {', '.join(sorted(known))}"
        raise SayRefused("cannot-say", f"`{speaker.language}` has no words for the currency `{code}`", hint)
    return known[code]


def _words_of(say: _Say, samples: Iterable[Any]) -> tuple[Prompt, ...]:
    """All words that are used for samples of every sort of value."""
    words: dict[Prompt, None] = {}
    for value in samples:
        with contextlib.suppress(NodeFailed):  # a sign, say, that has no name in the language
            words |= dict.fromkeys(one for one in say(value, SAMPLE_DAY) if isinstance(one, Prompt))
    return tuple(words)
