"""`menu`: a prompt, and a node for each key.

    main:
      menu: main_menu
      keys: {1: sales, 2: support, "*": main, "#": bye}
      no_input: {after_s: 5, tries: 3, say: still_there, then: operator}
      no_match: {say: try_again, tries: 3, then: operator}

Keys may have several digits; after the first one the caller has `inter_digit_s` for the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from cordboard.config.validation import Text
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.node import Go, Move, Node, unexpected
from cordboard.flows.options import NodeOptions, PromptNames, Seconds
from cordboard.flows.question import NoInputOptions, NoMatchOptions, Question, compile_question
from cordboard.telephony.outcomes import Gathered, NoInput, Outcome
from cordboard.telephony.verbs import Gather

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

Keys = Annotated[Text, Field(pattern=r"^[0-9*#]{1,8}$")]


class MenuOptions(NodeOptions):
    """See the module."""

    verb: ClassVar[str] = "menu"

    menu: Annotated[PromptNames, Field(min_length=1)]
    keys: Annotated[dict[Keys, Text], Field(min_length=1)]
    no_input: NoInputOptions = NoInputOptions()
    no_match: NoMatchOptions = NoMatchOptions()
    inter_digit_s: Seconds = 2.0
    barge_in: bool = True

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with every key's target checked."""
        targets = {keys: compiler.target(node, "keys", keys) for keys, node in self.keys.items()}
        max_digits = max(map(len, self.keys))
        question = compile_question(
            compiler,
            compiler.prompts(self.menu, "menu"),
            self.no_input,
            self.no_match,
            lambda prompts: Gather(
                prompts,
                max_digits=max_digits,
                first_digit_s=self.no_input.after_s,
                inter_digit_s=self.inter_digit_s,
                barge_in=self.barge_in,
            ),
        )
        return MenuNode(question, targets)


@dataclass(frozen=True, slots=True)
class MenuNode(Node):
    """Asks until a key of the menu comes."""

    question: Question
    targets: Mapping[str, str]

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Read the menu out."""
        return self.question.ask(run.language, run.attempts)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """Go where the key leads, or ask again."""
        match outcome:
            case Gathered(digits) if digits in self.targets:
                return Go(self.targets[digits])
            case Gathered():
                return self.question.no_match(run.language, run.attempts)
            case NoInput():
                return self.question.no_input(run.language, run.attempts)
        raise unexpected(outcome)


OPTIONS = MenuOptions
