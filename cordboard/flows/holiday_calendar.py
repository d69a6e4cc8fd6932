"""Public holidays by country and region, with an admin's own changes.

Made by the `hours` node when a flow loads, asked by its opening hours in calls. The dates come from the `holidays`
library: days in lieu are in them, and a region (a state, a province) adds its own. A year is worked out when it is
first asked for, in less than a millisecond, and kept for all flows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

from cordboard.config.opening_hours import Date, Spans, falls_on

_YEARS_KEPT = 1_000  # of all countries together


@dataclass(frozen=True, slots=True)
class HolidayCalendar:
    """region: "" for those of the whole country; spans: when it is open on a holiday; left_out: dates that are none
    here; added: more of them.
    """

    country: str
    region: str = ""
    spans: Spans = ()
    left_out: frozenset[Date] = frozenset()
    added: frozenset[Date] = frozenset()

    def prepare(self) -> None:
        """Read the country's rules now, which takes a moment, rather than in the first call."""
        _public_holidays(self.country, self.region, 2000)

    def is_holiday(self, day: date) -> bool:
        """Whether a date is one."""
        if falls_on(day, self.added):
            return True
        return day in _public_holidays(self.country, self.region, day.year) and not falls_on(day, self.left_out)


@cache
def countries() -> Mapping[str, tuple[str, ...]]:
    """The two-letter codes of all countries, with those of their regions: "GB" with "ENG", "NIR", "SCT", "WLS"."""
    import holidays  # a tenth of a second, which only those pay who have holidays

    known = holidays.list_supported_countries()
    return {country: tuple(regions) for country, regions in known.items() if len(country) == 2}


@lru_cache(_YEARS_KEPT)
def _public_holidays(country: str, region: str, year: int) -> frozenset[date]:
    import holidays

    return frozenset(holidays.country_holidays(country, subdiv=region or None, years=year))
