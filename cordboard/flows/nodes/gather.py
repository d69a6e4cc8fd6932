"""`gather`: digits the caller keys in, kept as text in a variable.

    ask_account:
      gather: enter_account
      save: account
      min_digits: 6
      max_digits: 6
      no_match: {say: six_digits, tries: 3, then: operator}
      next: read_back
    ask_pin: {gather: enter_pin, save: pin, max_digits: 4, secret: true, next: check}

Digits of a `secret` gather stay in memory: never stored, logged or traced. If the worker is lost, they are asked
for again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field, model_validator

from cordboard.config.validation import Text, fault
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.node import Go, Move, Node, unexpected
from cordboard.flows.options import Declaration, NodeOptions, PromptNames, Seconds, VariableName
from cordboard.flows.question import NoInputOptions, NoMatchOptions, Question, compile_question
from cordboard.telephony.outcomes import Gathered, NoInput, Outcome
from cordboard.telephony.verbs import Gather

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

MAX_DIGITS = 64
EndKey = Annotated[Text, Field(pattern=r"^[0-9*#]?$")]


class GatherOptions(NodeOptions):
    """See the module. end_key: "" for none; first_digit_s is `no_input.after_s` unless given."""

    verb: ClassVar[str] = "gather"

    gather: Annotated[PromptNames, Field(min_length=1)]
    save: VariableName
    next: Text
    min_digits: Annotated[int, Field(ge=0, le=MAX_DIGITS)] = 1
    max_digits: Annotated[int, Field(ge=1, le=MAX_DIGITS)] = 20
    first_digit_s: Seconds | None = None
    inter_digit_s: Seconds = 3.0
    end_key: EndKey = "#"
    barge_in: bool = True
    secret: bool = False
    no_input: NoInputOptions = NoInputOptions()
    no_match: NoMatchOptions = NoMatchOptions()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.min_digits > self.max_digits:
            message = f"`min_digits` {self.min_digits} is more than `max_digits` {self.max_digits}"
            raise fault("out-of-range", message)
        return self

    def declares(self) -> Iterator[Declaration]:
        """The variable it saves to."""
        yield Declaration(self.save, ("save",), kind="string", is_secret=self.secret)

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its question."""
        question = compile_question(
            compiler,
            compiler.prompts(self.gather, "gather"),
            self.no_input,
            self.no_match,
            lambda prompts: Gather(
                prompts,
                max_digits=self.max_digits,
                first_digit_s=self.first_digit_s or self.no_input.after_s,
                inter_digit_s=self.inter_digit_s,
                end_key=self.end_key,
                barge_in=self.barge_in,
                secret=self.secret,
            ),
        )
        lengths = range(self.min_digits, self.max_digits + 1)
        return GatherNode(question, self.save, lengths, self.secret, compiler.target(self.next, "next"))


@dataclass(frozen=True, slots=True)
class GatherNode(Node):
    """Asks until digits of the right number come."""

    question: Question
    save: str
    lengths: range
    secret: bool
    next: str

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Ask for the digits."""
        return self.question.ask(run.language, run.attempts)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """Keep the digits, or ask again."""
        match outcome:
            case Gathered(digits) if len(digits) in self.lengths:
                return self._keep(digits)
            case Gathered():
                return self.question.no_match(run.language, run.attempts)
            case NoInput():
                return self.question.no_input(run.language, run.attempts)
        raise unexpected(outcome)

    def _keep(self, digits: str) -> Go:
        if self.secret:
            return Go(self.next, secret=(self.save, digits))
        return Go(self.next, variables={self.save: digits})


OPTIONS = GatherOptions
