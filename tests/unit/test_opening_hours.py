"""Opening hours by the clock on the wall, over midnight, on exceptions, and when the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.config.opening_hours import OpeningHours, Spans, parse_date, parse_days, parse_span, parse_time

LONDON = ZoneInfo("Europe/London")


def hours(week: dict[str, list[str]], exceptions: dict[str, list[str]] | None = None) -> OpeningHours:
    def spans_of(day: int) -> Spans:
        return tuple(parse_span(span) for days, spans in week.items() if day in parse_days(days) for span in spans)

    closed_or_other = {parse_date(day): tuple(map(parse_span, spans)) for day, spans in (exceptions or {}).items()}
    return OpeningHours(LONDON, tuple(spans_of(day) for day in range(7)), closed_or_other)


def at(text: str) -> datetime:
    """A moment by the clock of London."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


OFFICE = hours({"mon-fri": ["9:00-12:30", "13:30-17:30"], "sat": ["10:00-12:00"]})


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23T08:59:59", False),
        ("2026-11-23T09:00:00", True),
        ("2026-11-23T12:29:59", True),
        ("2026-11-23T12:30:00", False),
        ("2026-11-23T17:29:59.999", True),
        ("2026-11-23T17:30:00", False),
        ("2026-11-28T11:00:00", True),
        ("2026-11-29T11:00:00", False),
        ("2026-07-06T09:00:00", True),  # in summer time
    ],
)
def test_weekly_hours(moment: str, is_open: bool) -> None:
    assert OFFICE.is_open(at(moment)) is is_open


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-27T21:59", False),
        ("2026-11-27T22:00", True),
        ("2026-11-28T05:59", True),
        ("2026-11-28T06:00", False),
        ("2026-11-28T23:00", False),
        ("2026-11-27T03:00", False),
    ],
)
def test_a_span_over_midnight_belongs_to_the_day_it_begins(moment: str, is_open: bool) -> None:
    assert hours({"fri": ["22:00-6:00"]}).is_open(at(moment)) is is_open


def test_sunday_night_goes_on_into_monday() -> None:
    assert hours({"sun": ["22:00-6:00"]}).is_open(at("2026-11-30T05:00"))


def test_a_whole_day_ends_at_24() -> None:
    whole = hours({"wed": ["0:00-24:00"]})
    assert whole.is_open(at("2026-11-25T00:00"))
    assert whole.is_open(at("2026-11-25T23:59:59"))
    assert not whole.is_open(at("2026-11-26T00:00"))
    assert not whole.is_open(at("2026-11-24T23:59:59"))


def test_exceptions_replace_what_begins_on_their_date() -> None:
    shop = hours(
        {"mon-sun": ["9:00-17:00", "22:00-2:00"]},
        {"2026-12-24": ["9:00-12:00"], "2026-12-27": [], "12-25": [], "2027-12-25": ["10:00-11:00"]},
    )
    assert shop.is_open(at("2026-12-24T11:59"))
    assert not shop.is_open(at("2026-12-24T12:00"))
    assert not shop.is_open(at("2026-12-24T23:00"))
    assert not shop.is_open(at("2026-12-25T01:00")), "the night that would have begun on the 24th"
    assert not shop.is_open(at("2026-12-25T10:30"))
    assert not shop.is_open(at("2026-12-27T10:30"))
    assert shop.is_open(at("2027-12-25T10:30")), "a full date goes before the yearly one"
    assert shop.is_open(at("2027-12-25T01:00")), "the night of the 24th"
    assert not shop.is_open(at("2028-12-25T10:30"))


def test_the_clock_goes_forward() -> None:
    """On 29 March 2026 London goes from 0:59:59 to 2:00:00."""
    early = hours({"sun": ["1:30-3:00"]})
    assert not early.is_open(datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC))
    assert early.is_open(datetime(2026, 3, 29, 1, 0, tzinfo=UTC)), "2:00 by the clock on the wall"
    assert early.is_open(datetime(2026, 3, 29, 1, 59, tzinfo=UTC))
    assert not early.is_open(datetime(2026, 3, 29, 2, 0, tzinfo=UTC)), "3:00 by the clock on the wall"


