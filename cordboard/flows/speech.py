"""What a node has to say, in each language, ready to be spoken in a call.

Made by `NodeCompiler.speech` when the flow loads, asked by nodes for what to play at this moment of a call. Plain
prompts are a constant and cost nothing; values in between are worked out. Playing is the phone's matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cordboard.flows.speaking.value import SpokenValue
from cordboard.telephony.verbs import Prompt, Utterance

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

Piece = Prompt | SpokenValue
"""A part of what is said: words as they stand, or a value to be worked out."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Pieces one after the other, by language."""

    pieces: Mapping[str, tuple[Piece, ...]]
    _fixed: Mapping[str, tuple[Prompt, ...] | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_fixed", {tongue: _without_values(one) for tongue, one in self.pieces.items()})

    def utterances(self, run: FlowRun, now: datetime) -> tuple[Utterance, ...]:
        """What to play now, in the call's language.

        Raises ExpressionFailed for a value that is not there, NodeFailed for one that cannot be spoken.
        """
        fixed = self.fixed(run.language)
        return _worked_out(self.pieces[run.language], run.facts(now)) if fixed is None else fixed

    def fixed(self, language: str) -> tuple[Prompt, ...] | None:
        """The same in every call; None if values are spoken in it."""
        return self._fixed[language]

    def __add__(self, behind: Speech) -> Speech:
        """This, and then something else."""
        return Speech({tongue: pieces + behind.pieces[tongue] for tongue, pieces in self.pieces.items()})


def _without_values(pieces: tuple[Piece, ...]) -> tuple[Prompt, ...] | None:
    """The pieces, if all of them are prompts."""
    prompts = tuple(piece for piece in pieces if isinstance(piece, Prompt))
    return prompts if len(prompts) == len(pieces) else None


def _worked_out(pieces: Iterable[Piece], facts: Mapping[str, Any]) -> tuple[Utterance, ...]:
    spoken: list[Utterance] = []
    for piece in pieces:
        if isinstance(piece, SpokenValue):
            spoken += piece.utterances(facts)
        else:
            spoken.append(piece)
    return tuple(spoken)
