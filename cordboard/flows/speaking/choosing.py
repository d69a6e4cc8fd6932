"""Decides how a value is to be spoken from what an admin has written: the kind, its details, the language.

Called while a flow loads, for texts with values and for `say`. Whatever is refused becomes a finding there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast
from zoneinfo import ZoneInfo

from cordboard.config.suggestions import closest
from cordboard.flows.conditions import Kind, words_for_kind
from cordboard.flows.speaking.grammar import Gender
from cordboard.flows.speaking.kinds import DEFAULT_KINDS, SPOKEN_KINDS, TYPES, SpokenKind
from cordboard.flows.speaking.rules import How, Rule, SayRefused, rule_for

_KINDS_HINT: Mapping[Kind, str] = {
    "string": "write {{{name}|digits}}, {{{name}|spelled}}, {{{name}|date}} or {{{name}|time}}",
    "timestamp": "write {{{name}|date}} or {{{name}|time}}",
    "bool": "use a `branch`, and a prompt for each",
}


@dataclass(frozen=True, slots=True)
class Speaking:
    """What the frame of a flow says of it. zone: of moments; fallback: the language instead of one; currency: of
    money that names none.
    """

    zone: ZoneInfo
    fallback: Mapping[str, str] = field(default_factory=dict)
    currency: str = ""

    def languages_for(self, language: str) -> Iterator[str]:
        """The language itself, and those that stand in for it, in order. Ends where they go round in a circle."""
        yield language
        seen = {language}
        while (language := self.fallback.get(language, language)) not in seen:
            yield language
            seen.add(language)

    def rule(self, how: How, value_kind: Kind, language: str) -> Rule:
        """How values of a type are spoken in a language, or in one that stands in for it. Raises SayRefused."""
        refused: SayRefused | None = None
        for one in self.languages_for(language):
            try:
                return rule_for(how, value_kind, one, self.zone)
            except SayRefused as refusal:
                refused = refused or refusal
        assert refused is not None
        raise refused

    def how(self, kind: SpokenKind, detail: str = "") -> How:
        """The kind with its detail: the currency of money, the gender of numbers. Raises SayRefused."""
        if kind == "money":
            return How(kind, currency=self._currency(detail))
        if not detail:
            return How(kind)
        if kind in ("number", "ordinal") and detail in ("m", "f"):
            return How(kind, cast(Gender, detail))
        hint = "behind `number` and `ordinal` may stand m or f, behind `money` a currency"
        raise SayRefused("say-detail", f"`{detail}` says nothing about the kind `{kind}`", hint)

    def _currency(self, detail: str) -> str:
        if detail or self.currency:
            return detail or self.currency
        hint = "name it, for instance `money GBP`, or write `currency: GBP` in the frame of the flow"
        raise SayRefused("no-currency", "money of which currency?", hint)


def spoken_kind(written: str, name: str, value_kind: Kind) -> SpokenKind:
    """The kind in which a value is spoken. written: "" if nobody says; name: the variable's. Raises SayRefused."""
    if not written:
        return _default_kind(name, value_kind)
    if written not in SPOKEN_KINDS:
        hint = closest(written, SPOKEN_KINDS) or f"known: {', '.join(SPOKEN_KINDS)}"
        raise SayRefused("unknown-say-kind", f"`{written}` is no kind of value that can be spoken", hint)
    kind = next(one for one in SPOKEN_KINDS if one == written)
    if value_kind not in TYPES[kind]:
        wanted = " or ".join(words_for_kind(one) for one in TYPES[kind])
        message = f"`{name}` is {words_for_kind(value_kind)}; the kind `{kind}` speaks {wanted}"
        hint = f"make a variable of int({name}) or double({name}) with `set`" if value_kind == "string" else ""
        raise SayRefused("say-type", message, hint)
    return kind


def _default_kind(name: str, value_kind: Kind) -> SpokenKind:
    if value_kind in DEFAULT_KINDS:
        return DEFAULT_KINDS[value_kind]
    message = f"`{name}` is {words_for_kind(value_kind)}, which can be spoken in several ways, or in none"
    raise SayRefused("say-how", message, _KINDS_HINT[value_kind].format(name=name))
