"""`hours`: one way when open, another when closed.

    opening:
      hours:
        zone: Europe/London
        week: {mon-fri: "9:00-17:30", sat: ["10:00-12:00", "13:00-16:00"]}
        exceptions: {2026-12-24: "9:00-12:00", 12-25: closed}
      open: menu
      closed: night

Spans may go over midnight ("22:00-6:00") and end at "24:00". Days not named are closed. An exception replaces
the hours that begin on its date; `12-25` is that day of every year. zone: the flow's, unless given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

from cordboard.config.validation import Many, Section, Text
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.node import Go, Node
from cordboard.flows.opening_hours import DAYS, OpeningHours, parse_date, parse_days, parse_span
from cordboard.flows.options import NodeOptions
from cordboard.flows.schema import Zone

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

_CLOSED = "closed"


def _spans_written(value: object) -> object:
    """`closed` is no span, one text is one span."""
    if value == _CLOSED:
        return []
    return [value] if isinstance(value, str) else value


def _if_parsed(parse: Callable[[str], object]) -> AfterValidator:
    """A validator that leaves a text as it is, if it can be parsed."""

    def validator(text: str) -> str:
        parse(text)
        return text

    return AfterValidator(validator)


SpanText = Annotated[Text, _if_parsed(parse_span)]
DaysText = Annotated[Text, _if_parsed(parse_days)]
DateText = Annotated[Text, _if_parsed(parse_date)]
SpanTexts = Annotated[Many[SpanText], BeforeValidator(_spans_written)]


class Hours(Section):
    """When it is open."""

    zone: Zone | None = None
    week: dict[DaysText, SpanTexts]
    exceptions: dict[DateText, SpanTexts] = Field(default_factory=dict)


class HoursOptions(NodeOptions):
    """See the module."""

    verb: ClassVar[str] = "hours"

    hours: Hours
    open: Text
    closed: Text

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its hours parsed."""
        written = self.hours
        hours = OpeningHours(
            zone=ZoneInfo(written.zone) if written.zone else compiler.names.zone,
            week=tuple(tuple(self._spans_of(day)) for day in range(len(DAYS))),
            exceptions={
                parse_date(day): tuple(map(parse_span, spans)) for day, spans in written.exceptions.items()
            },
        )
        return HoursNode(hours, compiler.target(self.open, "open"), compiler.target(self.closed, "closed"))

    def _spans_of(self, day: int) -> Iterator[tuple[int, int]]:
        for days, spans in self.hours.week.items():
            if day in parse_days(days):
                yield from map(parse_span, spans)


@dataclass(frozen=True, slots=True)
class HoursNode(Node):
    """Looks at the clock."""

    hours: OpeningHours
    open: str
    closed: str

    def enter(self, run: FlowRun, now: datetime) -> Go:
        """Go where the hours lead now."""
        return Go(self.open if self.hours.is_open(now) else self.closed)


OPTIONS = HoursOptions
