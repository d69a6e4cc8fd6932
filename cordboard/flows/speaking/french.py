"""French words for values."""

from __future__ import annotations

from cordboard.flows.speaking.grammar import Currency, Gender, Grammar, Noun, Ordinals, each_of, none_is_one

_ONES = each_of(
    "_ un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit "
    "dix-neuf"
)
_TENS = each_of("vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt")
_BEFORE_ENDING = {"cinq": "cinqu", "neuf": "neuv"}

_CENT = Noun("cent", "un cent", "cents", single="cent", gender="m")
_CENTIME = Noun("centime", "un centime", "centimes", single="centime", gender="m")
_DOLLAR = Currency(Noun("dollar", "un dollar", "dollars", single="dollar", many="de dollars", gender="m"), _CENT)


def _cardinal(number: int) -> str:
    if number < 20:
        return _ONES[number]
    tens = number // 10
    rest = number % 20 if tens in (7, 9) else number % 10
    word = _TENS[tens - 2]
    if not rest:
        return word
    return f"{word} et {_ONES[rest]}" if rest in (1, 11) and tens < 8 else f"{word}-{_ONES[rest]}"


def _ordinal(number: int, gender: Gender) -> str:
    if number == 1:
        return "première" if gender == "f" else "premier"
    *front, last = _cardinal(number).replace("-", " - ").split()
    ending = _BEFORE_ENDING.get(last, last.removesuffix("e")) + "ième"
    return " ".join([*front, ending]).replace(" - ", "-")


FRENCH = Grammar(
    category=none_is_one,
    point="virgule",
    minus="moins",
    and_="et",
    money_and="et",
    number="numéro",
    fraction_as_number=True,
    durations={
        86_400: Noun("day", "un jour", "jours", single="jour", gender="m"),
        3_600: Noun("hour", "une heure", "heures", single="heure", gender="f"),
        60: Noun("minute", "une minute", "minutes", single="minute", gender="f"),
        1: Noun("second", "une seconde", "secondes", single="seconde", gender="f"),
    },
    currencies={
        "EUR": Currency(Noun("euro", "un euro", "euros", single="euro", many="d'euros", gender="m"), _CENTIME),
        "GBP": Currency(
            Noun("livre", "une livre", "livres", single="livre", many="de livres", gender="f"),
            Noun("penny", "un penny", "pence", gender="m"),
        ),
        "USD": _DOLLAR,
        "CAD": _DOLLAR,
        "CHF": Currency(
            Noun("franc", "un franc", "francs", single="franc", many="de francs", gender="m"), _CENTIME
        ),
    },
    ordinals=Ordinals(_ordinal, hundred="centième", thousand="millième"),
)
