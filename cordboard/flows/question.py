"""Asking the caller for keys, and asking again: what `menu`, `gather`, `survey` and `callback` share.

A question is asked at most `tries` times for each kind of failure; after the last one the flow goes where `then`
says, or to its `on_failure`. Before it is asked again something may be said: the same each time (`say`), or more
helpful words with each failure (`tapered`).

Keys that came while something was played before (type-ahead, `FlowRun.typed`) answer a question without its being
played; the rest of them is left for the next one. They do not if the question cannot be interrupted: then it is
meant to be heard. Wrong keys throw away those typed behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Protocol, Self

from pydantic import Field, model_validator

from cordboard.config.validation import Many, Section, fault
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.conditions import Value
from cordboard.flows.node import Ask, Attempts, Go, Move, NodeFailed, unexpected
from cordboard.flows.options import PromptNames, Seconds, Target, Tries
from cordboard.flows.type_ahead import read_typed
from cordboard.telephony.outcomes import Gathered, NoInput, Outcome
from cordboard.telephony.verbs import KEYS, Gather, Utterance

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

MAX_TAPERED = 10

Decide = Callable[["FlowRun", datetime, str, str], Move]
"""What a node does with an input. The two texts: the keys, and those typed behind them."""

BargeIn = Annotated[bool, Field(description="Whether a key stops the prompt and counts.")]
Again = Annotated[
    PromptNames | None,
    Field(description="A shorter question for every further time; `[]` where `say` or `tapered` asks it all."),
]


class NoMatchOptions(Section):
    """What happens when the keys are none of those wanted."""

    say: PromptNames = Field(
        default=(), description="Prompts before the question is asked again, the same each time."
    )
    tapered: Annotated[Many[PromptNames], Field(max_length=MAX_TAPERED)] = Field(
        default=(), description="Instead of `say`: prompts for the first, second ... failure; the last repeat."
    )
    tries: Tries = Field(default=3, description="How often the question is asked, the first time included.")
    then: Target | None = Field(default=None, description="Where after the last try; `on_failure` without it.")

    @model_validator(mode="after")
    def _says_it_one_way(self) -> Self:
        if self.say and self.tapered:
            hint = "put what `say` has first into the list of `tapered`"
            raise fault("say-and-tapered", "give either `say` or `tapered`", hint)
        return self


class NoInputOptions(NoMatchOptions):
    """What happens when no key comes within `after_s`."""

    after_s: Seconds = Field(default=5.0, description="How long to wait for a key after the prompt.")


OnNoMatch = Annotated[NoMatchOptions, Field(description="What happens when the keys are none of those wanted.")]
OnNoInput = Annotated[NoInputOptions, Field(description="What happens when no key comes.")]


class Spoken(Protocol):
    """Something to say, worked out when it is said: a `Speech`, mostly."""

    def utterances(self, run: FlowRun, now: datetime) -> tuple[Utterance, ...]:
        """What to play now."""


@dataclass(frozen=True, slots=True)
class Retry:
    """One kind of failure. says: before the second try, the third ..., the last one repeats; then: where after
    `tries`, None for the flow's `on_failure`.
    """

    kind: str
    says: tuple[Spoken, ...]
    tries: int
    then: Go | None

    def lead(self, failures: int, run: FlowRun, now: datetime) -> tuple[Utterance, ...]:
        """What is said before the question is asked again. failures: so far, from 1."""
        return self.says[min(failures, len(self.says)) - 1].utterances(run, now) if self.says else ()

    def give_up(self) -> Go:
        """Where the flow goes after the last try. Raises NodeFailed if nothing is said for that."""
        if self.then is None:
            raise NodeFailed(f"{self.kind} after {self.tries} tries")
        return self.then


@dataclass(frozen=True, slots=True)
class Question:
    """verb: what is asked of the phone, still without prompts; again: said instead of `first` at further tries.

    phase: which of its node's questions it is.
    """

    verb: Gather
    first: Spoken
    again: Spoken
    on_silence: Retry
    on_mistake: Retry
    phase: str = ""

    def begin(self, run: FlowRun, now: datetime, decide: Decide) -> Move:
        """Ask, unless the keys are there already. The caller's failures before a crash count on."""
        typed = run.typed if self.verb.barge_in else ""
        if not typed:
            return self._ask(self.first.utterances(run, now), run.attempts)
        ahead = read_typed(self.verb, typed)
        if ahead.is_complete:
            return decide(run, now, ahead.digits, ahead.rest)
        return self._ask((), run.attempts, ahead.digits)

    def received(self, run: FlowRun, outcome: Outcome, now: datetime, decide: Decide) -> Move:
        """What follows from what came of asking: the decision, or the question again. Raises NodeFailed."""
        match outcome:
            case Gathered(digits):
                return decide(run, now, digits, "")
            case NoInput():
                return self.no_input(run, now)
        raise unexpected(outcome)

    def left_of(self, typed: str) -> str:
        """The keys behind those that answered the question, for one that asked something else before it went on."""
        return read_typed(self.verb, typed).rest

    def no_input(self, run: FlowRun, now: datetime) -> Move:
        """Ask again, or give up, after silence."""
        attempts = run.attempts._replace(no_input=run.attempts.no_input + 1)
        return self._ask_again(self.on_silence, attempts.no_input, attempts, run, now)

    def no_match(self, run: FlowRun, now: datetime) -> Move:
        """Ask again, or give up, after keys that were not wanted."""
        attempts = run.attempts._replace(no_match=run.attempts.no_match + 1)
        return self._ask_again(self.on_mistake, attempts.no_match, attempts, run, now)

    def _ask_again(self, retry: Retry, failures: int, attempts: Attempts, run: FlowRun, now: datetime) -> Move:
        if failures >= retry.tries:
            return retry.give_up()
        return self._ask(retry.lead(failures, run, now) + self.again.utterances(run, now), attempts)

    def _ask(self, prompts: tuple[Utterance, ...], attempts: Attempts, typed: str = "") -> Ask:
        verb = self.verb
        asked = Gather(
            prompts,
            verb.max_digits,
            verb.first_digit_s,
            verb.inter_digit_s,
            verb.end_key,
            verb.barge_in,
            verb.secret,
            typed,
            verb.ends,
        )
        return Ask(asked, self.phase, attempts)


