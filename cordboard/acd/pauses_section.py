"""`pause_reasons` of `agents.yaml`: what agents may give as the reason for a pause, and how far each goes.

    pause_reasons: [break, lunch, training]
    pause_reasons:
      break:
      lunch: {at_most_s: 1800, at_once: 3, then: available, exempt: [alice]}

Read by `agents_file`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from cordboard.acd.model import PauseRule, PauseThen
from cordboard.acd.written_values import AllDefaults, Label, Labels, Names
from cordboard.config.validation import Section, fault, written_as

_NO_LIMITS = PauseRule()


class Pause(Section):
    """How long a pause may be, and for how many at once."""

    at_most_s: Annotated[float, Field(gt=0, le=86_400)] | None = Field(
        default=None, description="How long it may last; as long as the agent likes without it."
    )
    then: PauseThen = Field(
        default=_NO_LIMITS.then,
        description="What follows when it has lasted that long: `nothing` but that everybody sees it, `available`, "
        "or `logged_out`.",
    )
    at_once: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None, description="How many agents may be in it at the same time; any number without it."
    )
    exempt: Names = Field(default=(), description="The agents for whom neither limit holds.")

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.then != _NO_LIMITS.then and self.at_most_s is None:
            raise fault("no-effect", "`then` means nothing without `at_most_s`", "add `at_most_s: 1800`", "then")
        if self.exempt and self.at_most_s is None and self.at_once is None:
            hint = "add `at_most_s: 1800` or `at_once: 3`, or take `exempt` out"
            raise fault("no-effect", "there is no limit for anybody to be exempt from", hint, "exempt")
        return self

    def as_rule(self) -> PauseRule:
        """The limits."""
        return PauseRule(self.at_most_s or 0.0, self.then, self.at_once or 0, self.exempt)


_PAUSE = written_as(lambda seconds: f"{{at_most_s: {seconds if seconds.isdigit() else 1800}}}")


def _one_of_two_ways(value: Any) -> Any:
    """One message for a list in which a reason has limits, instead of two about types."""
    if isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
        hint = "write all of them as `lunch: {at_most_s: 1800}`, and `training:` for one without"
        raise fault("wrong-type", "reasons with limits do not stand in a list", hint)
    return value


PauseReasons = Annotated[
    Labels | Annotated[dict[Label, Annotated[Pause, _PAUSE, AllDefaults]], Field(min_length=1, max_length=100)],
    BeforeValidator(_one_of_two_ways),
]
"""A list of reasons, or reasons with their limits."""


def pause_rules(written: tuple[str, ...] | dict[str, Pause]) -> dict[str, PauseRule]:
    """The limits of those reasons that have any."""
    pauses = written.items() if isinstance(written, dict) else ()
    rules = {reason: pause.as_rule() for reason, pause in pauses}
    return {reason: rule for reason, rule in rules.items() if rule != _NO_LIMITS}
