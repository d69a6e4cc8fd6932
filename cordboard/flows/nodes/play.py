"""`play`: one prompt, or several one after the other, to the end.

greeting: {play: welcome, next: menu}
closing:  {play: [thanks, goodbye], next: bye}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from cordboard.config.validation import Text
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.node import Ask, Go, Node, unexpected
from cordboard.flows.options import NodeOptions, PromptNames
from cordboard.telephony.outcomes import Done, Outcome
from cordboard.telephony.verbs import Play

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun


class PlayOptions(NodeOptions):
    """See the module."""

    verb: ClassVar[str] = "play"

    play: Annotated[PromptNames, Field(min_length=1)]
    next: Text

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its verb made for each language."""
        prompts = compiler.prompts(self.play, "play")
        verbs = compiler.per_language(lambda language: Play(prompts[language]))
        return PlayNode(verbs, compiler.target(self.next, "next"))


@dataclass(frozen=True, slots=True)
class PlayNode(Node):
    """Plays, then goes on."""

    verbs: Mapping[str, Play]
    next: str

    def enter(self, run: FlowRun, now: datetime) -> Ask:
        """Play in the caller's language."""
        return Ask(self.verbs[run.language])

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Go:
        """Played."""
        if not isinstance(outcome, Done):
            raise unexpected(outcome)
        return Go(self.next)


OPTIONS = PlayOptions
