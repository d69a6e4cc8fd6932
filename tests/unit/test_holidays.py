"""Public holidays in opening hours: countries, regions, what an admin adds and takes away, and the `hours` node."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from cordboard.config.opening_hours import OpeningHours, parse_date
from cordboard.flows.holiday_calendar import HolidayCalendar, countries
from tests.doubles.flow_kit import AROUND, answered, faults_of, flow_of, text_of

ENGLAND = HolidayCalendar("GB", "ENG")
NINE_TO_FIVE = ((9 * 60, 17 * 60),)


@pytest.mark.parametrize(
    ("calendar", "day", "is_holiday"),
    [
        (ENGLAND, "2026-12-25", True),
        (ENGLAND, "2026-12-28", True),  # the Monday in lieu of a Saturday's Boxing Day
        (ENGLAND, "2026-12-24", False),
        (ENGLAND, "2026-04-06", True),  # Easter Monday
        (HolidayCalendar("GB", "SCT"), "2026-04-06", False),
        (HolidayCalendar("GB", "SCT"), "2026-11-30", True),  # Saint Andrew
        (ENGLAND, "2026-11-30", False),
        (HolidayCalendar("US"), "2026-07-03", True),  # Independence Day is a Saturday
        (HolidayCalendar("DE", "BY"), "2026-11-01", True),
        (HolidayCalendar("DE", "BE"), "2026-11-01", False),
        (ENGLAND, "2150-12-25", False),  # further than anybody has reckoned
    ],
)
def test_public_holidays(calendar: HolidayCalendar, day: str, is_holiday: bool) -> None:
    assert calendar.is_holiday(date.fromisoformat(day)) is is_holiday


def test_an_admin_adds_and_leaves_out() -> None:
    own = replace(
        ENGLAND,
        left_out=frozenset({parse_date("2026-12-28"), parse_date("01-01")}),
        added=frozenset({parse_date("2026-06-05"), parse_date("06-24")}),
    )
    assert not own.is_holiday(date(2026, 12, 28))
    assert not own.is_holiday(date(2027, 1, 1))
    assert own.is_holiday(date(2026, 6, 5))
    assert not own.is_holiday(date(2027, 6, 5))
    assert own.is_holiday(date(2031, 6, 24))


def test_a_holiday_has_its_hours_unless_an_exception_has_others() -> None:
    office = OpeningHours(
        ZoneInfo("Europe/London"),
        (NINE_TO_FIVE,) * 7,
        {parse_date("2026-12-28"): ((11 * 60, 12 * 60),)},
        replace(ENGLAND, spans=((10 * 60, 14 * 60),)),
    )

    def is_open(day: int, hour: int) -> bool:
        return office.is_open(datetime(2026, 12, day, hour, tzinfo=UTC))

    assert [is_open(24, hour) for hour in (9, 16)] == [True, True]
    assert [is_open(25, hour) for hour in (9, 13, 14)] == [False, True, False]
    assert [is_open(28, hour) for hour in (10, 11, 13)] == [False, True, False]


def test_whose_day_it_is_is_the_zones_matter() -> None:
    new_year = OpeningHours(ZoneInfo("Asia/Tokyo"), (), {}, HolidayCalendar("JP"))
    assert new_year.is_holiday(datetime(2026, 12, 31, 15, tzinfo=UTC))
    assert not new_year.is_holiday(datetime(2026, 12, 31, 14, 59, tzinfo=UTC))


def test_a_night_that_began_on_a_working_day_goes_on_into_the_holiday() -> None:
    nights = OpeningHours(ZoneInfo("UTC"), (((22 * 60, 6 * 60),),) * 7, {}, ENGLAND)
    assert nights.is_open(datetime(2026, 12, 25, 5, tzinfo=UTC))
    assert not nights.is_open(datetime(2026, 12, 25, 23, tzinfo=UTC))
    assert not nights.is_open(datetime(2026, 12, 26, 5, tzinfo=UTC)), "the night of Christmas"


HOURS = """
    a:
      hours:
        week: {mon-sun: "9:00-17:00"}
        holidays: {country: GB, region: ENG, except: [2026-05-04], also: {2026-06-05: staff day}}
      open: o
      closed: c
      holiday: h
    o: {play: hello, next: bye}
    c: {play: ask, next: bye}
    h: {play: sorry, next: bye}
"""


@pytest.mark.parametrize(
    ("moment", "way"),
    [
        ("2026-12-24T12:00", "o"),
        ("2026-12-24T18:00", "c"),
        ("2026-12-25T12:00", "h"),
        ("2026-05-04T12:00", "o"),
        ("2026-05-04T18:00", "c"),
        ("2026-06-05T12:00", "h"),
    ],
)
def test_a_holiday_has_a_way_of_its_own(moment: str, way: str) -> None:
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert answered(flow_of(HOURS), now).entered == ("a", way)


def test_without_a_way_of_its_own_a_holiday_is_closed() -> None:
    flow = flow_of(HOURS.replace("      holiday: h\n", ""))
    assert answered(flow, datetime(2026, 12, 25, 12, tzinfo=UTC)).entered == ("a", "c")


def test_the_country_of_the_settings_is_the_default() -> None:
    text = HOURS.replace("country: GB, ", "")
    flow = flow_of(text, around=replace(AROUND, country="GB"))
    assert answered(flow, datetime(2026, 12, 25, 12, tzinfo=UTC)).entered == ("a", "h")


@pytest.mark.parametrize(
    ("holidays", "code", "hint"),
    [
        ("{country: XX}", "unknown-country", "two letters"),
        ("{country: England}", "unknown-country", "two letters"),
        ("{country: GB, region: EMG}", "unknown-region", "ENG"),
        ("{region: ENG}", "no-country", "country: GB"),
        ("{country: GB, hours: 9-17}", "wrong-value", ""),
        ("{country: GB, except: [boxing day]}", "wrong-value", ""),
    ],
)
def test_holidays_nobody_knows(holidays: str, code: str, hint: str) -> None:
    text = f"a: {{hours: {{week: {{mon: '9:00-17:00'}}, holidays: {holidays}}}, open: bye, closed: bye}}"
    (found,) = faults_of(text_of(text))
    assert found.code == code
    assert hint in found.hint


def test_a_way_for_holidays_needs_holidays() -> None:
    text = "a: {hours: {week: {mon: '9:00-17:00'}}, open: bye, closed: bye, holiday: bye}"
    assert [found.code for found in faults_of(text_of(text))] == ["no-holidays"]


def test_every_country_can_be_asked() -> None:
    """Whatever country an admin writes, no call finds out that it cannot be reckoned."""
    for country, regions in countries().items():
        HolidayCalendar(country, next(iter(regions), "")).is_holiday(date(2027, 1, 1))
