"""The scenario of a simulated day: who calls when, who works when, and what they do.

    scenario: A Monday at the help desk
    begins: "2026-11-23 08:00"
    lasts_s: 36000
    queues:
      support: {service_level: {s: 20}, accept: none}
    callers:
      - {queue: support, calls_h: {"08:00": 120, "10:00": 240, "14:00": 160}, patience_s: {mean: 150}}
    agents:
      support: {times: 40, queues: [support], works: ["08:00-18:00"], talks_s: {median: 240, p90: 600}}

The words are those of live scenarios (`lab.scenario`): `callers` with `at_s`, `times` and `every_s`; `agents` with
`answers_after_s`, `does`, `talks_s` and `disposition`. New are lengths by chance (`length`), the curve of arrivals,
and groups of agents. Queues are written as in queues.yaml. The sections are in `written_day`; here the file is read
and checked. `day` plays it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from cordboard.acd.model import Agent, FloorPlan
from cordboard.config.document import Document
from cordboard.config.findings import Finding
from cordboard.config.validation import closest, validate
from cordboard.config.yaml_reader import read_yaml
from cordboard.errors import ConfigurationError
from cordboard.lab.sim.day_times import moment_of, seconds_of
from cordboard.lab.sim.written_callers import SimCallers
from cordboard.lab.sim.written_day import SimAgents, SimFile


@dataclass(frozen=True, slots=True)
class Stretch:
    """What an agent is from a moment on. at_s: since the day began."""

    at_s: float
    presence: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SimDay:
    """A scenario that was read and checked. groups: what each agent does; rosters: when each is what."""

    title: str
    begins_at: float
    lasts_s: float
    plan: FloorPlan
    callers: tuple[SimCallers, ...]
    groups: Mapping[str, SimAgents]
    rosters: Mapping[str, tuple[Stretch, ...]]
    midnight_s: float

    def curve(self, callers: SimCallers) -> list[tuple[float, float, float]]:
        """The curve of arrivals: from, until (seconds since the day began), and calls an hour."""
        rates = sorted(
            (seconds_of(clock) + self.midnight_s, rate) for clock, rate in (callers.calls_h or {}).items()
        )
        ends = [*rates, (self.lasts_s, 0.0)]
        stretches = ((first, then[0], rate) for (first, rate), then in pairwise(ends))
        return [
            (max(0.0, first), min(last, self.lasts_s), rate)
            for first, last, rate in stretches
            if min(last, self.lasts_s) > max(0.0, first)
        ]


def load_day(path: Path) -> SimDay:
    """The day of a file. Raises ConfigurationError with every fault."""
    return parse_day(read_yaml(path, shown_as=str(path)))


def parse_day(document: Document) -> SimDay:
    """The day of a document; as `load_day`."""
    file, findings = validate(SimFile, document)
    if file is None:
        raise ConfigurationError(sorted(findings))
    findings += [*_unknown_queues(document, file), *_unserved(document, file), *_without_effect(document, file)]
    if findings:
        raise ConfigurationError(sorted(findings))
    begins = moment_of(file.begins)
    midnight_s = -seconds_of(begins.strftime("%H:%M"))
    groups = dict(_members(file))
    return SimDay(
        title=file.scenario,
        begins_at=begins.timestamp(),
        lasts_s=file.lasts_s,
        plan=_plan(file, groups),
        callers=file.callers,
        groups=groups,
        rosters=dict(_rosters(file, midnight_s)),
        midnight_s=midnight_s,
    )


def _names(group: str, times: int) -> list[str]:
    """ "alice" if she is alone; else support-001 and so on."""
    return [group] if times == 1 else [f"{group}-{number + 1:03d}" for number in range(times)]


def _members(file: SimFile) -> Iterator[tuple[str, SimAgents]]:
    for group, part in file.agents.items():
        yield from ((name, part) for name in _names(group, part.times))


def _plan(file: SimFile, groups: Mapping[str, SimAgents]) -> FloorPlan:
    reasons = dict.fromkeys(pause.reason for part in file.agents.values() for pause in part.pauses)
    return FloorPlan(
        queues={name: written.as_queue(name) for name, written in file.queues.items()},
        agents={
            name: Agent(name, name, f"PJSIP/{name}", part.queues, skills=part.skills)
            for name, part in groups.items()
        },
        pause_reasons=tuple(reasons),
    )


def _rosters(file: SimFile, midnight_s: float) -> Iterator[tuple[str, tuple[Stretch, ...]]]:
    for group, part in file.agents.items():
        for number, name in enumerate(_names(group, part.times)):
            stretches = [*_shifts(part, file.lasts_s, midnight_s), *_pauses(part, number, midnight_s)]
            yield name, tuple(sorted(stretches, key=lambda stretch: stretch.at_s))


def _shifts(part: SimAgents, lasts_s: float, midnight_s: float) -> Iterator[Stretch]:
    if not part.works:
        yield Stretch(part.ready_at_s, "available")
    for shift in part.works:
        first, last = (seconds_of(clock) + midnight_s for clock in shift.split("-"))
        yield Stretch(max(0.0, first), "available")
        if last < lasts_s:
            yield Stretch(max(0.0, last), "logged_out")


def _pauses(part: SimAgents, number: int, midnight_s: float) -> Iterator[Stretch]:
    for pause in part.pauses:
        at_s = seconds_of(pause.at) + midnight_s + pause.spread_s * number / max(1, part.times - 1)
        if at_s >= 0:
            yield Stretch(at_s, "paused", pause.reason)
            yield Stretch(at_s + pause.for_s, "available")


def _unknown_queues(document: Document, file: SimFile) -> Iterator[Finding]:
    named: list[tuple[tuple[str | int, ...], str]] = []
    for number, part in enumerate(file.callers):
        named.append((("callers", number, "queue"), part.queue))
        if part.callback is not None and part.callback.calls_again_to is not None:
            named.append((("callers", number, "callback", "calls_again_to"), part.callback.calls_again_to))
    named += [
        (("agents", group, "queues", place), queue)
        for group, part in file.agents.items()
        for place, queue in enumerate(part.queues)
    ]
    for place, queue in named:
        if queue not in file.queues:
            hint = closest(queue, file.queues) or f"known: {', '.join(file.queues)}"
            yield document.finding(place, "unknown-queue", f"there is no queue `{queue}`", hint)


def _unserved(document: Document, file: SimFile) -> Iterator[Finding]:
    served = {queue for part in file.agents.values() for queue in part.queues}
    for name in file.queues:
        if name not in served:
            hint = f"write `queues: [{name}]` for a group of agents"
            yield document.finding(("queues", name), "no-agents", f"no agent serves `{name}`", hint, key=True)


def _without_effect(document: Document, file: SimFile) -> Iterator[Finding]:
    """Callbacks nobody makes, and flows nobody plays."""
    for number, part in enumerate(file.callers):
        queue = file.queues.get(part.queue)
        if part.callback is not None and queue is not None and queue.callback is None:
            hint = f"write `callback: {{}}` for the queue `{part.queue}`"
            place = ("callers", number, "callback")
            yield document.finding(place, "no-callbacks", f"`{part.queue}` calls nobody back", hint, key=True)
    for name, queue in file.queues.items():
        if queue.callback is not None and queue.callback.flow:
            flow = ("queues", name, "callback", "flow")
            message = "a simulated day plays no flows: who picks up comes straight to the queue"
            yield document.finding(flow, "not-in-a-day", message, "take `flow` out", key=True)
