"""`say`: a number, digits, a date or a time, spoken by the rules of the caller's language.

    read_back: {say: {digits: {cel: account}}, next: confirm}
    count:     {say: {number: {cel: "waiting + 1"}}, next: menu}
    deadline:  {say: {date: "2026-12-24"}, next: bye}
    clock:     {say: {time: {cel: now}}, next: bye}

A date or time may be a moment (`now`), or a whole number: seconds since 1970.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast, get_args
from zoneinfo import ZoneInfo

from pydantic import model_validator

from cordboard.config.validation import Section, Text, fault
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.conditions import Expression, Kind
from cordboard.flows.node import Ask, Go, Move, Node, NodeFailed, unexpected
from cordboard.flows.opening_hours import parse_date, parse_time
from cordboard.flows.options import Formula, NodeOptions
from cordboard.telephony.outcomes import Done, Outcome
from cordboard.telephony.verbs import Say, SayKind

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

_MAX_NUMBER = 999_999_999
_DIGITS = re.compile(r"[0-9*#]{0,64}")
_FORMULA_KINDS: dict[SayKind, tuple[Kind, ...]] = {
    "number": ("int",),
    "digits": ("string", "int"),
    "date": ("timestamp", "int"),
    "time": ("timestamp", "int"),
}


class What(Section):
    """Exactly one of these."""

    number: int | Formula | None = None
    digits: Text | Formula | None = None
    date: Text | Formula | None = None
    time: Text | Formula | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise fault("say-one-thing", "say one thing: number, digits, date or time", "a node for each")
        _check_literal(self.kind, self.value)
        return self

    @property
    def kind(self) -> SayKind:
        """Which of them was written."""
        return cast(SayKind, next(iter(self.model_fields_set)))

    @property
    def value(self) -> int | str | Formula:
        """What was written for it."""
        return cast("int | str | Formula", getattr(self, self.kind))


def _check_literal(kind: SayKind, value: object) -> None:
    """Raises a fault for a literal that cannot be said."""
    if value is None:
        raise fault("wrong-value", f"there is nothing to say for `{kind}`")
    if isinstance(value, Formula):
        return
    try:
        _literal_text(kind, value, datetime(2000, 1, 1, tzinfo=ZoneInfo("UTC")))
    except (NodeFailed, ValueError) as error:
        raise fault("wrong-value", str(error)) from None


class SayOptions(NodeOptions):
    """See the module."""

    verb: ClassVar[str] = "say"

    say: What
    next: Text

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its formula compiled."""
        kind, value = self.say.kind, self.say.value
        if isinstance(value, Formula):
            value_or_formula: object = compiler.expression(
                value.cel, "say", kind, "cel", kinds=_FORMULA_KINDS[kind]
            )
        else:
            value_or_formula = value
        return SayNode(kind, value_or_formula, compiler.names.zone, compiler.target(self.next, "next"))


@dataclass(frozen=True, slots=True)
class SayNode(Node):
    """Says one value, then goes on. value: an Expression, or what was written."""

    kind: SayKind
    value: object
    zone: ZoneInfo
    next: str

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Say it; nothing at all for no digits."""
        text = self._text(run, now)
        if not text:
            return Go(self.next)
        return Ask(Say(self.kind, text, run.language, self.zone.key))

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """Said."""
        if not isinstance(outcome, Done):
            raise unexpected(outcome)
        return Go(self.next)

    def _text(self, run: FlowRun, now: datetime) -> str:
        if isinstance(self.value, Expression):
            return _text_of(self.kind, self.value.evaluate(run.facts(now)))
        return _literal_text(self.kind, self.value, now.astimezone(self.zone))


def _text_of(kind: SayKind, value: Any) -> str:
    """A value as the verb wants it. Raises NodeFailed, without the value, if it cannot be said."""
    if isinstance(value, datetime):
        return str(int(value.timestamp()))
    text = str(value)
    if kind == "digits" and not _DIGITS.fullmatch(text):
        raise NodeFailed("not only digits, * and #, or more than 64 of them")
    if kind == "number" and abs(int(text)) > _MAX_NUMBER:
        raise NodeFailed(f"a number beyond {_MAX_NUMBER:,}")
    return text


def _literal_text(kind: SayKind, value: object, local: datetime) -> str:
    """A literal as the verb wants it. local: now, in the flow's zone. Raises ValueError or NodeFailed."""
    if kind == "date":
        year, month, day = parse_date(str(value))
        return str(int(datetime(year or local.year, month, day, 12, tzinfo=local.tzinfo).timestamp()))
    if kind == "time":
        hour, minute = divmod(parse_time(str(value)) % 1440, 60)
        return str(int(datetime.combine(local.date(), time(hour, minute), local.tzinfo).timestamp()))
    return _text_of(kind, value)


assert set(_FORMULA_KINDS) == set(get_args(SayKind))
OPTIONS = SayOptions
