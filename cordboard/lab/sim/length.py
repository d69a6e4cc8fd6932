"""Lengths of time as a scenario of a simulated day writes them: always the same, or spread by chance.

patience_s: 120                        always
patience_s: {mean: 120}                exponential: a caller's patience, arrivals
talks_s: {median: 180, p90: 420}       log-normal: talks
answers_after_s: {least: 1, most: 6}   anything between
"""

from __future__ import annotations

import math
from random import Random
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from cordboard.config.validation import Section, also_written, fault

_P90 = 1.2815515655446004  # standard deviations above the median
_WAYS = "write a number, {mean: 120}, {median: 180, p90: 420} or {least: 1, most: 6}"

Seconds = Annotated[float, Field(ge=0, le=86_400)]


class _Length(Section):
    """One of the four ways."""

    always: Seconds | None = Field(default=None, description="Always so many seconds.")
    mean: Annotated[float, Field(gt=0, le=86_400)] | None = Field(
        default=None, description="Exponential, with this average."
    )
    median: Annotated[float, Field(gt=0, le=86_400)] | None = Field(
        default=None, description="Log-normal: half of them are shorter."
    )
    p90: Seconds | None = Field(default=None, description="Nine in ten are shorter; goes with `median`.")
    least: Seconds | None = Field(default=None, description="The shortest; all up to `most` are as likely.")
    most: Seconds | None = Field(default=None, description="The longest; goes with `least`.")

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        given = {name for name, value in self if value is not None}
        if given not in ({"always"}, {"mean"}, {"median", "p90"}, {"least", "most"}):
            raise fault("bad-length", "this is no length of time", _WAYS)
        if self.median is not None and not self.median < (self.p90 or 0.0):
            raise fault("bad-length", "`p90` is not above `median`", _WAYS)
        if self.least is not None and not self.least <= (self.most or 0.0):
            raise fault("bad-length", "`most` is less than `least`", _WAYS)
        return self

    def draw(self, chance: Random) -> float:
        """One length, in seconds."""
        if self.always is not None:
            return self.always
        if self.mean is not None:
            return chance.expovariate(1 / self.mean)
        if self.median is not None and self.p90 is not None:
            return self.median * math.exp(chance.gauss(0, math.log(self.p90 / self.median) / _P90))
        return chance.uniform(self.least or 0.0, self.most or 0.0)


@also_written({"type": "number"})
def _always(value: Any) -> Any:
    return {"always": float(value)} if isinstance(value, int | float) and not isinstance(value, bool) else value


Length = Annotated[_Length, BeforeValidator(_always)]


def always(seconds: float) -> _Length:
    """A length that is always the same; for defaults."""
    return _Length(always=seconds)


def exponential(mean_s: float) -> _Length:
    """A length by chance that does not depend on how long it has lasted; for defaults."""
    return _Length(mean=mean_s)


def spread(median_s: float, p90_s: float) -> _Length:
    """A log-normal length; for defaults."""
    return _Length(median=median_s, p90=p90_s)
