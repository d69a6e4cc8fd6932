"""From when until when a report is, as people write it: on the command line, in a web address. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

# How long a period's calls may go on after its end: the longest wait is a day, talk and wrap-up fit into another.
LATE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Period:
    """since until before `until`, both aware; until None: up to now."""

    since: datetime
    until: datetime | None

    @property
    def zone(self) -> tzinfo:
        """Whose clock it is told by."""
        return self.since.tzinfo or UTC

    def __str__(self) -> str:
        end = f"{self.until:%Y-%m-%d %H:%M}" if self.until else "now"
        return f"{self.since:%Y-%m-%d %H:%M} to {end} ({self.since.tzname()})"

    def as_json(self) -> dict[str, str | None]:
        """Both ends, with their distance from UTC."""
        return {"since": self.since.isoformat(), "until": self.until.isoformat() if self.until else None}


def period_of(since: str, until: str, now: datetime) -> Period:
    """The period in the time zone of `now`. "" for since: from midnight; "" for until: up to now.

    Raises ValueError in plain words.
    """
    begin = _moment(since, now) if since else _midnight(now)
    if begin > now:
        raise ValueError(f"{begin:%Y-%m-%d %H:%M} lies in the future")
    end = _moment(until, now) if until else None
    if end is not None and end <= begin:
        raise ValueError(f"{end:%Y-%m-%d %H:%M} is not after {begin:%Y-%m-%d %H:%M}")
    return Period(begin, end)


def _moment(text: str, now: datetime) -> datetime:
    """A day, a day with a time, or a time of today."""
    try:
        if ":" in text and "-" not in text:
            return datetime.combine(now.date(), time.fromisoformat(text), now.tzinfo)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"`{text}` is no time; write 2026-11-23, 2026-11-23T09:30, or 09:30 for today") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)


def _midnight(now: datetime) -> datetime:
    return datetime.combine(now.date(), time(), now.tzinfo)
