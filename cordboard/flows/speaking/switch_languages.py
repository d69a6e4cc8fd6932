"""What the switch says by itself, by kind and language: with its own rules, and its own sounds.

Asterisk 22 speaks a language it has no rule for by the rule of English, and leaves out words it has no sound of,
without a fault. So a language counts here only if its rule is there. German is left out on purpose: Asterisk has
the rule, but no sounds for it can be installed from Debian or asterisk.org; `german` has all the words instead.
"""

from __future__ import annotations

from cordboard.flows.speaking.grammar import each_of

_NUMBERS = frozenset(each_of("en cs da es fr he hu is it ja ka nl no pl pt ru th ur vi zh"))
_DATES = frozenset(each_of("en da es fr he is it ja nl pl pt th vi zh"))
_LANGUAGES = {
    "number": _NUMBERS,
    "digits": _NUMBERS,
    "spelled": _NUMBERS,
    "date": _DATES,
    "time": _DATES,
}


def switch_says(kind: str, language: str) -> bool:
    """Whether the switch speaks values of a kind in a language. language: a tag, "pt-br"."""
    return language.partition("-")[0] in _LANGUAGES.get(kind, ())
