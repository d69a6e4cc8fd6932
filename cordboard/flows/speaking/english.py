"""English words for values."""

from __future__ import annotations

from cordboard.flows.speaking.grammar import Currency, Gender, Grammar, Noun, Ordinals, each_of, one_or_other

_FIRST = each_of(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth"
)
_TENS = each_of("twenty thirty forty fifty sixty seventy eighty ninety")

_CENT = Noun("cent", "one cent", "cents")
_DOLLAR = Currency(Noun("dollar", "one dollar", "dollars"), _CENT)


def _ordinal(number: int, gender: Gender) -> str:
    if number < 20:
        return _FIRST[number - 1]
    tens, ones = _TENS[number // 10 - 2], number % 10
    return f"{tens}-{_FIRST[ones - 1]}" if ones else f"{tens[:-1]}ieth"


ENGLISH = Grammar(
    category=one_or_other,
    point="point",
    minus="minus",
    and_="and",
    money_and="and",
    number="number",
    durations={
        86_400: Noun("day", "one day", "days"),
        3_600: Noun("hour", "one hour", "hours"),
        60: Noun("minute", "one minute", "minutes"),
        1: Noun("second", "one second", "seconds"),
    },
    currencies={
        "GBP": Currency(Noun("pound", "one pound", "pounds"), Noun("penny", "one penny", "pence")),
        "EUR": Currency(Noun("euro", "one euro", "euros"), _CENT),
        "USD": _DOLLAR,
        "CAD": _DOLLAR,
        "AUD": _DOLLAR,
        "NZD": _DOLLAR,
        "CHF": Currency(Noun("franc", "one franc", "francs"), Noun("centime", "one centime", "centimes")),
        "INR": Currency(Noun("rupee", "one rupee", "rupees"), Noun("paisa", "one paisa", "paise")),
        "JPY": Currency(Noun("yen", "one yen", "yen"), None),
        "MXN": Currency(Noun("peso", "one peso", "pesos"), Noun("centavo", "one centavo", "centavos")),
        "ZAR": Currency(Noun("rand", "one rand", "rand"), _CENT),
    },
    ordinals=Ordinals(_ordinal, hundred="hundredth", thousand="thousandth", one_hundred=True),
)
