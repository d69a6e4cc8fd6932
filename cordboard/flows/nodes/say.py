"""`say`: a value, spoken by the rules of the caller's language.

    read_back: {say: {digits: {cel: account}}, next: confirm}
    count:     {say: {number: {cel: "waiting + 1"}}, next: menu}
    place:     {say: {ordinal: {cel: place}}, next: menu}
    deadline:  {say: {date: "2026-12-24"}, next: bye}
    clock:     {say: {time: {cel: now}}, next: bye}
    wait:      {say: {duration: {cel: wait_s}}, next: menu}
    debt:      {say: {money: {cel: balance}, currency: GBP}, next: pay}
    code:      {say: {spelled: {cel: booking}}, next: bye}

A date or time may be a moment (`now`), a text (`2026-12-24`, `15:30`, or both after ISO 8601), or a whole number:
seconds since 1970. A duration is seconds. To speak a value in the middle of a sentence, write it into the prompt:
`owed: {en: "You owe {balance|money GBP} by {due|date}."}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, cast
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from cordboard.config.validation import Section, Text, fault
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.conditions import Expression, Kind
from cordboard.flows.node import Ask, Go, Move, Node, NodeFailed, unexpected
from cordboard.flows.options import Formula, NodeOptions, Target, literal
from cordboard.flows.speaking.kinds import SPOKEN_KINDS, TYPES, SpokenKind, check_value
from cordboard.flows.speaking.rules import Rule
from cordboard.telephony.outcomes import Done, Interrupted, Outcome
from cordboard.telephony.verbs import Play

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

_LITERAL_KINDS: dict[type, Kind] = {str: "string", int: "int", float: "double"}


class What(Section):
    """Exactly one of the kinds, and what it wants to know besides."""

    number: int | float | Formula | None = Field(default=None, description="A number, with its decimals.")
    digits: Text | Formula | None = Field(default=None, description="Digits one by one, also `*` and `#`.")
    spelled: Text | Formula | None = Field(default=None, description="Letters, digits and signs one by one.")
    ordinal: int | Formula | None = Field(default=None, description="First, second, third: a whole number from 1.")
    date: Text | Formula | None = Field(default=None, description="A date: `2026-12-24`, or a moment.")
    time: Text | Formula | None = Field(default=None, description="A time of day: `15:30`, or a moment.")
    duration: int | float | Formula | None = Field(
        default=None, description="Seconds, spoken as days, hours, minutes and seconds."
    )
    money: int | float | Formula | None = Field(default=None, description="An amount of a currency.")
    currency: Annotated[Text, Field(pattern=r"^[A-Z]{3}$")] | None = Field(
        default=None, description="The currency of `money`, `GBP`; that of the flow if left out."
    )
    gender: Literal["m", "f"] | None = Field(
        default=None, description="Of what a `number` or `ordinal` counts, where the language cares: `m` or `f`."
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        written = [kind for kind in SPOKEN_KINDS if kind in self.model_fields_set]
        if len(written) != 1:
            raise fault("say-one-thing", f"say one thing: {', '.join(SPOKEN_KINDS)}", "a node for each")
        if self.value is None:
            raise fault("wrong-value", f"there is nothing to say for `{self.kind}`")
        if self.currency and self.kind != "money":
            raise fault("unfit-option", "`currency` goes with `money`", "take it out")
        if self.gender and self.kind not in ("number", "ordinal"):
            raise fault("unfit-option", "`gender` goes with `number` and `ordinal`", "take it out")
        if not isinstance(self.value, Formula):
            _check_literal(self.kind, self.value)
        return self

    @property
    def kind(self) -> SpokenKind:
        """Which of them was written."""
        return next(kind for kind in SPOKEN_KINDS if kind in self.model_fields_set)

    @property
    def value(self) -> int | float | str | Formula:
        """What was written for it."""
        return cast("int | float | str | Formula", getattr(self, self.kind))


def _check_literal(kind: SpokenKind, value: int | float | str) -> None:
    """Raises a fault for a literal that cannot be said."""
    try:
        check_value(kind, value, ZoneInfo("UTC"), datetime(2000, 1, 1, tzinfo=UTC))
    except NodeFailed as error:
        raise fault("wrong-value", str(error.__cause__ or f"`{value}` is {error}")) from None


class SayOptions(NodeOptions):
    """See the module."""

    verb: ClassVar[str] = "say"
    asks: ClassVar[bool] = True
    fails: ClassVar[bool] = True
    needs_call: ClassVar[bool] = True

    say: What = Field(description="What: a kind and its value, as written or worked out by `{cel: ...}`.")
    next: Target = Field(description="Where then.")
    barge_in: bool = Field(
        default=True, description="Whether a key stops it; the key then counts for the question that comes next."
    )

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its formula compiled, and the rule of each language."""
        kind, written = self.say.kind, self.say.value
        value: Any = written
        if isinstance(written, Formula):
            value = compiler.expression(written.cel, "say", kind, "cel", kinds=TYPES[kind])
            value_kind = value.kind
        else:
            value = literal(written)
            value_kind = _LITERAL_KINDS[type(value)]
        detail = self.say.currency or self.say.gender or ""
        rules = compiler.rules(kind, value_kind, "say", kind, detail=detail)
        return SayNode(rules, value, self.barge_in, compiler.way(self.next, "next"))


@dataclass(frozen=True, slots=True)
class SayNode(Node):
    """Says one value, then goes on. value: an Expression, or what was written; keys: whether one stops it."""

    rules: Mapping[str, Rule]
    value: Any
    keys: bool
    next: Go

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Say it; nothing at all for no digits, and to a caller who has keyed on already."""
        if self.keys and run.typed:
            return self.next
        value = self.value.evaluate(run.facts(now)) if isinstance(self.value, Expression) else self.value
        utterances = self.rules[run.language].utterances(value, now)
        return Ask(Play(utterances, self.keys)) if utterances else self.next

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """Said, or stopped by a key, which the run has kept."""
        if not isinstance(outcome, Done | Interrupted):
            raise unexpected(outcome)
        return self.next


OPTIONS = SayOptions