def test_the_clock_goes_back() -> None:
    """On 25 October 2026 London has the hour from 1:00 to 2:00 twice."""
    early = hours({"sun": ["1:30-2:30"]})
    open_at = [
        early.is_open(datetime(2026, 10, 25, 0, 0, tzinfo=UTC) + timedelta(minutes=15 * n)) for n in range(12)
    ]
    clock = ["1:00", "1:15", "1:30", "1:45", "1:00", "1:15", "1:30", "1:45", "2:00", "2:15", "2:30", "2:45"]
    assert [time for time, is_open in zip(clock, open_at, strict=True) if is_open] == [
        "1:30", "1:45", "1:30", "1:45", "2:00", "2:15"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "day", "clock"),
    [
        # Forward: the clock skips an hour, or half of one. Back: it shows one twice.
        ("America/New_York", "2026-03-08", ["0:30", "1:00", "1:30", "3:00", "3:30"]),
        ("America/New_York", "2026-11-01", ["0:30", "1:00", "1:30", "1:00", "1:30", "2:00", "2:30"]),
        ("Australia/Lord_Howe", "2026-10-04", ["1:00", "1:30", "2:30", "3:00"]),
        ("Australia/Lord_Howe", "2026-04-05", ["1:00", "1:30", "1:30", "2:00", "2:30"]),
        ("America/Santiago", "2026-09-06", ["1:00", "1:30", "2:00"]),  # at midnight: the day begins at 1:00
        ("Africa/Cairo", "2026-10-29", ["22:30", "23:00", "23:30", "23:00", "23:30"]),  # at midnight, back
        ("Europe/Dublin", "2026-03-29", ["0:30", "2:00", "2:30", "3:00"]),  # winter is what is put forward there
    ],
)
@pytest.mark.parametrize("span", ["1:00-2:00", "1:30-3:00", "2:00-2:30", "23:00-23:30", "23:30-1:30", "0:00-24:00"])
def test_in_the_nights_the_clock_changes_the_clock_decides(
    zone: str, day: str, clock: list[str], span: str
) -> None:
    place = ZoneInfo(zone)
    always = OpeningHours(place, ((parse_span(span),),) * 7)
    start, end = parse_span(span)
    midnight = datetime.fromisoformat(day).replace(tzinfo=place).astimezone(UTC)
    moments = [midnight + timedelta(minutes=30 * step) for step in range(-2, 51)]
    shown = [f"{one.hour}:{one.minute:02}" for one in (moment.astimezone(place) for moment in moments)]
    assert " ".join(clock) in " ".join(shown), "the night is what it is taken for"
    for moment, time in zip(moments, shown, strict=True):
        minute = parse_time(time)
        expected = start <= minute < end if start < end else minute >= start or minute < end
        assert always.is_open(moment) is expected, f"{time} ({moment})"


@given(st.integers(0, 2 * 365 * 24 * 60), st.integers(0, 1439), st.integers(1, 1440))
def test_open_if_and_only_if_a_span_of_today_or_yesterday_holds_the_wall_clock(
    minutes: int, start: int, end: int
) -> None:
    if start == end:
        return
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    always = OpeningHours(LONDON, (((start, end),),) * 7)
    wall = moment.astimezone(LONDON).replace(tzinfo=None)
    length = end - start if end > start else end - start + 1440
    begins = [datetime.combine(wall.date() - timedelta(days=back), datetime.min.time()) for back in (0, 1)]
    expected = any(
        day + timedelta(minutes=start) <= wall < day + timedelta(minutes=start + length) for day in begins
    )
    assert always.is_open(moment) is expected


@pytest.mark.parametrize(
    ("text", "days"),
    [("mon", (0,)), ("mon-fri", (0, 1, 2, 3, 4)), ("fri-mon", (4, 5, 6, 0)), ("mon, wed,sun", (0, 2, 6))],
)
def test_days(text: str, days: tuple[int, ...]) -> None:
    assert parse_days(text) == days


@pytest.mark.parametrize("text", ["", "Mon", "monday", "mon-", "mon-xyz", "1-5"])
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(ValueError, match="is no day"):
        parse_days(text)


@pytest.mark.parametrize("text", ["9", "9:5", "25:00", "24:01", "9:60", "9.30", "9:30am", ""])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        parse_time(text)


@pytest.mark.parametrize("text", ["9:00", "9:00-9:00", "24:00-6:00", "9:00-17:30-18:00", "9-17", "closed"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|begins"):
        parse_span(text)


@pytest.mark.parametrize("text", ["2026-02-29", "13-01", "2026-1-1", "25.12.", "12-32"])
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match="date"):
        parse_date(text)


def test_the_29th_of_february_can_be_an_exception_of_every_year() -> None:
    assert parse_date("02-29") == (0, 2, 29)
    assert hours({"mon-sun": ["9:00-17:00"]}, {"02-29": []}).spans_on(date(2028, 2, 29)) == ()
