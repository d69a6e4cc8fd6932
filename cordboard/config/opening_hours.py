"""Whether somebody is there: weekly hours with exceptions and holidays, in a time zone.

Used by the `hours` node and by the hours of queues. The clock on the wall of the zone decides: "1:30-3:00" is open
whenever that clock shows 1:30 to 2:59, on the days it is put forward or back as well (RFC 5545 would open an hour
late in the first case). A span over midnight belongs to the day it begins on, and a date's exception replaces what
begins on that date, as a holiday does; on a holiday that has an exception the exception counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

Span = tuple[
    int, int
]  # minutes since midnight, the second one excluded; 1440 is 24:00; over midnight if it is less
Spans = tuple[Span, ...]
Date = tuple[int, int, int]  # year, month, day; year 0 for every year

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MIDNIGHT = 24 * 60
_ONE_DAY = timedelta(days=1)
_TIME = re.compile(r"(\d{1,2}):(\d{2})")


class Holidays(Protocol):
    """Dates with hours of their own; see `holiday_calendar`."""

    @property
    def spans(self) -> Spans:
        """When it is open on one of them."""

    def is_holiday(self, day: date) -> bool:
        """Whether a date is one of them."""


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """week: spans of the seven days from Monday; exceptions: of single dates instead."""

    zone: ZoneInfo
    week: tuple[Spans, ...]
    exceptions: Mapping[Date, Spans] = field(default_factory=dict)
    holidays: Holidays | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether it is open at a moment. now: aware."""
        local = now.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        today = local.date()
        if any(_covers(span, minute) for span in self.spans_on(today)):
            return True
        return any(end < start and minute < end for start, end in self.spans_on(today - _ONE_DAY))

    def is_holiday(self, now: datetime) -> bool:
        """Whether it is a holiday where the zone is. now: aware."""
        return self.holidays is not None and self.holidays.is_holiday(now.astimezone(self.zone).date())

    def spans_on(self, day: date) -> Spans:
        """The spans which begin on a day."""
        for exception in dates_of(day):
            if exception in self.exceptions:
                return self.exceptions[exception]
        if self.holidays is not None and self.holidays.is_holiday(day):
            return self.holidays.spans
        return self.week[day.weekday()]


def dates_of(day: date) -> tuple[Date, Date]:
    """How a day may be written: with its year, and for every year."""
    return (day.year, day.month, day.day), (0, day.month, day.day)


def falls_on(day: date, dates: Collection[Date]) -> bool:
    """Whether a day is among these dates."""
    return any(one in dates for one in dates_of(day))


def _covers(span: Span, minute: int) -> bool:
    start, end = span
    return start <= minute and (minute < end or end < start)


def parse_days(text: str) -> tuple[int, ...]:
    """Days of the week, 0 for Monday, from "mon-fri", "sat" or "mon,wed,fri". Raises ValueError."""
    days: list[int] = []
    for part in text.replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        start, end = _day(first), _day(last if dash else first)
        days += [(start + step) % 7 for step in range((end - start) % 7 + 1)]
    return tuple(dict.fromkeys(days))


def _day(text: str) -> int:
    if text not in DAYS:
        raise ValueError(f"`{text}` is no day; write {', '.join(DAYS)}, or a range such as mon-fri")
    return DAYS.index(text)


def parse_date(text: str) -> Date:
    """A date from "2026-12-25", or of every year from "12-25". Raises ValueError."""
    found = re.fullmatch(r"(?:(\d{4})-)?(\d{2})-(\d{2})", text)
    if not found:
        raise ValueError(f"`{text}` is no date; write 2026-12-25, or 12-25 for every year")
    year, month, day = int(found[1] or 0), int(found[2]), int(found[3])
    try:
        date(year or 2000, month, day)  # 2000 has a 29 February
    except ValueError:
        raise ValueError(f"there is no such date as {text}") from None
    return year, month, day


def parse_span(text: str) -> Span:
    """Minutes from "9:00-17:30"; "22:00-6:00" goes over midnight. Raises ValueError."""
    first, dash, last = text.replace(" ", "").partition("-")
    if not dash:
        raise ValueError(f"`{text}` is no span of time; write for instance 9:00-17:30, or closed")
    start, end = parse_time(first), parse_time(last)
    if start in (end, _MIDNIGHT):
        raise ValueError(f"`{text}` begins where it ends; for a whole day write 0:00-24:00")
    return start, end


def parse_time(text: str) -> int:
    """Minutes since midnight from "9:30"; "24:00" is the end of the day. Raises ValueError."""
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError(f"`{text}` is no time of day; write for instance 9:00 or 17:30")
    minutes = int(found[1]) * 60 + int(found[2])
    if int(found[2]) > 59 or minutes > _MIDNIGHT:
        raise ValueError(f"there is no such time as {text}")
    return minutes
