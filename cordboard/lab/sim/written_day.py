"""How the file of a simulated day is written: its sections, with their limits and defaults. `scenario` reads it."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from cordboard.acd.queues_file import WrittenQueue
from cordboard.acd.written_values import AllDefaults, Label, Name, Names
from cordboard.config.needs_section import Skills
from cordboard.config.validation import Many, Section, Text, fault
from cordboard.lab.scenario_agents import Deeds
from cordboard.lab.scenario_steps import one_or_many
from cordboard.lab.sim.day_times import Clock, DayAndTime, Shift
from cordboard.lab.sim.length import Length, Seconds, always, spread
from cordboard.lab.sim.written_callers import SimCallers

AGENTS_MAX = 5_000


class Pause(Section):
    """A pause every agent of a group takes once a day."""

    reason: Label = Field(default="lunch", description="Why.")
    at: Clock = Field(description="When the first of the group goes.")
    for_s: Seconds = Field(default=1_800.0, description="How long it is.")
    spread_s: Seconds = Field(default=0.0, description="By when the last of the group has gone, after that.")


class SimAgents(Section):
    """Agents who are alike."""

    times: Annotated[int, Field(ge=1, le=AGENTS_MAX)] = Field(default=1, description="How many they are.")
    queues: Names = Field(min_length=1, description="The queues they serve.")
    skills: Skills = Field(default_factory=dict, description="What they can do, from 1 to 10.")
    ready_at_s: Seconds = Field(default=0.0, description="When they become available; for those without `works`.")
    works: Annotated[tuple[Shift, ...], Field(strict=False), BeforeValidator(one_or_many)] = Field(
        default=(), description='When they are at work, "08:00-16:30"; all day if left out.'
    )
    pauses: Many[Pause] = Field(default=(), description="When they have lunch.")
    does: Deeds = Field(
        default=("answers",), description="What they do with calls, one after the other; the last one again."
    )
    misses: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0, description="The share of calls they let ring, whatever else they do."
    )
    answers_after_s: Length = Field(default=spread(4.0, 8.0), description="When they pick up.")
    accepts_after_s: Length = Field(default=always(1.0), description="When they press the key that takes the call.")
    talks_s: Length = Field(default=spread(180.0, 420.0), description="How long they talk.")
    disposition: Label | None = Field(default=None, description="The result they choose after each talk.")
    disposes_after_s: Length = Field(default=spread(10.0, 20.0), description="When, after the talk.")

    @model_validator(mode="after")
    def _does_what_a_day_knows(self) -> Self:
        strange = {"unregisters", "goes_dead"}.intersection(self.does)
        if strange:
            raise fault("not-in-a-day", f"a simulated day has no phones, and knows no `{strange.pop()}`")
        return self


class SimFile(Section):
    """The file as written."""

    scenario: Text = Field(description="What it shows, in words.")
    begins: DayAndTime = Field(default="2026-11-23 08:00", description="Day and time at which it begins, in UTC.")
    lasts_s: Annotated[float, Field(gt=0, le=604_800)] = Field(
        default=36_000.0, description="Until when callers come. The day ends when the last of them is gone."
    )
    queues: Annotated[dict[Name, Annotated[WrittenQueue, AllDefaults]], Field(min_length=1)] = Field(
        description="The queues, as in queues.yaml."
    )
    callers: Many[SimCallers] = Field(min_length=1, description="Who calls.")
    agents: Annotated[dict[Name, SimAgents], Field(min_length=1)] = Field(
        description="Who works: groups of agents who are alike, by name."
    )
