"""`hours`: one way when open, another when closed.

    opening:
      hours:
        zone: Europe/London
        week: {mon-fri: "9:00-17:30", sat: ["10:00-12:00", "13:00-16:00"]}
        exceptions: {2026-12-24: "9:00-12:00", 12-25: closed}
        holidays:
          country: GB
          region: ENG
          hours: "10:00-14:00"
          except: [2026-08-31]
          also: {2026-06-05: staff day}
      open: menu
      closed: night
      holiday: happy_holidays

Spans may go over midnight ("22:00-6:00") and end at "24:00". Days not named are closed. An exception replaces
the hours that begin on its date; `12-25` is that day of every year. zone: the flow's, unless given.

Holidays are the public ones of a country or, with `region`, of a part of it, days in lieu included. It is closed on
them unless their `hours` say more, and an exception on the same date goes first. `holiday` is where callers go who
come on a holiday while it is closed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar
from zoneinfo import ZoneInfo

from pydantic import Field

from cordboard.config.opening_hours import Date, OpeningHours, parse_date
from cordboard.config.validation import Many, Section, Text, closest
from cordboard.config.written_hours import DateText, DaysText, SpanTexts, Zone, exceptions_of, spans_of, week_of
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.holiday_calendar import HolidayCalendar, countries
from cordboard.flows.node import Go, Node
from cordboard.flows.options import NodeOptions, Target

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

_HOLIDAYS = ("hours", "holidays")


class Holidays(Section):
    """The public holidays of a country or a part of it."""

    country: Text | None = Field(None, description="Two letters, `GB`; the `country` of cordboard.yaml without it.")
    region: Text | None = Field(
        None,
        description="The code of a state, province or the like, `ENG`; holidays of the whole country without it.",
    )
    hours: SpanTexts = Field((), description="When it is open on holidays; `closed` without it.")
    except_: Many[DateText] = Field((), alias="except", description="Holidays on which the usual hours hold.")
    also: dict[DateText, Text] = Field(
        default_factory=dict, description="More holidays, each with what it is, for those who read the file."
    )


class Hours(Section):
    """When it is open."""

    zone: Zone | None = Field(None, description="The time zone; the flow's without it.")
    week: dict[DaysText, SpanTexts] = Field(
        description="Days (`mon`, `mon-fri`, `mon,wed`) and their spans; those not named are closed."
    )
    exceptions: dict[DateText, SpanTexts] = Field(
        default_factory=dict, description="What holds on a date instead; `12-25` for that day of every year."
    )
    holidays: Holidays | None = Field(
        None, description="Public holidays, on which it is closed or has other hours."
    )


class HoursOptions(NodeOptions):
    """One way when open, another when closed, by the clock on the wall of the zone."""

    verb: ClassVar[str] = "hours"

    hours: Hours = Field(description="When it is open.")
    open: Target = Field(description="Where when it is open.")
    closed: Target = Field(description="Where when it is closed.")
    holiday: Target | None = Field(None, description="Where when it is closed on a holiday; `closed` without it.")

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its hours parsed."""
        written = self.hours
        if self.holiday is not None and written.holidays is None:
            hint = "say in `hours` which: `holidays: {country: GB}`"
            compiler.report(("holiday",), "no-holidays", "this is never taken: there are no holidays", hint)
        hours = OpeningHours(
            zone=ZoneInfo(written.zone) if written.zone else compiler.names.zone,
            week=week_of(written.week),
            exceptions=exceptions_of(written.exceptions),
            holidays=_calendar(compiler, written.holidays) if written.holidays else None,
        )
        closed = compiler.way(self.closed, "closed")
        holiday = compiler.way(self.holiday, "holiday") or closed
        return HoursNode(hours, compiler.way(self.open, "open"), closed, holiday)


def _dates(written: Iterable[str]) -> frozenset[Date]:
    return frozenset(map(parse_date, written))


def _calendar(compiler: NodeCompiler, written: Holidays) -> HolidayCalendar | None:
    """The calendar of a country and a region that there are; None with findings."""
    country = written.country or compiler.names.surroundings.country
    if not country:
        if compiler.names.surroundings.is_known:
            compiler.report(_HOLIDAYS, "no-country", "whose holidays?", "write for instance `country: GB`")
        return None
    if country not in countries():
        hint = closest(country, countries()) or "write two letters: GB for the United Kingdom, ES for Spain"
        message = f"there is no calendar of holidays for `{country}`"
        compiler.report((*_HOLIDAYS, "country"), "unknown-country", message, hint)
        return None
    regions = countries()[country]
    if written.region is not None and written.region not in regions:
        hint = closest(written.region, regions) or f"known: {', '.join(regions) or 'none'}"
        message = f"{country} has no region `{written.region}` with holidays of its own"
        compiler.report((*_HOLIDAYS, "region"), "unknown-region", message, hint)
        return None
    calendar = HolidayCalendar(
        country, written.region or "", spans_of(written.hours), _dates(written.except_), _dates(written.also)
    )
    calendar.prepare()
    return calendar


@dataclass(frozen=True, slots=True)
class HoursNode(Node):
    """Looks at the clock. holiday: where when it is closed on a holiday."""

    hours: OpeningHours
    open: Go
    closed: Go
    holiday: Go

    def enter(self, run: FlowRun, now: datetime) -> Go:
        """Go where the hours lead now."""
        if self.hours.is_open(now):
            return self.open
        return self.holiday if self.hours.is_holiday(now) else self.closed


OPTIONS = HoursOptions
