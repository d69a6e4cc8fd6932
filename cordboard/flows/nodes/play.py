"""`play`: one prompt, or several one after the other.

greeting: {play: welcome, next: menu}
closing:  {play: [thanks, goodbye], next: bye}
notice:   {play: calls_are_recorded, barge_in: false, next: menu}

A key stops it and counts for the question that comes next, so that callers who know the way need not wait. What
must be heard to its end has `barge_in: false`; keys are lost meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.node import Ask, Go, Move, Node, unexpected
from cordboard.flows.options import NodeOptions, PromptNames, Target
from cordboard.flows.speech import Speech
from cordboard.telephony.outcomes import Done, Interrupted, Outcome
from cordboard.telephony.verbs import Play

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun


class PlayOptions(NodeOptions):
    """See the module."""

    verb: ClassVar[str] = "play"
    asks: ClassVar[bool] = True
    needs_call: ClassVar[bool] = True

    play: Annotated[PromptNames, Field(min_length=1)] = Field(description="A prompt, or a list of them.")
    next: Target = Field(description="Where then.")
    barge_in: bool = Field(
        default=True, description="Whether a key stops it; the key then counts for the question that comes next."
    )

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its speech."""
        speech = compiler.speech(self.play, "play")
        return PlayNode(speech, self.barge_in, compiler.way(self.next, "next"))


@dataclass(frozen=True, slots=True)
class PlayNode(Node):
    """Plays, then goes on. keys: whether one stops it."""

    speech: Speech
    keys: bool
    next: Go

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Play in the caller's language; nothing to a caller who has keyed on already."""
        if self.keys and run.typed:
            return self.next
        return Ask(Play(self.speech.utterances(run, now), self.keys))

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """Played, or stopped by a key, which the run has kept."""
        if not isinstance(outcome, Done | Interrupted):
            raise unexpected(outcome)
        return self.next


OPTIONS = PlayOptions