def input_ends(
    wanted: Collection[str], max_digits: int, goes_on: Callable[[str], bool] | None = None
) -> tuple[str, ...]:
    """The inputs shorter than `max_digits` behind which no key can follow: for `Gather.ends`. Wrong ones are among
    them, so that nobody waits for more of those either.

    goes_on: whether an input begins something else that is wanted.
    """
    return tuple(
        one
        for one in sorted({*wanted, *KEYS})
        if len(one) < max_digits
        and not any(longer != one and longer.startswith(one) for longer in wanted)
        and not (goes_on and goes_on(one))
    )


@dataclass(frozen=True, slots=True)
class QuestionMaker:
    """Compiles the questions of one node, whose options have `no_input` and `no_match`.

    fallback: where after the last try if `then` is not given; keeps: what is to be kept whenever the node gives up.
    """

    compiler: NodeCompiler
    no_input: NoInputOptions
    no_match: NoMatchOptions
    fallback: Go | None = None
    keeps: Mapping[str, Value] | None = None

    def question(self, verb: Gather, names: Sequence[str], again: Sequence[str] | None, key: str) -> Question:
        """A question of prompts. key: the option they stand in; again: as the option of that name."""
        if again is not None and not again and not self._asks_itself:
            hint = "give it a prompt, or add `say` to `no_input` and `no_match`"
            self.compiler.report(("again",), "silent-question", "nothing is said when this is asked again", hint)
        first = self.compiler.speech(names, key)
        return self.of(verb, first, first if again is None else self.compiler.speech(again, "again"))

    def of(self, verb: Gather, first: Spoken, again: Spoken, phase: str = "") -> Question:
        """A question of anything that can be said."""
        return Question(
            verb,
            first,
            again,
            on_silence=self._retry("no_input", "no input", self.no_input),
            on_mistake=self._retry("no_match", "no match", self.no_match),
            phase=phase,
        )

    @property
    def _asks_itself(self) -> bool:
        """Whether something is said before every further try."""
        return all(one.say or one.tapered for one in (self.no_input, self.no_match))

    def _retry(self, key: str, kind: str, options: NoMatchOptions) -> Retry:
        says = [self.compiler.speech(names, key, "tapered", place) for place, names in enumerate(options.tapered)]
        if options.say:
            says = [self.compiler.speech(options.say, key, "say")]
        then = self.compiler.way(options.then, key, "then") or self.fallback
        return Retry(kind, tuple(says), options.tries, then and then.keeping(self.keeps or {}, ""))
