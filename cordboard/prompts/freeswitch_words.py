"""The sounds that FreeSWITCH's `say` puts numbers, dates and spelled words together from, and what is said in each.

By language, the name of a sound below its folder (`digits/20`) to the text a voice speaks. Seen in what mod_say_en,
mod_say_es and mod_say_fr of FreeSWITCH 1.11 play. Money and phonetic spelling are left out: flows have other words
for the one, and no kind of value for the other. `freeswitch_values` makes the sounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_WEEKDAYS = {
    "en": "Sunday Monday Tuesday Wednesday Thursday Friday Saturday",
    "es": "domingo lunes martes miércoles jueves viernes sábado",
    "fr": "dimanche lundi mardi mercredi jeudi vendredi samedi",
}
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}
_UNITS = {
    "en": "hour hours minute minutes second seconds",
    "es": "hora horas minuto minutos segundo segundos",
    "fr": "heure heures minute minutes seconde secondes",
}
_ORDINAL = {"en": "{}th", "es": "{}º", "fr": "{}e"}

_OTHERS: dict[str, dict[str, str]] = {
    "en": {
        "digits/hundred": "hundred",
        "digits/thousand": "thousand",
        "digits/million": "million",
        "digits/h-1": "first",
        "digits/h-2": "second",
        "digits/h-3": "third",
        "digits/dot": "point",
        "digits/*": "star",
        "digits/#": "hash",
        "time/oclock": "o'clock",
        "time/oh": "oh",
        "time/at": "at",
        "time/today": "today",
        "time/yesterday": "yesterday",
        "time/a-m": "A M",
        "time/p-m": "P M",
        "currency/negative": "minus",
        "currency/and": "and",
    },
    "es": {
        "digits/hundred": "ciento",
        "digits/hundreds": "cientos",
        "digits/100": "cien",
        "digits/500": "quinientos",
        "digits/700": "setecientos",
        "digits/900": "novecientos",
        "digits/thousand": "mil",
        "digits/million": "millón",
        "digits/millions": "millones",
        "digits/un": "un",
        "digits/veinti": "veinti",
        "digits/dot": "punto",
        "digits/*": "asterisco",
        "digits/#": "almohadilla",
        "time/oclock": "en punto",
        "time/of": "de",
        "time/at": "a las",
        "time/a-m": "de la mañana",
        "time/p-m": "de la tarde",
        "currency/negative": "menos",
        "currency/and": "y",
    },
    "fr": {
        "digits/hundred": "cent",
        "digits/thousand": "mille",
        "digits/million": "millions",
        "digits/1_f": "une",
        "digits/dot": "point",
        "digits/*": "étoile",
        "digits/#": "dièse",
        "time/at": "à",
        "time/today": "aujourd'hui",
        "time/yesterday": "hier",
        "currency/negative": "moins",
        "currency/and": "et",
    },
}

_SIGNS = {
    "en": {"*": "star", "#": "hash", "!": "exclamation mark", "@": "at", "$": "dollar", "=": "equals",
           "+": "plus", "/": "slash", ".": "dot", "-": "dash"},
    "es": {"*": "asterisco", "#": "almohadilla", "!": "exclamación", "@": "arroba", "$": "dólar", "=": "igual",
           "+": "más", "/": "barra", ".": "punto", "-": "guion"},
    "fr": {"*": "étoile", "#": "dièse", "!": "exclamation", "@": "arobase", "$": "dollar", "=": "égal",
           "+": "plus", "/": "barre", ".": "point", "-": "tiret"},
}  # fmt: skip

LANGUAGES = tuple(_OTHERS)


def sound_texts(language: str) -> Mapping[str, str]:
    """Every sound of a language by its name, with the text to speak. Raises KeyError for a language without."""
    return dict(_all_of(language))


def _all_of(language: str) -> Iterator[tuple[str, str]]:
    yield from _counting(language)
    yield from ((f"time/day-{number}", name) for number, name in enumerate(_WEEKDAYS[language].split()))
    yield from ((f"time/mon-{number}", name) for number, name in enumerate(_MONTHS[language].split()))
    yield from (
        (f"time/{unit}", word) for unit, word in zip(_UNITS["en"].split(), _UNITS[language].split(), strict=True)
    )
    yield from ((f"ascii/{number}", chr(number)) for number in range(ord("a"), ord("z") + 1))
    yield from ((f"ascii/{ord(sign)}", word) for sign, word in _SIGNS[language].items())
    yield from _OTHERS[language].items()


def _counting(language: str) -> Iterator[tuple[str, str]]:
    """Numbers up to 20 and the tens above; a voice knows how to say them, also as ordinals."""
    for number in (*range(21), 21, 31, *range(30, 100, 10)):
        yield f"digits/{number}", str(number)
        yield f"digits/h-{number}", _ORDINAL[language].format(number)
