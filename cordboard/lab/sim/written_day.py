"""How the file of a simulated day is written: its sections, with their limits and defaults. `scenario` reads it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cordboard.acd.model import Needs
from cordboard.acd.queues_file import WrittenQueue
from cordboard.acd.written_values import AllDefaults, Label, Language, Name, Names
from cordboard.config.needs_section import Relaxation, Skills
from cordboard.config.validation import Many, Section, Text, fault
from cordboard.lab.scenario_agents import Deeds
from cordboard.lab.scenario_steps import one_or_many
from cordboard.lab.sim.length import Length, Seconds, always, spread

AGENTS_MAX, CALLS_H_MAX = 5_000, 100_000
_CLOCK = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])")


def _clock(text: str) -> str:
    if not _CLOCK.fullmatch(text):
        raise fault("bad-time", f"`{text}` is no time of day", 'write for instance "08:30"')
    return text


def _shift(text: str) -> str:
    first, dash, last = text.partition("-")
    if not dash or seconds_of(_clock(first.strip())) >= seconds_of(_clock(last.strip())):
        raise fault("bad-shift", f"`{text}` is no stretch of a day", 'write for instance "08:00-16:30"')
    return text


def _moment(text: str) -> str:
    try:
        moment_of(text)
    except ValueError:
        raise fault("bad-time", f"`{text}` is no day and time", 'write for instance "2026-11-23 08:00"') from None
    return text


def moment_of(text: str) -> datetime:
    """A day and time, "2026-11-23 08:00", in UTC. Raises ValueError."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def seconds_of(clock: str) -> float:
    """A time of day, "08:30", in seconds since midnight."""
    hours, minutes = clock.strip().split(":")
    return int(hours) * 3600.0 + int(minutes) * 60.0


Clock = Annotated[Text, AfterValidator(_clock)]


class SimCallers(Section):
    """Callers who are alike: by the curve of their arrivals, or so many, so far apart."""

    queue: Name = Field(description="The queue they come to.")
    calls_h: Annotated[dict[Clock, Annotated[float, Field(ge=0, le=CALLS_H_MAX)]], Field(min_length=1)] | None = (
        Field(default=None, description="How many come in an hour, by chance, from each time of day on.")
    )
    at_s: Seconds = Field(default=0.0, description="When the first one comes, after the day has begun.")
    times: Annotated[int, Field(ge=1, le=1_000_000)] = Field(default=1, description="How many such calls.")
    every_s: Seconds = Field(default=1.0, description="How far apart they are.")
    patience_s: Length | None = Field(default=None, description="When they hang up; never, if left out.")
    priority: Annotated[int, Field(ge=0, le=1_000)] = Field(default=0, description="Their priority.")
    language: Language = Field(default="en", description="What they speak.")
    require: Skills = Field(default_factory=dict, description="The skills they need, with the least level.")
    prefer: Skills = Field(default_factory=dict, description="The skills they would like.")
    relax: Relaxation = Field(default=(), description="What they need less, the longer they wait.")
    agent: Name | None = Field(default=None, description="The agent they want.")
    agent_s: Seconds = Field(default=30.0, description="How long they wait for that one.")

    @property
    def needs(self) -> Needs:
        """What they ask of an agent."""
        steps = tuple(step.as_step() for step in self.relax)
        wanted = (self.agent, self.agent_s) if self.agent else ("", 0.0)
        return Needs(tuple(self.require.items()), tuple(self.prefer.items()), steps, *wanted)


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
    works: Annotated[
        tuple[Annotated[Text, AfterValidator(_shift)], ...], Field(strict=False), BeforeValidator(one_or_many)
    ] = Field(default=(), description='When they are at work, "08:00-16:30"; all day if left out.')
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
    begins: Annotated[Text, AfterValidator(_moment)] = Field(
        default="2026-11-23 08:00", description="Day and time at which it begins, in UTC."
    )
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
