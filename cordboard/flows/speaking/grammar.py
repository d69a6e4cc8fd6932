"""What a language needs to put values into words: nouns with their plurals, currencies, ordinals, little words.

A file per language (`english`, `spanish`, ...) fills in one `Grammar`; `speaker` puts the words in order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Gender = Literal["", "m", "f", "n"]
Category = Literal["one", "many", "other"]
"""A form of the plural, as Unicode CLDR calls it; which number takes which is a rule of the language."""

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Noun:
    """Something that is counted.

    key:   names its words, for recordings: `hour-1`, `hour-other`.
    whole: what is said for exactly one, number included: "one hour".
    other: behind a number: "hours"; single, many: behind numbers of these categories, where the language differs.
    """

    key: str
    whole: str
    other: str
    single: str = ""
    many: str = ""
    gender: Gender = ""

    def form(self, category: Category) -> tuple[str, str]:
        """The word behind a number of a category: its name and its text."""
        text = {"one": self.single, "many": self.many, "other": ""}[category]
        return (f"{self.key}-{category}", text) if text else (f"{self.key}-other", self.other)

    def words(self) -> dict[str, str]:
        """All of its words, by name."""
        forms = [self.form("other"), self.form("one"), self.form("many")]
        return {f"{self.key}-1": self.whole, **dict(forms)}


@dataclass(frozen=True, slots=True)
class Currency:
    """minor: what a hundredth is called; None for money that has none in use."""

    major: Noun
    minor: Noun | None


@dataclass(frozen=True, slots=True)
class Ordinals:
    """First, second, third. below_100: the word for 1 to 99, of a gender.

    hundred, thousand: the words for the 100th and the 1000th, behind how many there are of them; beyond `most` the
    plain number is said instead, behind the word "number". one_hundred: whether a single hundred is counted too.
    """

    below_100: Callable[[int, Gender], str]
    hundred: str = ""
    thousand: str = ""
    one_hundred: bool = False
    most: int = 9_999


@dataclass(frozen=True, slots=True)
class Numerals:
    """How a language without a switch that speaks it counts; a text of digits is read out by any voice.

    hundreds: the words for 100, 200, ... 900. before_thousand: what a 1 is there.
    """

    hundreds: tuple[str, ...]
    thousand: str
    before_thousand: str
    million: Noun


@dataclass(frozen=True, slots=True)
class Calendar:
    """How dates and times are put into words, where no switch does it. of_day: between weekday and day."""

    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    of_day: str
    oclock: Noun
    century: str


@dataclass(frozen=True, slots=True)
class Grammar:
    """One language.

    category:    of a whole number, not negative.
    fraction_as_number: "three comma fourteen" rather than "three point one four".
    money_and, and_: between pounds and pence, and before the last of several durations.
    numerals, calendar, signs: only for a language that the switch does not speak; signs: to be spelled, by
        character.
    """

    category: Callable[[int], Category]
    point: str
    minus: str
    and_: str
    money_and: str
    number: str
    durations: Mapping[int, Noun]
    currencies: Mapping[str, Currency]
    ordinals: Ordinals
    fraction_as_number: bool = False
    numerals: Numerals | None = None
    calendar: Calendar | None = None
    signs: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def one_or_other(number: int) -> Category:
    """The rule of English and German."""
    return "one" if number == 1 else "other"


def one_many_other(number: int) -> Category:
    """The rule of Spanish: exact millions are followed by "de"."""
    return "many" if number and number % _MILLION == 0 else one_or_other(number)


def none_is_one(number: int) -> Category:
    """The rule of French: zero takes the singular."""
    return "one" if number == 0 else one_many_other(number)


def each_of(words: str) -> list[str]:
    """Words apart by spaces, which are easier to read than a list."""
    return words.split()
