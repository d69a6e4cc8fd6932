"""What `queues.yaml` says about those who wait, as values: whom a queue lets in, when it sends them on.

See `joining` and `overflow` for what it means.

    max_waiting: 20
    join_when_empty: strict                  # or yes, no, loose, or a list of what makes an agent count as nobody
    leave_when_empty: [paused, unavailable]
    hours: {zone: Europe/London, week: {mon-fri: "9:00-17:30"}, at_closing: send_out}
    overflow: [{wait_s: 120, to: support}, {position: 30}]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from cordboard.acd import joining
from cordboard.acd.overflow import circle
from cordboard.acd.waiting_rules import AtClosing, EmptyFactor, OverflowStep
from cordboard.acd.written_values import Name
from cordboard.config.document import Document
from cordboard.config.findings import Finding
from cordboard.config.opening_hours import OpeningHours
from cordboard.config.validation import Many, Section, also_written, closest, fault, written_as
from cordboard.config.written_hours import DateText, DaysText, SpanTexts, Zone, exceptions_of, week_of

EmptyWord = Literal["yes", "no", "strict", "loose"]
WrittenEmpty = EmptyWord | Many[EmptyFactor]

_WORDS = get_args(EmptyWord)
_HOURS = 'hours: {zone: Europe/London, week: {mon-fri: "9:00-17:30"}}'  # an example
_FACTORS = get_args(EmptyFactor)


@also_written({"enum": list(_WORDS)})
def _known_words(value: Any) -> Any:
    """One message for a word that means nothing, instead of two about types."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and value not in _WORDS:
        raise _unknown(value, "one of yes, no, strict, loose, or a list: [paused, unavailable]", _WORDS)
    for one in value if isinstance(value, list) else ():
        if one not in _FACTORS:
            raise _unknown(one, f"known: {', '.join(_FACTORS)}", _FACTORS)
    return value


def _unknown(value: Any, known: str, words: tuple[str, ...]) -> Exception:
    return fault("unknown-factor", f"`{value}` says nothing about agents", closest(str(value), words) or known)


Empty = Annotated[WrittenEmpty, BeforeValidator(_known_words)]


def factors_of(written: WrittenEmpty, words: Mapping[str, frozenset[EmptyFactor]]) -> frozenset[EmptyFactor]:
    """What makes an agent count as nobody. words: what yes, no, strict and loose mean there."""
    return words[written] if isinstance(written, str) else frozenset(written)


class QueueHours(Section):
    """When a queue takes callers in."""

    zone: Zone = Field(description="The time zone of the hours: `Europe/London`.")
    week: dict[DaysText, SpanTexts] = Field(
        description="Days (`mon`, `mon-fri`, `mon,wed`) and their spans; those not named are closed."
    )
    exceptions: dict[DateText, SpanTexts] = Field(
        default_factory=dict, description="What holds on a date instead; `12-25` for that day of every year."
    )
    at_closing: AtClosing = Field(
        default="serve", description="Who waits at closing time is still served, or has to leave (`send_out`)."
    )

    def as_hours(self) -> OpeningHours:
        """The hours."""
        return OpeningHours(ZoneInfo(self.zone), week_of(self.week), exceptions_of(self.exceptions))


class Overflow(Section):
    """When callers are sent on, and where to."""

    wait_s: Annotated[float, Field(gt=0, le=86_400)] | None = Field(
        default=None, description="Who has waited for so long."
    )
    position: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        default=None, description="Who stands further back than this place."
    )
    estimated_s: Annotated[float, Field(gt=0, le=86_400)] | None = Field(
        default=None, description="Who is likely to wait longer still than this."
    )
    ratio: Annotated[float, Field(gt=0, le=10_000)] | None = Field(
        default=None, description="While more callers wait than this for each agent who is there."
    )
    to: Name | None = Field(
        default=None,
        description="The queue they go on to, at the place that their arrival and priority give them there; out "
        "of the queue, to the node's `overflow`, without it.",
    )

    @model_validator(mode="after")
    def _waits_for_something(self) -> Self:
        if (self.wait_s, self.position, self.estimated_s, self.ratio) == (None,) * 4:
            hint = "say when: `wait_s: 120`, `position: 20`, `estimated_s: 600` or `ratio: 3`"
            raise fault("overflow-at-once", "this step would send everybody on at once", hint)
        return self

    def as_step(self) -> OverflowStep:
        """The step."""
        return OverflowStep(self.wait_s, self.position, self.estimated_s, self.ratio, self.to or "")


class Waiting(Section):
    """The options of a queue that are about those who wait there."""

    max_waiting: Annotated[int, Field(ge=0, le=100_000)] = Field(
        default=0,
        description="How many callers wait at a time; the next one goes to the node's `full`. 0 for any number.",
    )
    join_when_empty: Empty = Field(
        default="yes",
        description="Whether callers may join while nobody is there: `yes`, `no`, `strict`, `loose`, or a list of "
        "what makes an agent count as nobody.",
    )
    leave_when_empty: Empty = Field(
        default="no",
        description="Whether those who wait have to leave when nobody is there any more, in the same words.",
    )
    hours: Annotated[QueueHours, written_as(lambda _: _HOURS)] | None = Field(
        default=None, description="When the queue takes callers in; always without it."
    )
    overflow: Annotated[Many[Overflow], Field(max_length=20)] = Field(
        default=(), description="When waiting callers are sent on, and where to; the first step that holds."
    )

    def waiting_rules(self) -> dict[str, Any]:
        """These, by the names that `model.Queue` has for them."""
        return {
            "max_waiting": self.max_waiting,
            "join_when_empty": factors_of(self.join_when_empty, joining.JOIN_WORDS),
            "leave_when_empty": factors_of(self.leave_when_empty, joining.LEAVE_WORDS),
            "hours": self.hours.as_hours() if self.hours else None,
            "at_closing": self.hours.at_closing if self.hours else "serve",
            "overflow": tuple(step.as_step() for step in self.overflow),
        }


def overflow_faults(queues: Mapping[str, Waiting], document: Document) -> Iterator[Finding]:
    """Steps to queues that are not there, and circles in which callers would be sent round for ever."""
    steps = {name: tuple(step.as_step() for step in queue.overflow) for name, queue in queues.items()}
    told: set[frozenset[str]] = set()
    for name, queue in queues.items():
        for number, step in enumerate(queue.overflow):
            way = ("queues", name, "overflow", number, "to")
            if step.to and step.to not in queues:
                hint = closest(step.to, queues) or f"known: {', '.join(sorted(queues))}"
                yield document.finding(way, "unknown-queue", f"there is no queue `{step.to}`", hint)
        round_trip = circle(steps, name)
        if round_trip and frozenset(round_trip) not in told:
            told.add(frozenset(round_trip))
            number = next(number for number, step in enumerate(queue.overflow) if step.to == round_trip[1])
            message = f"callers would be sent round in a circle: {' to '.join(round_trip)}"
            hint = "let the last of them end without `to`, back in the flow"
            yield document.finding(("queues", name, "overflow", number), "overflow-cycle", message, hint)
