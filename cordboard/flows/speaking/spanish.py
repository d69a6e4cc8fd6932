"""Spanish words for values."""

from __future__ import annotations

from cordboard.flows.speaking.grammar import Currency, Gender, Grammar, Noun, Ordinals, each_of, one_many_other

_FIRST = each_of("primero segundo tercero cuarto quinto sexto séptimo octavo noveno")
_TEENS = each_of(
    "décimo undécimo duodécimo decimotercero decimocuarto decimoquinto decimosexto decimoséptimo decimoctavo "
    "decimonoveno"
)
_TENS = each_of("vigésimo trigésimo cuadragésimo quincuagésimo sexagésimo septuagésimo octogésimo nonagésimo")

_CENTAVO = Noun("centavo", "un centavo", "centavos", gender="m")
_CENTIMO = Noun("centimo", "un céntimo", "céntimos", gender="m")
_DOLLAR = Currency(Noun("dolar", "un dólar", "dólares", many="de dólares", gender="m"), _CENTAVO)
_PESO = Noun("peso", "un peso", "pesos", many="de pesos", gender="m")


def _ordinal(number: int, gender: Gender) -> str:
    tens, ones = divmod(number, 10)
    if tens < 2:
        words = [_TEENS[ones] if tens else _FIRST[ones - 1]]
    else:
        words = [_TENS[tens - 2], *_FIRST[ones - 1 : ones]] if ones else [_TENS[tens - 2]]
    return " ".join(word[:-1] + "a" for word in words) if gender == "f" else " ".join(words)


SPANISH = Grammar(
    category=one_many_other,
    point="coma",
    minus="menos",
    and_="y",
    money_and="con",
    number="número",
    fraction_as_number=True,
    durations={
        86_400: Noun("day", "un día", "días", gender="m"),
        3_600: Noun("hour", "una hora", "horas", gender="f"),
        60: Noun("minute", "un minuto", "minutos", gender="m"),
        1: Noun("second", "un segundo", "segundos", gender="m"),
    },
    currencies={
        "EUR": Currency(Noun("euro", "un euro", "euros", many="de euros", gender="m"), _CENTIMO),
        "GBP": Currency(
            Noun("libra", "una libra", "libras", many="de libras", gender="f"),
            Noun("penique", "un penique", "peniques", gender="m"),
        ),
        "USD": _DOLLAR,
        "MXN": Currency(_PESO, _CENTAVO),
        "ARS": Currency(_PESO, _CENTAVO),
        "COP": Currency(_PESO, _CENTAVO),
        "CLP": Currency(_PESO, None),
        "PEN": Currency(Noun("sol", "un sol", "soles", many="de soles", gender="m"), _CENTIMO),
        "CHF": Currency(Noun("franco", "un franco", "francos", many="de francos", gender="m"), _CENTIMO),
    },
    ordinals=Ordinals(_ordinal, most=99),
)
