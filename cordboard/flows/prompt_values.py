"""Prompts with values in them, ready to be spoken: "You owe {amount|money GBP} by {due|date}."

The words around the values become prompts of their own, `owed.1`, `owed.2`, in the order of the text, so that a
recording can be made of each: `prompts/en/support/owed.1.wav`. Called by the loader once it knows the variables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cordboard.config.document import Document
from cordboard.config.findings import Finding
from cordboard.flows.conditions import Expression, ExpressionRefused, Scope
from cordboard.flows.prompt_texts import Prompts, text_place
from cordboard.flows.speaking.choosing import Speaking, spoken_kind
from cordboard.flows.speaking.rules import SayRefused
from cordboard.flows.speaking.value import SpokenValue
from cordboard.flows.speech import Piece
from cordboard.flows.text_parts import TextRefused, ValueAt, Words, split_text
from cordboard.telephony.verbs import Prompt

Pieces = Mapping[Prompt, tuple[Piece, ...]]


@dataclass(frozen=True, slots=True)
class PieceFinder:
    """Compiles the texts of one flow. scope: None while its variables are not known for sure; secrets: their names;
    findings: filled in.
    """

    document: Document
    speaking: Speaking
    scope: Scope | None
    secrets: frozenset[str]
    findings: list[Finding]

    def find(self, prompts: Prompts) -> Pieces:
        """The pieces of every prompt that has values in it; all others are played as they are."""
        found: dict[Prompt, tuple[Piece, ...]] = {}
        for prompt in {one: None for by_language in prompts.values() for one in by_language.values()}:
            parts = self._parts(prompt)
            if any(isinstance(part, ValueAt) for part in parts):
                found[prompt] = tuple(self._pieces(prompt, parts))
        return found

    def _parts(self, prompt: Prompt) -> tuple[Words | ValueAt, ...]:
        """The parts of its text as it is written; none of a faulty one, which was reported when it was read."""
        written = self.document.item(text_place(self.document, prompt.name, prompt.language)).data
        try:
            return split_text(str(written))
        except TextRefused:
            return ()

    def _pieces(self, prompt: Prompt, parts: tuple[Words | ValueAt, ...]) -> Iterator[Piece]:
        number = 0
        for part in parts:
            if isinstance(part, Words):
                number += 1
                yield Prompt(prompt.flow, f"{prompt.name}.{number}", prompt.language, part.text)
            elif (value := self._value(prompt, part)) is not None:
                yield value

    def _value(self, prompt: Prompt, part: ValueAt) -> SpokenValue | None:
        """The value, or None with a finding."""
        if part.variable in self.secrets:
            message = f"`{part.variable}` is secret and cannot be spoken"
            self._report(prompt, part, "secret-used", message, "take it out of the text")
            return None
        if self.scope is None:
            return None
        try:
            expression = self.scope.compile(part.variable)
            return self._spoken(prompt, part, expression)
        except (ExpressionRefused, SayRefused) as refused:
            self._report(prompt, part, refused.code, refused.message, refused.hint)
            return None

    def _spoken(self, prompt: Prompt, part: ValueAt, expression: Expression) -> SpokenValue:
        kind = spoken_kind(part.kind, part.variable, expression.kind)
        how = self.speaking.how(kind, part.detail)
        return SpokenValue(expression, self.speaking.rule(how, expression.kind, prompt.language))

    def _report(self, prompt: Prompt, part: ValueAt, code: str, message: str, hint: str) -> None:
        way = text_place(self.document, prompt.name, prompt.language)
        place = self.document.place_in(way, 1, part.offset + 2)  # behind the brace
        self.findings.append(Finding(self.document.file, *place, code, message, hint))


def sounds_of(pieces: tuple[Piece, ...]) -> Iterator[Prompt]:
    """Everything that must have a sound for these to be spoken."""
    for piece in pieces:
        yield from (piece,) if isinstance(piece, Prompt) else piece.rule.words
