"""Days and times of day, as simulated days write them: "08:30", "08:00-16:30", "2026-11-23 08:00"."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator

from cordboard.config.validation import Text, fault

_CLOCK = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])")


def _clock(text: str) -> str:
    if not _CLOCK.fullmatch(text):
        raise fault("bad-time", f"`{text}` is no time of day", 'write for instance "08:30"')
    return text


def _shift(text: str) -> str:
    first, dash, last = text.partition("-")
    if not dash or seconds_of(_clock(first.strip())) >= seconds_of(_clock(last.strip())):
        raise fault("bad-shift", f"`{text}` is no stretch of a day", 'write for instance "08:00-16:30"')
    return text


def _moment(text: str) -> str:
    try:
        moment_of(text)
    except ValueError:
        raise fault("bad-time", f"`{text}` is no day and time", 'write for instance "2026-11-23 08:00"') from None
    return text


def moment_of(text: str) -> datetime:
    """A day and time, "2026-11-23 08:00", in UTC. Raises ValueError."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def seconds_of(clock: str) -> float:
    """A time of day, "08:30", in seconds since midnight."""
    hours, minutes = clock.strip().split(":")
    return int(hours) * 3600.0 + int(minutes) * 60.0


Clock = Annotated[Text, AfterValidator(_clock)]
Shift = Annotated[Text, AfterValidator(_shift)]
DayAndTime = Annotated[Text, AfterValidator(_moment)]
