"""What an agent of a scenario does, at the phone and at the desk. `scenario` reads it, `agents` does it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from cordboard.config.validation import Section, Text, fault
from cordboard.lab.scenario_steps import Hertz, Seconds, one_or_many

Deed = Literal["answers", "declines", "rejects", "busy", "unavailable", "ignores", "unregisters", "goes_dead"]
"""What an agent does with a call, named as the offer ends: `rejects` is 603, `busy` 486, `unavailable` 480."""

Deeds = Annotated[tuple[Deed, ...], Field(strict=False, min_length=1), BeforeValidator(one_or_many)]
BARESIP_CAN: frozenset[Deed] = frozenset({"answers", "declines", "busy", "ignores"})


class Transfer(Section):
    """Where an agent sends the caller: without speaking there first, or after it."""

    blind: Text = Field(default="", description="The number it goes to at once.")
    attended: Text = Field(default="", description="The number that is spoken to first.")

    @model_validator(mode="after")
    def _one(self) -> Transfer:
        if bool(self.blind) == bool(self.attended):
            raise fault("one-transfer", "write either `blind:` or `attended:`, with a number")
        return self


class AgentPart(Section):
    """One agent. ready_at_s: when they choose `available`, None for never; does: for each call in turn, the last
    one for all that follow; accepts: the accept key, another key (false), or none (null); talks_s: then they hang
    up or transfer, None to wait for the other side; disposition: chosen after each talk, None to let the wrap-up
    pass.
    """

    phone: Literal["baresip", "lab"] | None = Field(
        default=None, description="Which phone the agent has: the lab's own, or baresip."
    )
    ready_at_s: Seconds | None = Field(default=0.0, description="When the agent becomes available.")
    does: Deeds = Field(
        default=("answers",),
        description="What the agent does with calls, one after the other; the last one again and again.",
    )
    answers_after_s: Seconds = Field(default=1.0, description="When the agent picks up.")
    accepts: bool | None = Field(default=True, description="Whether the agent presses the key that takes the call.")
    accepts_after_s: Seconds = Field(default=0.5, description="When.")
    talks_s: Seconds | None = Field(default=None, description="How long the agent talks.")
    transfers_to: Transfer | None = Field(default=None, description="Where the agent transfers the call.")
    consults_s: Seconds = Field(
        default=1.0, description="How long the agent speaks with the other before an attended transfer."
    )
    disposition: Text | None = Field(default=None, description="The result the agent chooses.")
    disposes_after_s: Seconds = Field(default=0.5, description="When, after the talk.")
    note: Text = Field(default="", description="The note the agent writes.")
    speaks_tone_hz: Hertz | None = Field(default=None, description="The tone the agent sends.")
    hears_tone_hz: Hertz | None = Field(default=None, description="The tone the agent must hear.")

    @property
    def needs_lab_phone(self) -> bool:
        """Whether baresip cannot do what is asked."""
        return self.transfers_to is not None or not set(self.does) <= BARESIP_CAN

    @model_validator(mode="after")
    def _phone_can(self) -> AgentPart:
        if self.phone == "baresip" and self.needs_lab_phone:
            deeds = ", ".join(deed for deed in self.does if deed not in BARESIP_CAN) or "transfers"
            raise fault("baresip-cannot", f"baresip cannot do this: {deeds}", "leave `phone:` out, or write `lab`")
        return self

    def deed(self, number: int) -> Deed:
        """What the agent does with the call of this number, counted from 0."""
        return self.does[min(number, len(self.does) - 1)]
