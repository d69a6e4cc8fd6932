"""German words for values, numbers and dates included: no free sounds for Asterisk speak German."""

from __future__ import annotations

from cordboard.flows.speaking.grammar import (
    Calendar,
    Currency,
    Gender,
    Grammar,
    Noun,
    Numerals,
    Ordinals,
    each_of,
    one_or_other,
)

_FIRST = each_of(
    "erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte elfte zwölfte dreizehnte vierzehnte "
    "fünfzehnte sechzehnte siebzehnte achtzehnte neunzehnte"
)
_ONES = each_of("ein zwei drei vier fünf sechs sieben acht neun")
_TENS = each_of("zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig")

_CENT = Noun("cent", "ein Cent", "Cent")


def _ordinal(number: int, gender: Gender) -> str:
    """As behind an article: der, die or das erste."""
    if number < 20:
        return _FIRST[number - 1]
    ones = number % 10
    return (f"{_ONES[ones - 1]}und" if ones else "") + _TENS[number // 10 - 2] + "ste"


GERMAN = Grammar(
    category=one_or_other,
    point="Komma",
    minus="minus",
    and_="und",
    money_and="und",
    number="Nummer",
    durations={
        86_400: Noun("day", "ein Tag", "Tage"),
        3_600: Noun("hour", "eine Stunde", "Stunden"),
        60: Noun("minute", "eine Minute", "Minuten"),
        1: Noun("second", "eine Sekunde", "Sekunden"),
    },
    currencies={
        "EUR": Currency(Noun("euro", "ein Euro", "Euro"), _CENT),
        "GBP": Currency(Noun("pfund", "ein Pfund", "Pfund"), Noun("penny", "ein Penny", "Pence")),
        "USD": Currency(Noun("dollar", "ein Dollar", "Dollar"), _CENT),
        "CHF": Currency(Noun("franken", "ein Franken", "Franken"), Noun("rappen", "ein Rappen", "Rappen")),
    },
    ordinals=Ordinals(_ordinal, hundred="hundertste", thousand="tausendste"),
    numerals=Numerals(
        hundreds=("hundert", *(f"{ones}hundert" for ones in _ONES[1:])),
        thousand="tausend",
        before_thousand="ein",
        million=Noun("million", "eine Million", "Millionen"),
    ),
    calendar=Calendar(
        weekdays=("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
        months=(
            "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
            "November", "Dezember",
        ),
        of_day="der",
        oclock=Noun("oclock", "ein Uhr", "Uhr"),
        century="hundert",
    ),
    signs={
        "*": ("sign-star", "Stern"),
        "#": ("sign-hash", "Raute"),
        "@": ("sign-at", "at"),
        ".": ("sign-dot", "Punkt"),
        "-": ("sign-dash", "Strich"),
        "/": ("sign-slash", "Schrägstrich"),
        "+": ("sign-plus", "plus"),
    },
)  # fmt: skip
