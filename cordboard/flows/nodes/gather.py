"""`gather`: digits the caller keys in, kept as text in a variable.

    ask_account:
      gather: enter_account
      again: account_please
      save: account
      min_digits: 6
      max_digits: 6
      pattern: "[1-9][0-9]*"
      no_match: {tapered: [six_digits, it_is_on_your_bill], tries: 3, then: operator}
      next: read_back
    ask_pin: {gather: enter_pin, save: pin, max_digits: 4, secret: true, next: check}

Digits that came before the question count, without its being played. Digits of a `secret` gather stay in memory:
never stored, logged or traced. If the worker is lost, they are asked for again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field, model_validator

from cordboard.config.validation import Text, fault
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.digit_pattern import DigitPattern, PatternRefused, compile_pattern
from cordboard.flows.node import Go, Move, Node
from cordboard.flows.options import Declaration, NodeOptions, PromptNames, Seconds, Target, VariableName
from cordboard.flows.question import (
    Again,
    BargeIn,
    NoInputOptions,
    NoMatchOptions,
    OnNoInput,
    OnNoMatch,
    Question,
    QuestionMaker,
)
from cordboard.telephony.outcomes import Outcome
from cordboard.telephony.verbs import Gather

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

MAX_DIGITS = 64
EndKey = Annotated[Text, Field(pattern=r"^[0-9*#]?$")]


class GatherOptions(NodeOptions):
    """A question that is answered with digits, which a variable keeps as text."""

    verb: ClassVar[str] = "gather"
    asks: ClassVar[bool] = True
    needs_call: ClassVar[bool] = True

    gather: Annotated[PromptNames, Field(min_length=1)] = Field(description="The question: a prompt or a list.")
    save: VariableName = Field(description="The variable that keeps the digits.")
    next: Target = Field(description="Where with the digits.")
    again: Again = None
    min_digits: Annotated[int, Field(ge=0, le=MAX_DIGITS)] = Field(
        1, description="How many digits there must be; fewer are a `no_match`."
    )
    max_digits: Annotated[int, Field(ge=1, le=MAX_DIGITS)] = Field(
        20, description="How many digits there can be; after so many nobody waits for more."
    )
    pattern: Text | None = Field(
        None, description="A regular expression for all of the digits; others are a `no_match`. Not for secrets."
    )
    first_digit_s: Seconds | None = Field(
        None, description="How long to wait for the first key; `after_s` of `no_input` without it."
    )
    inter_digit_s: Seconds = Field(3.0, description="How long to wait for each next key; then the input is over.")
    end_key: EndKey = Field("#", description='Ends the input and is not part of it; `""` for none.')
    barge_in: BargeIn = True
    secret: bool = Field(
        False, description="For PINs and cards: the digits are never stored, logged, traced or said."
    )
    no_input: OnNoInput = NoInputOptions()
    no_match: OnNoMatch = NoMatchOptions()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.min_digits > self.max_digits:
            message = f"`min_digits` {self.min_digits} is more than `max_digits` {self.max_digits}"
            raise fault("out-of-range", message)
        return self

    def declares(self) -> Iterator[Declaration]:
        """The variable it saves to."""
        yield Declaration(self.save, ("save",), kind="string", is_secret=self.secret, on=("next",))

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its question."""
        verb = Gather(
            (),
            max_digits=self.max_digits,
            first_digit_s=self.first_digit_s or self.no_input.after_s,
            inter_digit_s=self.inter_digit_s,
            end_key=self.end_key,
            barge_in=self.barge_in,
            secret=self.secret,
        )
        ask = QuestionMaker(compiler, self.no_input, self.no_match).question
        return GatherNode(
            question=ask(verb, self.gather, self.again, "gather"),
            save=self.save,
            lengths=range(self.min_digits, self.max_digits + 1),
            pattern=self._compile_pattern(compiler),
            secret=self.secret,
            next=compiler.way(self.next, "next"),
        )

    def _compile_pattern(self, compiler: NodeCompiler) -> DigitPattern | None:
        if self.pattern is None:
            return None
        if self.secret:  # a trace has no digits of it, and could not be replayed if they decided the way
            message, hint = "secret digits are checked for their number only", "take `pattern` away, or `secret`"
            compiler.report(("pattern",), "secret-pattern", message, hint)
            return None
        try:
            return compile_pattern(self.pattern)
        except PatternRefused as refused:
            compiler.report(
                ("pattern",), "bad-pattern", f"this is no pattern: {refused}", "for instance [1-9][0-9]*"
            )
            return None


@dataclass(frozen=True, slots=True)
class GatherNode(Node):
    """Asks until digits of the right number and pattern come."""

    question: Question
    save: str
    lengths: range
    pattern: DigitPattern | None
    secret: bool
    next: Go

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Ask for the digits, unless they are there already."""
        return self.question.begin(run, now, self._decide)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """Keep the digits, or ask again."""
        return self.question.received(run, outcome, now, self._decide)

    def _decide(self, run: FlowRun, now: datetime, digits: str, rest: str) -> Move:
        if len(digits) not in self.lengths or (self.pattern and not self.pattern.fits(digits)):
            return self.question.no_match(run, now)
        if self.secret:
            return replace(self.next, secret=(self.save, digits), typed=rest)
        return self.next.keeping({self.save: digits}, rest)


OPTIONS = GatherOptions
