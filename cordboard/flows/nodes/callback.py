"""`callback`: offers to call back later, and notes where to.

    call_me:
      callback: sales
      offer: shall_we_call_you
      confirm: your_number_is
      is_it_right: yes_1_no_2
      ask_number: enter_your_number
      country: GB
      next: we_will_call
      declined: sales
      already: we_will_call
      otherwise: sorry

The offer is answered with `yes_key` or `no_key`. With `confirm` the caller hears it, then the digits, then
`is_it_right`, and answers with the same keys; who says no, or calls from no number, enters another one if there is
`ask_number`. Without `confirm` nothing is read back.

What came of it is kept as `callback.booked` (true or false) and `callback.number` (as it was entered, "" for the
caller's own). A caller has one of a queue at a time; who asks again goes to `already`.

Where the queue has `callback:` in queues.yaml, it calls by itself when an agent is about to be free. Who asks while
they have a place in that queue (by `step_out` of the `queue` node) keeps it, with its time and priority; others get
one as of now. Otherwise people call back: `cordboard queue callbacks` lists whom.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field, model_validator

from cordboard.config.validation import Text, fault
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.conditions import Value
from cordboard.flows.node import NO_ATTEMPTS, Ask, Go, Move, Node, NodeFailed, unexpected
from cordboard.flows.options import Declaration, NodeOptions, PromptNames, Seconds, Target, VariableName
from cordboard.flows.question import (
    BargeIn,
    NoInputOptions,
    NoMatchOptions,
    OnNoInput,
    OnNoMatch,
    Question,
    QuestionMaker,
)
from cordboard.flows.speaking.rules import Rule
from cordboard.flows.speech import Speech
from cordboard.telephony.outcomes import CallbackBooked, CallbackRefused, Gathered, NoInput, Outcome
from cordboard.telephony.verbs import Gather, RequestCallback, Utterance

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

_OFFER, _CONFIRM, _NUMBER, _BOOKING = "offer", "confirm", "number", "booking"

Key = Annotated[Text, Field(pattern=r"^[0-9*#]$")]
Digits = Annotated[int, Field(ge=3, le=15)]


class CallbackOptions(NodeOptions):
    """Offers to call back later, and notes where to. The queue dials if it has `callback:`, or people do."""

    verb: ClassVar[str] = "callback"
    asks: ClassVar[bool] = True
    fails: ClassVar[bool] = True
    needs_call: ClassVar[bool] = True

    callback: Text = Field(description="The queue that calls back; who waits in it keeps the place.")
    offer: Annotated[PromptNames, Field(min_length=1)] = Field(description="The offer: a prompt or a list.")
    yes_key: Key = Field("1", description="Takes the offer, and says that the number is right.")
    no_key: Key = Field("2", description="Declines, and says that the number is wrong.")
    confirm: PromptNames = Field((), description="Prompts before the number is read back; it is not without them.")
    is_it_right: PromptNames = Field((), description="Prompts after the number.")
    ask_number: PromptNames = Field((), description="The question for another number; there is none without it.")
    min_digits: Digits = Field(5, description="How many digits a number has at least.")
    max_digits: Digits = Field(15, description="How many digits a number has at most.")
    country: Text | None = Field(
        None, description="Whose national numbers are understood, `GB`; as in cordboard.yaml without it."
    )
    priority: Annotated[int, Field(ge=-99, le=99)] = Field(0, description="Higher is called back first.")
    save: VariableName = Field("callback", description="The name of what came of it.")
    next: Target = Field(description="Where when the callback is noted.")
    declined: Target = Field(description="Where for who wants none, or does not answer.")
    already: Target | None = Field(
        None, description="Where for who has a callback of this queue to come; `otherwise` without it."
    )
    otherwise: Target | None = Field(
        None, description="Where if it cannot be noted, for want of a number for instance; `on_failure` without it."
    )
    no_input: OnNoInput = NoInputOptions()
    no_match: OnNoMatch = NoMatchOptions()
    inter_digit_s: Seconds = Field(3.0, description="How long to wait for each next digit of a number.")
    barge_in: BargeIn = True

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.yes_key == self.no_key:
            raise fault("same-key", f"`yes_key` and `no_key` are both {self.yes_key}", "give them different keys")
        if self.min_digits > self.max_digits:
            message = f"`min_digits` {self.min_digits} is more than `max_digits` {self.max_digits}"
            raise fault("out-of-range", message)
        if self.confirm and not self.is_it_right:
            hint = f"add `is_it_right:` with a prompt that says what {self.yes_key} and {self.no_key} do"
            raise fault("missing-key", "`is_it_right` is missing: the number is read back, and nothing asked", hint)
        return self

    def declares(self) -> Iterator[Declaration]:
        """What came of it."""
        yield Declaration(f"{self.save}.number", ("save",), kind="string", is_extra=True)
        yield Declaration(f"{self.save}.booked", ("save",), kind="bool", is_extra=True)

    def left_out(self) -> Iterator[tuple[str | int, ...]]:
        """Where it cannot be noted; who does not answer has declined."""
        if self.otherwise is None:
            yield ("otherwise",)

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its questions."""
        self._check_country(compiler)
        kept = Kept(f"{self.save}.number", f"{self.save}.booked")
        declined = compiler.way(self.declined, "declined").keeping(kept.nothing, "")
        maker = QuestionMaker(compiler, self.no_input, self.no_match, fallback=declined, keeps=kept.nothing)
        return CallbackNode(
            questions=dict(self._questions(maker, kept)),
            request=RequestCallback(
                compiler.queue(self.callback, "callback"), "", "", self.priority, self.country or ""
            ),
            yes_key=self.yes_key,
            no_key=self.no_key,
            lengths=range(self.min_digits, self.max_digits + 1),
            kept=kept,
            here=Go(compiler.node, "ask_number"),
            next=compiler.way(self.next, "next"),
            declined=declined,
            already=compiler.way(self.already, "already"),
            otherwise=compiler.way(self.otherwise, "otherwise"),
        )

    def _questions(self, maker: QuestionMaker, kept: Kept) -> Iterator[tuple[str, Question]]:
        """By phase; those that have no prompts are left out."""
        offer = maker.compiler.speech(self.offer, "offer")
        yield _OFFER, maker.of(self._verb(1), offer, offer, _OFFER)
        if self.confirm:
            before = maker.compiler.speech(self.confirm, "confirm")
            after = maker.compiler.speech(self.is_it_right, "is_it_right")
            read_back = ReadBack(before, after, maker.compiler.rules("digits", "string", "confirm"), kept)
            yield _CONFIRM, maker.of(self._verb(1), read_back, read_back, _CONFIRM)
        if self.ask_number:
            ask = maker.compiler.speech(self.ask_number, "ask_number")
            yield _NUMBER, maker.of(self._verb(self.max_digits), ask, ask, _NUMBER)

    def _verb(self, max_digits: int) -> Gather:
        return Gather(
            (),
            max_digits=max_digits,
            first_digit_s=self.no_input.after_s,
            inter_digit_s=self.inter_digit_s,
            end_key="#" if max_digits > 1 else "",
            barge_in=self.barge_in,
        )

    def _check_country(self, compiler: NodeCompiler) -> None:
        if self.country is not None and not (self.country.isalpha() and self.country.isupper()):
            message = f"`{self.country}` is no country"
            compiler.report(("country",), "unknown-country", message, "write two letters, for instance GB")


