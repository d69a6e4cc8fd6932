"""Puts values into what is played, in one language: what the switch speaks by itself, and words in between.

Made by `rules` for each language of a flow. Every method gives utterances in their order; `Grammar` has the words.
Numbers in English come out as `Say("number", ...)`, in German as words; everything else is built upon `whole`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from cordboard.flows.node import NodeFailed
from cordboard.flows.speaking.grammar import Currency, Gender, Grammar, Noun
from cordboard.flows.speaking.kinds import MAX_NUMBER
from cordboard.flows.speaking.numerals import numeral_words
from cordboard.flows.speaking.switch_languages import switch_says
from cordboard.flows.speaking.words import word
from cordboard.telephony.verbs import Prompt, Say, SayKind, Utterance

Said = tuple[Utterance, ...]


@dataclass(frozen=True, slots=True)
class Speaker:
    """One language. language: its tag, as in the flow; zone: of moments."""

    language: str
    zone: ZoneInfo
    grammar: Grammar

    def whole(self, number: int, gender: Gender = "") -> Said:
        """A whole number."""
        if self._by_switch("number"):
            return (Say("number", str(number), self.language, gender=gender),)
        assert self.grammar.numerals is not None
        minus = self._minus() if number < 0 else ()
        return (*minus, *(self._word(*one) for one in numeral_words(self.grammar.numerals, abs(number))))

    def number(self, number: Decimal, gender: Gender = "") -> Said:
        """A number, with its decimals."""
        if number == number.to_integral_value():
            return self.whole(int(number), gender)
        minus = self._minus() if number < 0 else ()
        integer, _, fraction = format(abs(number), "f").partition(".")
        point = self._word("point", self.grammar.point)
        return (*minus, *self.whole(int(integer), gender), point, *self._fraction(fraction))

    def digits(self, keys: str) -> Said:
        """Keys one by one."""
        return self._characters("digits", keys)

    def spelled(self, text: str) -> Said:
        """Letters, digits and signs one by one."""
        return self._characters("spelled", text)

    def ordinal(self, number: int, gender: Gender = "") -> Said:
        """First, second, third; from 1."""
        ordinals = self.grammar.ordinals
        if number < 1:
            raise NodeFailed("counting begins with the first")
        if number > ordinals.most:
            return (self._word("number", self.grammar.number), *self.whole(number))
        rest = number % 100
        if not rest:
            return self._round_ordinal(number)
        before = self.whole(number - rest) if number > rest else ()
        return (*before, self.ordinal_word(rest, gender))

    def ordinal_word(self, number: int, gender: Gender) -> Prompt:
        """The one word for the first to the 99th."""
        name = f"ordinal-{number}" + (f"-{gender}" if gender else "")
        return self._word(name, self.grammar.ordinals.below_100(number, gender))

    def count(self, noun: Noun, number: int) -> Said:
        """So many of something."""
        if number == 1:
            return (self._word(f"{noun.key}-1", noun.whole),)
        form = noun.form(self.grammar.category(number))
        return (*self.whole(number, noun.gender), self._word(*form))

    def duration(self, seconds: int) -> Said:
        """Days, hours, minutes and seconds, without those there are none of."""
        parts: list[Said] = []
        for size, noun in self.grammar.durations.items():
            many, seconds = divmod(seconds, size)
            if many or (size == 1 and not parts):
                parts.append(self.count(noun, many))
        return self._listed(parts)

    def money(self, amount: Decimal, currency: Currency) -> Said:
        """An amount, rounded to what the currency has. Half a penny is a penny."""
        hundredths = int((abs(amount) * 100).quantize(Decimal(1), ROUND_HALF_UP))
        major, minor = divmod(hundredths, 100)
        if currency.minor is None:
            major, minor = int(abs(amount).quantize(Decimal(1), ROUND_HALF_UP)), 0
        if major > MAX_NUMBER:
            raise NodeFailed(f"a number beyond {MAX_NUMBER:,}")
        minus = self._minus() if amount < 0 and (major or minor) else ()
        parts = [self.count(currency.major, major)] if major or not minor else []
        if minor and currency.minor is not None:
            parts.append(self.count(currency.minor, minor))
        money_and = self._word("money-and", self.grammar.money_and)
        return (*minus, *parts[0], *(one for part in parts[1:] for one in (money_and, *part)))

    def date(self, moment: datetime) -> Said:
        """The day of a moment in the zone."""
        if self._by_switch("date"):
            return (self._moment("date", moment),)
        calendar = self.grammar.calendar
        assert calendar is not None
        weekday, month = moment.weekday(), moment.month - 1
        return (
            self._word(f"weekday-{weekday + 1}", calendar.weekdays[weekday]),
            self._word("of-day", calendar.of_day),
            self.ordinal_word(moment.day, ""),
            self._word(f"month-{month + 1}", calendar.months[month]),
            *self._year(moment.year, calendar.century),
        )

    def time(self, moment: datetime) -> Said:
        """The time on the clock at a moment in the zone."""
        if self._by_switch("time"):
            return (self._moment("time", moment),)
        calendar = self.grammar.calendar
        assert calendar is not None
        minutes = self.whole(moment.minute) if moment.minute else ()
        return (*self.count(calendar.oclock, moment.hour), *minutes)

    def _by_switch(self, kind: SayKind) -> bool:
        return switch_says(kind, self.language)

    def _word(self, name: str, text: str) -> Prompt:
        return word(self.language, name, text)

    def _minus(self) -> Said:
        return (self._word("minus", self.grammar.minus),)

    def _moment(self, kind: SayKind, moment: datetime) -> Say:
        return Say(kind, str(int(moment.timestamp())), self.language, self.zone.key)

    def _characters(self, kind: SayKind, text: str) -> Said:
        if not text:
            return ()
        if self._by_switch(kind):
            return (Say(kind, text, self.language),)
        return tuple(self._character(one) for one in text)

    def _character(self, one: str) -> Prompt:
        if one.isdecimal():
            return self._word(one, one)
        if one.isalpha():
            return self._word(f"letter-{one.lower()}", one.upper())
        if one not in self.grammar.signs:
            raise NodeFailed("a sign that has no name in this language")
        return self._word(*self.grammar.signs[one])

    def _fraction(self, digits: str) -> Said:
        """What stands behind the point. One figure or two may be read as a number, a zero in front apart."""
        if len(digits) > 2 or not self.grammar.fraction_as_number:
            return self.digits(digits)
        zero = self.digits("0") if digits.startswith("0") else ()
        return (*zero, *self.whole(int(digits)))

    def _round_ordinal(self, number: int) -> Said:
        """A number of full hundreds or thousands."""
        hundreds = number % 1000 // 100
        before: Said = self.whole(number - hundreds * 100) if hundreds and number > 1000 else ()
        many = hundreds or number // 1000
        ordinals = self.grammar.ordinals
        last = ("hundredth", ordinals.hundred) if hundreds else ("thousandth", ordinals.thousand)
        counted = self.whole(many) if many > 1 or ordinals.one_hundred else ()
        return (*before, *counted, self._word(*last))

    def _year(self, year: int, century: str) -> Said:
        """As years are read from 1100 to 1999: nineteen hundred and so many."""
        if not 1100 <= year < 2000:
            return self.whole(year)
        rest = self.whole(year % 100) if year % 100 else ()
        return (*self.whole(year // 100), self._word("century", century), *rest)

    def _listed(self, parts: list[Said]) -> Said:
        *front, last = parts
        if not front:
            return last
        return (*(one for part in front for one in part), self._word("and", self.grammar.and_), *last)
