"""Whole numbers as words, for languages which no switch speaks. Pure.

Numbers below a hundred have a word of their own, written in digits, which every voice reads out in its language.
"""

from __future__ import annotations

from collections.abc import Iterator

from cordboard.flows.speaking.grammar import Numerals

Word = tuple[str, str]  # name and text

_THOUSAND = 1_000
_MILLION = 1_000_000


def numeral_words(numerals: Numerals, number: int) -> Iterator[Word]:
    """The words of a number from 0 to 999,999,999."""
    millions, rest = divmod(number, _MILLION)
    if millions == 1:
        yield f"{numerals.million.key}-1", numerals.million.whole
    elif millions:
        yield from _below_thousand(numerals, millions)
        yield numerals.million.form("other")
    thousands, rest = divmod(rest, _THOUSAND)
    if thousands:
        yield from _thousands(numerals, thousands)
    if rest or not number:
        yield from _below_thousand(numerals, rest)


def _thousands(numerals: Numerals, thousands: int) -> Iterator[Word]:
    if thousands > 1:
        *front, last = _below_thousand(numerals, thousands)
        yield from front
        yield ("1-thousand", numerals.before_thousand) if last[0] == "1" else last
    yield "thousand", numerals.thousand


def _below_thousand(numerals: Numerals, number: int) -> Iterator[Word]:
    hundreds, rest = divmod(number, 100)
    if hundreds:
        yield f"{hundreds}00", numerals.hundreds[hundreds - 1]
    if rest or not hundreds:
        yield str(rest), str(rest)
