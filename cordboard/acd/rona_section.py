"""`rona` of a queue: what follows when an agent does not take a call, for all causes together and for each.

    rona: {pause_after: 2, retry_after_s: 5}
    rona:
      pause_after: 3
      return_after_s: 300
      causes: {busy: {then: rest, rest_s: 60}, unregistered: {after: 1, return_after_s: 30}, rejected: nothing}

Read by `queues_file`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, Field, model_validator

from cordboard.acd.model import OfferEnd, RonaPolicy, RonaRule, RonaThen
from cordboard.config.validation import Section, also_written, fault, written_as

_POLICY = RonaPolicy()

Cause = Literal[
    "no_answer", "busy", "rejected", "unavailable", "unregistered", "declined", "no_key", "left_whisper"
]
"""The ends of an offer that count against the agent, as in `RONA`."""

Rest = Annotated[float, Field(ge=0, le=3600)]


@also_written({"enum": list(get_args(RonaThen))})
def _then_alone(value: Any) -> Any:
    return {"then": value} if isinstance(value, str) and value.isidentifier() else value


class RonaOfCause(Section):
    """What one cause means."""

    then: RonaThen = Field(
        default="pause",
        description="`pause`: it counts towards a pause; `rest`: the agent only rests; `nothing`: neither.",
    )
    after: Annotated[int, Field(ge=1, le=99)] | None = Field(
        default=None, description="So many of this cause in a row are a pause; counted with the others without it."
    )
    rest_s: Rest | None = Field(default=None, description="How long the agent is left in peace after it.")
    return_after_s: Annotated[float, Field(ge=0, le=86_400)] | None = Field(
        default=None, description="Who was paused for it is available again after so long; 0 for not by itself."
    )

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        """Only a pause can come after several, and end by itself; and nothing is nothing."""
        pausing = [name for name in ("after", "return_after_s") if getattr(self, name) is not None]
        if pausing and self.then != "pause":
            raise fault(
                "no-effect", f"`{pausing[0]}` means nothing with `then: {self.then}`", "take one of them out"
            )
        if self.rest_s is not None and self.then == "nothing":
            raise fault("no-effect", "`rest_s` means nothing with `then: nothing`", "write `then: rest`")
        return self

    def as_rule(self) -> RonaRule:
        """The rule."""
        return RonaRule(self.then, self.after or 0, self.rest_s, self.return_after_s)


_OF_CAUSE = written_as(lambda rest_s: f"{{then: rest, rest_s: {rest_s if rest_s.isdigit() else 30}}}")


class Rona(Section):
    """What an offer that was not taken means for the agent."""

    pause_after: Annotated[int, Field(ge=0, le=99)] = Field(
        default=_POLICY.pause_after,
        description="An agent who lets so many calls ring in a row is paused; 0 for never.",
    )
    retry_after_s: Rest = Field(
        default=_POLICY.retry_after_s, description="How long an agent who let one ring is left in peace."
    )
    return_after_s: Annotated[float, Field(ge=0, le=86_400)] = Field(
        default=_POLICY.return_after_s,
        description="Who was paused for it is available again after so long; 0 for not by itself.",
    )
    causes: dict[Cause, Annotated[RonaOfCause, _OF_CAUSE, BeforeValidator(_then_alone)]] = Field(
        default_factory=dict, description="What else holds for single causes."
    )

    def as_policy(self) -> RonaPolicy:
        """The policy."""
        causes = {OfferEnd(cause): written.as_rule() for cause, written in self.causes.items()}
        return RonaPolicy(self.pause_after, self.retry_after_s, self.return_after_s, causes)
