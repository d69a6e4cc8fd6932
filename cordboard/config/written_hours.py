"""How people write opening hours: days, spans of time, dates, a zone.

Used by the `hours` node of a flow and by queues. Spans are `"9:00-17:30"`, a list of such, or `closed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator

from cordboard.config.opening_hours import DAYS, Date, Spans, parse_date, parse_days, parse_span
from cordboard.config.validation import ITEM, Many, Text, also_written, fault

_CLOSED = "closed"


@also_written(ITEM)
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


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not found, a name that leaves the database, a directory
        raise fault("unknown-zone", f"there is no time zone `{name}`", "write for instance Europe/London") from None
    return name


Zone = Annotated[Text, AfterValidator(_zone)]
DaysText = Annotated[Text, _if_parsed(parse_days)]
DateText = Annotated[Text, _if_parsed(parse_date)]
SpanTexts = Annotated[Many[Annotated[Text, _if_parsed(parse_span)]], BeforeValidator(_spans_written)]


def week_of(written: Mapping[str, Iterable[str]]) -> tuple[Spans, ...]:
    """The spans of the seven days from Monday; a day that is not named has none."""
    return tuple(tuple(_spans_of_day(written, day)) for day in range(len(DAYS)))


def exceptions_of(written: Mapping[str, Iterable[str]]) -> dict[Date, Spans]:
    """The spans of single dates."""
    return {parse_date(day): spans_of(spans) for day, spans in written.items()}


def spans_of(written: Iterable[str]) -> Spans:
    """Spans as they were written."""
    return tuple(map(parse_span, written))


def _spans_of_day(written: Mapping[str, Iterable[str]], day: int) -> Iterator[tuple[int, int]]:
    for days, spans in written.items():
        if day in parse_days(days):
            yield from spans_of(spans)
