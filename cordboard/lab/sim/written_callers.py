"""How the callers of a simulated day are written: when they come, what they want, and what they do besides waiting.

    callers:
      - queue: sales
        calls_h: {"08:00": 120}
        patience_s: {mean: 150}
        steps_out: {share: 0.1, after_s: 20, for_s: {median: 30, p90: 90}}
        callback: {share: 0.3, after_s: {mean: 60}, answers: 0.8}
        cut_off: {waiting: 0.02, talking: 0.01}

Part of `written_day`. Words that live scenarios, queues.yaml or the node `queue` have mean the same here.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cordboard.acd.model import Needs
from cordboard.acd.written_values import Language, Name
from cordboard.config.needs_section import Relaxation, Skills
from cordboard.config.validation import Section
from cordboard.lab.sim.day_times import Clock
from cordboard.lab.sim.length import Length, Seconds, always, exponential, spread

CALLS_H_MAX = 100_000
Share = Annotated[float, Field(ge=0, le=1)]


class StepsOut(Section):
    """Callers who press a key of `step_out`, hear something else, and come back to their place."""

    share: Share = Field(description="The share of callers who do, once.")
    after_s: Length = Field(default=exponential(60.0), description="When, after they have come.")
    for_s: Length = Field(default=spread(20.0, 60.0), description="How long they are away.")
    held_for_s: Annotated[float, Field(ge=5, le=3_600)] = Field(
        default=120.0,
        description="How long the place is kept, as for the node `queue`; who comes later is last.",
    )


class WantsCallback(Section):
    """Callers who take the offer to be called back, and what they do when the phone rings."""

    share: Share = Field(description="The share of callers who accept, as soon as they are asked.")
    after_s: Length = Field(default=always(60.0), description="When they are asked, after they have come.")
    confirms_after_s: Length = Field(
        default=always(15.0), description="How long it takes them to confirm the number; their place is kept."
    )
    answers: Share = Field(default=0.85, description="The share of attempts at which they pick up.")
    answers_after_s: Length = Field(
        default=spread(6.0, 12.0), description="When they pick up; later than `ring_s` of the queue is not at all."
    )
    calls_again: Share = Field(
        default=0.0, description="The share who call themselves instead of waiting for it, and get their place."
    )
    calls_again_after_s: Length = Field(default=exponential(900.0), description="When, after the promise.")
    calls_again_to: Name | None = Field(
        default=None, description="Another queue that they come to then; they get their place if they are sent on."
    )


class GetsCutOff(Section):
    """Callers whose line breaks down."""

    waiting: Share = Field(default=0.0, description="The share who are dropped while they wait.")
    after_s: Length = Field(default=exponential(60.0), description="When, after they have come.")
    calls_again: Share = Field(default=0.9, description="The share of these who call again.")
    calls_again_after_s: Length = Field(default=spread(20.0, 60.0), description="When, after that.")
    talking: Annotated[float, Field(ge=0, le=0.9)] = Field(
        default=0.0,
        description="The share of talks that are dropped, at any moment; of who is rung back, too.",
    )
    answers: Share = Field(default=0.9, description="The share of attempts to ring them back that they answer.")
    answers_after_s: Length = Field(default=spread(4.0, 10.0), description="When they pick up.")
    cause: Annotated[int, Field(ge=1, le=127)] = Field(
        default=44, description="The cause of the hang-up (Q.850); the queue's `cut_off` says which ones count."
    )


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
    steps_out: StepsOut | None = Field(default=None, description="Some leave the queue for a while.")
    callback: WantsCallback | None = Field(default=None, description="Some want to be called back.")
    cut_off: GetsCutOff | None = Field(default=None, description="Some are cut off.")
    agent: Name | None = Field(default=None, description="The agent they want.")
    agent_s: Seconds = Field(default=30.0, description="How long they wait for that one.")

    @property
    def needs(self) -> Needs:
        """What they ask of an agent."""
        steps = tuple(step.as_step() for step in self.relax)
        wanted = (self.agent, self.agent_s) if self.agent else ("", 0.0)
        return Needs(tuple(self.require.items()), tuple(self.prefer.items()), steps, *wanted)
