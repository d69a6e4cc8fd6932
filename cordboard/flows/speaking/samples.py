"""Values of every sort, from which `rules` learns all words that a rule may use.

A word that no sample needs would have no sound in a call, so they cover whatever numerals are put together of.
"""

from __future__ import annotations

import string
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cordboard.flows.conditions import Kind
from cordboard.flows.speaking.kinds import MAX_NUMBER, SpokenKind

SAMPLE_DAY = datetime(2024, 1, 1, 12, tzinfo=UTC)  # a leap year has all days

_WHOLE = (*range(102), *range(200, 1_000, 100), 1_000, 101_000, 1_000_000, 2_000_000)
_DECIMALS = (-0.5, 0.05, *(hundredths / 100 for hundredths in range(100)), 0.123456, 0.789)
_DAYS = (
    *(SAMPLE_DAY + timedelta(days=day) for day in range(366)),
    *(SAMPLE_DAY.replace(year=year) for year in (*range(1_900, 2_101), *range(2_200, 3_000, 100))),
)
_TIMES = (
    *(SAMPLE_DAY.replace(hour=hour) for hour in range(24)),
    *(SAMPLE_DAY.replace(minute=minute) for minute in range(60)),
)
_DURATIONS = (
    3_661,
    *(many * unit for many in _WHOLE for unit in (1, 60, 3_600, 86_400) if many * unit <= MAX_NUMBER),
)
_SAMPLES: dict[SpokenKind, Iterable[Any]] = {
    "number": (-1, *_WHOLE),
    "digits": "0123456789*#",
    "spelled": string.ascii_lowercase + string.digits + "*#!@$=+/.-",
    "ordinal": (*_WHOLE, *(hundreds + 1 for hundreds in range(100, 1_000, 100)), *(10_000 + one for one in _WHOLE)),
    "date": _DAYS,
    "time": _TIMES,
    "duration": _DURATIONS,
    "money": (-1, 1.01, *_WHOLE, *_DECIMALS),
}


def samples_of(kind: SpokenKind, value_kind: Kind) -> Iterable[Any]:
    """Samples of what a rule has to speak."""
    if kind == "number" and value_kind == "double":
        return (*_SAMPLES[kind], *_DECIMALS)
    return _SAMPLES[kind]