@dataclass(frozen=True, slots=True)
class Kept:
    """The names of the variables. number: what the caller entered; "" while it is their own."""

    number: str
    booked: str

    @property
    def nothing(self) -> dict[str, Value]:
        """What is kept if there will be no callback."""
        return {self.number: "", self.booked: False}

    def entered(self, run: FlowRun) -> str:
        """The number that the caller has entered at this offer."""
        return "" if run.variables.get(self.booked) else str(run.variables.get(self.number, ""))

    def to_call(self, run: FlowRun) -> str:
        """The number to call back, as far as there is one."""
        own = run.call.ani if any(map(str.isdigit, run.call.ani)) else ""
        return self.entered(run) or own


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Says the number, digit by digit, between two speeches."""

    before: Speech
    after: Speech
    rules: Mapping[str, Rule]
    kept: Kept

    def utterances(self, run: FlowRun, now: datetime) -> tuple[Utterance, ...]:
        """What to play now."""
        digits = "".join(filter(str.isdigit, self.kept.to_call(run)))
        said = self.rules[run.language].utterances(digits, now)
        return (*self.before.utterances(run, now), *said, *self.after.utterances(run, now))


@dataclass(frozen=True, slots=True)
class CallbackNode(Node):
    """Offers, asks for the number or has it confirmed, books.

    questions: by phase; the offer is always there. request: what is asked of the service, still without number and
    language. here: this node itself, entered again with a number.
    """

    questions: Mapping[str, Question]
    request: RequestCallback
    yes_key: str
    no_key: str
    lengths: range
    kept: Kept
    here: Go
    next: Go
    declined: Go
    already: Go | None
    otherwise: Go | None

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Offer; or, with a number that was entered, go on from there."""
        if self.kept.entered(run):
            return self._confirm(run, now)
        return self.questions[_OFFER].begin(run, now, self._take_offer)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """Follow the caller's answers, and at last the service's."""
        match outcome:
            case Gathered(digits) if run.phase in self.questions:
                take = {_OFFER: self._take_offer, _CONFIRM: self._take_confirmation, _NUMBER: self._take_number}
                return take[run.phase](run, now, digits, "")
            case NoInput() if run.phase in self.questions:
                return self.questions[run.phase].no_input(run, now)
            case CallbackBooked():
                return self.next.keeping({self.kept.number: self.kept.entered(run), self.kept.booked: True}, "")
            case CallbackRefused(reason):
                return self._refused(reason, run, now)
        raise unexpected(outcome)

    def _take_offer(self, run: FlowRun, now: datetime, digits: str, rest: str) -> Move:
        if digits == self.yes_key:
            at_next = _at_next_question(run, rest)
            return self._confirm(at_next, now) if self.kept.to_call(run) else self._ask_number(at_next, now)
        return self.declined if digits == self.no_key else self.questions[_OFFER].no_match(run, now)

    def _take_confirmation(self, run: FlowRun, now: datetime, digits: str, rest: str) -> Move:
        if digits == self.yes_key:
            return self._book(run)
        if digits == self.no_key:
            return self._ask_number(_at_next_question(run, rest), now)
        return self.questions[_CONFIRM].no_match(run, now)

    def _take_number(self, run: FlowRun, now: datetime, digits: str, rest: str) -> Move:
        if digits.isdecimal() and len(digits) in self.lengths:
            return self.here.keeping({self.kept.number: digits, self.kept.booked: False}, rest)
        return self.questions[_NUMBER].no_match(run, now)

    def _confirm(self, run: FlowRun, now: datetime) -> Move:
        question = self.questions.get(_CONFIRM)
        return question.begin(run, now, self._take_confirmation) if question else self._book(run)

    def _ask_number(self, run: FlowRun, now: datetime) -> Move:
        """Ask for another number; without that question there is none to call."""
        question = self.questions.get(_NUMBER)
        if question is not None:
            return question.begin(run, now, self._take_number)
        return self.declined if self.kept.to_call(run) else self._refused("number", run, now)

    def _book(self, run: FlowRun) -> Ask:
        asked = self.request
        number = self.kept.to_call(run)
        return Ask(RequestCallback(asked.queue, number, run.language, asked.priority, asked.country), _BOOKING)

    def _refused(self, reason: str, run: FlowRun, now: datetime) -> Move:
        """Ask for another number if that may help; else go where the admin says."""
        if reason == "number" and _NUMBER in self.questions:
            return self.questions[_NUMBER].no_match(_at_next_question(run, ""), now)
        way = (self.already if reason == "already" else None) or self.otherwise
        if way is None:
            raise NodeFailed(f"no callback ({reason}), and `otherwise` is not given")
        return way.keeping(self.kept.nothing, "")


def _at_next_question(run: FlowRun, typed: str) -> FlowRun:
    """The run as the node's next question shall see it: without failures at the last one."""
    return replace(run, attempts=NO_ATTEMPTS, typed=typed)


OPTIONS = CallbackOptions
