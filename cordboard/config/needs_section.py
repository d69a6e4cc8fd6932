"""How skills and relaxation steps are written, in queues.yaml and in the node `queue`.

    require: {spanish: 3}
    prefer: {billing: 2}
    relax:
      - {after_s: 30, lower: {spanish: 1}}
      - {after_s: 60, swap: {spanish: english}}
      - {after_s: 90, drop: [english], require: {patience: 1}}

What they mean is `telephony.needs`; whether anybody has what is asked for is `needs_checks`.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from cordboard.config.validation import Many, Section, Text, fault, written_as
from cordboard.telephony.needs import RelaxStep

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


def _skill(name: str) -> str:
    if not _NAME.fullmatch(name):
        hint = "small letters, digits, _ and -, at most 32, for instance spanish"
        raise fault("bad-name", f"`{name}` is no name", hint)
    return name


def _after_each_other(steps: tuple[WrittenStep, ...]) -> tuple[WrittenStep, ...]:
    for before, step in pairwise(steps):
        if step.after_s <= before.after_s:
            message = f"the step after {step.after_s:g} s stands behind the one after {before.after_s:g} s"
            raise fault("relax-order", message, "write the steps in the order of time, each with a time of its own")
    return steps


Skill = Annotated[Text, AfterValidator(_skill)]
Level = Annotated[int, Field(ge=1, le=10)]
Skills = Annotated[dict[Skill, Level], written_as(lambda skill: f"{{{skill or 'spanish'}: 3}}")]
"""Skills with levels from 1 to 10."""


class WrittenStep(Section):
    """What is asked for less, or instead, once the caller has waited for some time."""

    after_s: Annotated[float, Field(gt=0, le=86_400)] = Field(description="When, in seconds of waiting.")
    drop: Many[Skill] = Field(default=(), description="Skills that are asked for no more.")
    lower: Skills = Field(default_factory=dict, description="Skills with the level that is enough from then on.")
    swap: dict[Skill, Skill] = Field(
        default_factory=dict, description="Skills with the one asked for in their place, at the same level."
    )
    require: Skills = Field(default_factory=dict, description="Skills that are asked for from then on.")

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not (self.drop or self.lower or self.swap or self.require):
            hint = "write `drop`, `lower`, `swap` or `require`, for instance `drop: [spanish]`"
            raise fault("relax-no-change", "this step changes nothing", hint)
        return self

    def as_step(self) -> RelaxStep:
        """The step."""
        return RelaxStep(
            self.after_s,
            self.drop,
            tuple(self.lower.items()),
            tuple(self.swap.items()),
            tuple(self.require.items()),
        )


_STEP = written_as(lambda _: "{after_s: 30, drop: [spanish]}")
Relaxation = Annotated[Many[Annotated[WrittenStep, _STEP]], Field(max_length=20), AfterValidator(_after_each_other)]
"""Steps in the order of time."""
