"""`callback:` and `cut_off:` of a queue in `queues.yaml`: every key an admin may write.

    sales:
      callback: {dial: customer_first, attempts: 3, hours: {zone: Europe/London, week: {mon-fri: "9:00-18:00"}}}
      cut_off: {hold_s: 180, ring_back: true}

Without `callback:` nobody is dialled: `cordboard queue callbacks` lists those who wait, for people to call. With it
`cordboard.yaml` must say which outside numbers may be called. Part of `queues_file`.
"""

from __future__ import annotations

from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from cordboard.acd.callback_policy import CallbackPolicy, CutOffPolicy, DialMode, HeldFor
from cordboard.acd.cut_off import NEVER, USUAL_CAUSES
from cordboard.config.opening_hours import OpeningHours
from cordboard.config.validation import Many, Section, Text, fault, written_as
from cordboard.config.written_hours import DateText, DaysText, SpanTexts, Zone, exceptions_of, week_of

_CALLBACK, _CUT_OFF = CallbackPolicy(), CutOffPolicy()
_USUAL_HOLD_S = 120.0
_HOURS = 'hours: {zone: Europe/London, week: {mon-fri: "9:00-18:00"}}'  # an example


def _cause(number: int) -> int:
    if number in NEVER:
        hint = f"usual ones are {', '.join(map(str, sorted(USUAL_CAUSES)))}"
        raise fault("not-cut-off", f"cause {number} is an ordinary end of a call, and none that cuts it off", hint)
    return number


class CallingHours(Section):
    """When customers are called back."""

    zone: Zone = Field(description="The time zone of the hours: `Europe/London`.")
    week: dict[DaysText, SpanTexts] = Field(
        description="Days (`mon`, `mon-fri`, `mon,wed`) and their spans; nobody is called on those not named."
    )
    exceptions: dict[DateText, SpanTexts] = Field(
        default_factory=dict, description="What holds on a date instead; `12-25` for that day of every year."
    )

    def as_hours(self) -> OpeningHours:
        """The hours."""
        return OpeningHours(ZoneInfo(self.zone), week_of(self.week), exceptions_of(self.exceptions))


class Calling(Section):
    """How people are called back who have asked for it."""

    dial: DialMode = Field(
        default=_CALLBACK.dial,
        description="Who is rung first: the customer, who then waits a moment, or the agent, who hears it ring.",
    )
    flow: Text = Field(
        default="",
        description="The flow of a customer who has picked up; it must come to this queue. Without it: the queue.",
    )
    ring_s: Annotated[float, Field(ge=5, le=120)] = Field(
        default=_CALLBACK.ring_s, description="How long the customer's phone rings."
    )
    detect_machines: bool = Field(
        default=_CALLBACK.detect_machines,
        description="Hang up on what sounds like an answering machine, and try again later.",
    )
    attempts: Annotated[int, Field(ge=1, le=20)] = Field(
        default=_CALLBACK.attempts, description="How often a customer is rung who is not reached."
    )
    retry_after_s: Annotated[float, Field(ge=1, le=86_400)] = Field(
        default=_CALLBACK.retry_after_s, description="From the end of one attempt to the next at least."
    )
    expires_s: Annotated[float, Field(ge=60, le=604_800)] = Field(
        default=_CALLBACK.expires_s, description="How long after the promise it is given up."
    )
    hours: Annotated[CallingHours, written_as(lambda _: _HOURS)] | None = Field(
        default=None, description="When customers are called; always without it."
    )

    @model_validator(mode="after")
    def _goes_straight_to_the_agent(self) -> Self:
        if self.flow and self.dial == "agent_first":
            hint = "take `flow` out, or write `dial: customer_first`"
            raise fault("no-effect", "with `agent_first` the customer goes through no flow", hint, "flow")
        return self

    def as_policy(self) -> CallbackPolicy:
        """The policy."""
        hours = self.hours.as_hours() if self.hours else None
        return CallbackPolicy(
            self.dial,
            self.flow,
            self.ring_s,
            self.detect_machines,
            self.attempts,
            self.retry_after_s,
            self.expires_s,
            hours,
        )


class CutOff(Section):
    """What becomes of calls that end without anybody having hung up."""

    hold_s: Annotated[float, Field(ge=0, le=3_600)] = Field(
        default=_USUAL_HOLD_S,
        description="How long the place of a caller who waited is kept for them to call again.",
    )
    ring_back: bool = Field(
        default=True, description="Call a customer who was talking back at once, for the same agent first."
    )
    agent_s: Annotated[float, Field(ge=0, le=600)] = Field(
        default=_CUT_OFF.agent_s, description="How long that call is kept for the agent they talked to."
    )
    causes: Many[Annotated[int, Field(ge=1, le=127), AfterValidator(_cause)]] = Field(
        default=tuple(sorted(USUAL_CAUSES)), description="The Q.850 causes that count as cut off."
    )
    identity: HeldFor = Field(
        default=_CUT_OFF.identity,
        description="Whose a place is: of who calls from the same number, or only of whom the flow has confirmed "
        "(`identity` of the node `queue`).",
    )

    def as_policy(self) -> CutOffPolicy:
        """The policy."""
        return CutOffPolicy(self.hold_s, self.ring_back, self.agent_s, frozenset(self.causes), self.identity)
