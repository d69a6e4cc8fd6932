"""`survey`: asks how it was, and keeps the score.

    how_was_it: {survey: how_was_it, name: csat, scale: 1-5, next: thanks}
    was_it_solved:
      survey: solved
      name: solved
      keys: {1: 1, 2: 0}
      no_input: {tries: 1}
      next: thanks
      otherwise: bye

The score is a whole number in the variable of the survey's name, -1 if none was given, and goes into the reports
(`cordboard kpi --tags`). Who does not answer goes on all the same: to `otherwise`, or to `next`. The first answer
of a call to a survey counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from string import ascii_lowercase
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from cordboard.config.validation import Text, fault
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.node import Ask, Go, Move, Node
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
    input_ends,
)
from cordboard.telephony.outcomes import Done, Outcome
from cordboard.telephony.verbs import Gather, Note

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

NO_SCORE = -1
MAX_SCORES = len(ascii_lowercase)  # one phase for each
TRIES = 2  # nobody is pressed for a favour


def _scores(scale: str) -> range:
    """The scores of "1-5". Raises ValueError."""
    first, dash, last = scale.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal() and int(first) < int(last) <= 100):
        raise ValueError(f"`{scale}` is no scale; write for instance 1-5, or 0-10")
    if int(last) - int(first) >= MAX_SCORES:
        raise ValueError(f"a scale has at most {MAX_SCORES} scores")
    return range(int(first), int(last) + 1)


def _checked(scale: str) -> str:
    _scores(scale)
    return scale


Scale = Annotated[Text, AfterValidator(_checked)]
Keys = Annotated[Text, Field(pattern=r"^[0-9*#]{1,3}$")]
Score = Annotated[int, Field(ge=0, le=100)]


class SurveyOptions(NodeOptions):
    """Asks how it was, and keeps the score."""

    verb: ClassVar[str] = "survey"
    asks: ClassVar[bool] = True
    needs_call: ClassVar[bool] = True

    survey: Annotated[PromptNames, Field(min_length=1)] = Field(description="The question: a prompt or a list.")
    name: VariableName = Field(description="What it is called in reports, and the variable that keeps the score.")
    scale: Scale | None = Field(None, description="The scores that callers key in: `1-5` without it, or `0-10`.")
    keys: Annotated[dict[Keys, Score], Field(min_length=1, max_length=MAX_SCORES)] | None = Field(
        None, description="Instead of `scale`: the score that each key stands for."
    )
    next: Target = Field(description="Where then.")
    otherwise: Target | None = Field(None, description="Where without an answer; `next` without it.")
    again: Again = None
    no_input: OnNoInput = NoInputOptions(tries=TRIES)
    no_match: OnNoMatch = NoMatchOptions(tries=TRIES)
    inter_digit_s: Seconds = Field(2.0, description="How long to wait for a second key, as for 10 behind 1.")
    barge_in: BargeIn = True

    @model_validator(mode="after")
    def _has_one_scale(self) -> Self:
        if self.scale is not None and self.keys is not None:
            raise fault("scale-and-keys", "give either `scale` or `keys`")
        return self

    def declares(self) -> Iterator[Declaration]:
        """The score."""
        yield Declaration(self.name, ("name",), kind="int", is_extra=True)

    def left_out(self) -> Iterator[tuple[str | int, ...]]:
        """None: who does not answer goes on all the same."""
        return iter(())

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with a note for each score."""
        scores = self.keys or {str(score): score for score in _scores(self.scale or "1-5")}
        next_ = compiler.way(self.next, "next")
        maker = QuestionMaker(
            compiler,
            self.no_input,
            self.no_match,
            fallback=compiler.way(self.otherwise, "otherwise") or next_,
            keeps={self.name: NO_SCORE},
        )
        return SurveyNode(
            question=maker.question(self._verb(scores), self.survey, self.again, "survey"),
            notes={
                keys: Ask(Note("survey", self.name, str(score)), phase)
                for phase, (keys, score) in zip(ascii_lowercase, scores.items(), strict=False)
            },
            ways={
                phase: next_.keeping({self.name: score}, "")
                for phase, score in zip(ascii_lowercase, scores.values(), strict=False)
            },
        )

    def _verb(self, scores: Mapping[str, int]) -> Gather:
        max_digits = max(map(len, scores))
        return Gather(
            (),
            max_digits=max_digits,
            first_digit_s=self.no_input.after_s,
            inter_digit_s=self.inter_digit_s,
            barge_in=self.barge_in,
            ends=input_ends(scores, max_digits),
        )


@dataclass(frozen=True, slots=True)
class SurveyNode(Node):
    """Asks, notes, goes on. notes: by keys; ways: by the phase of the note, each with its score."""

    question: Question
    notes: Mapping[str, Ask]
    ways: Mapping[str, Go]

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Ask, unless the answer is there already."""
        return self.question.begin(run, now, self._decide)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """Note the answer, or ask again; go on once it is noted."""
        if isinstance(outcome, Done) and run.phase in self.ways:
            way = self.ways[run.phase]
            return way.keeping(way.variables, self.question.left_of(run.typed))
        return self.question.received(run, outcome, now, self._decide)

    def _decide(self, run: FlowRun, now: datetime, digits: str, rest: str) -> Move:
        return self.notes.get(digits) or self.question.no_match(run, now)


OPTIONS = SurveyOptions
