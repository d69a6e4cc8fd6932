"""A scenario as a value: who calls, what they must hear and do, and what must be true at the end.

    scenario: A Spanish caller reaches the operator
    callers:
      - ani: "+442079460123"
        name: Ada Lovelace
        dials: "5000"
        does:
          - {hears: welcome}
          - {hears_begin: main_menu}
          - {presses: 2, after_s: 0.2}
          - {hears: es/goodbye}
          - {is_hung_up: normal}
    phones:
      "1001": {answers_after_s: 1, talks_s: 3}
    agents:
      alice: {answers_after_s: 1, disposition: sold}
    expect:
      - {path: [greeting, menu, spanish, bye]}
      - {no_channels_left: true}

The steps are in `scenario_steps`, agents in `scenario_agents`, expectations in `scenario_expectations`. Here the
file is read and checked, with all faults at once; `player` plays it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from cordboard.config.document import Document
from cordboard.config.findings import Finding
from cordboard.config.validation import Many, Section, Text, closest, validate
from cordboard.config.yaml_reader import read_yaml
from cordboard.errors import ConfigurationError, LabError
from cordboard.lab.prompt_book import PromptBook
from cordboard.lab.scenario_agents import AgentPart
from cordboard.lab.scenario_expectations import EXPECTATIONS, Expectation
from cordboard.lab.scenario_steps import STEPS, Seconds, Step, prompts_of

_RawSteps = Many[dict[str, Any]]


class PhonePart(Section):
    """What a phone does with calls: answer and talk (the default), reject with 486, or let it ring."""

    answers_after_s: Seconds = Field(default=1.0, description="When it picks up.")
    talks_s: Seconds = Field(default=3.0, description="When it hangs up after that.")
    does: Literal["answers", "rejects", "ignores"] = Field(
        default="answers", description="What it does with calls."
    )


class CallerPart(Section):
    """One caller. at_s: after the scenario began; times, every_s: so often, so far apart.

    language, flow: of the prompts named without one. host: the address the call comes from; the lab's trunk takes
    127.0.0.2 to 127.0.0.15.
    """

    dials: Text = Field(description="The number that is dialled.")
    ani: Text = Field(default="", description="The caller's number; empty for a withheld one.")
    name: Text = Field(default="", description="The caller's name, as the trunk sends it.")
    at_s: Seconds = Field(default=0.0, description="When the call comes, after the scenario began.")
    times: Annotated[int, Field(ge=1, le=1_000)] = Field(default=1, description="How many such calls.")
    every_s: Seconds = Field(default=1.0, description="How far apart they are.")
    language: Text = Field(default="", description="The language of prompts that are named without one.")
    flow: Text = Field(default="", description="The flow of prompts that are named without one.")
    host: Annotated[Text, Field(pattern=r"^127\.0\.0\.([2-9]|1[0-5])$")] = Field(
        default="127.0.0.2", description="The address the call comes from."
    )
    does: _RawSteps = Field(default=(), min_length=1, description="What the caller does, step by step.")


class ScenarioFile(Section):
    """The file as written; steps and expectations are checked one by one, for better messages."""

    scenario: Text = Field(description="What it shows, in words.")
    callers: Many[CallerPart] = Field(min_length=1, description="Who calls.")
    phones: dict[str, PhonePart] = Field(
        default_factory=dict, description="What phones do with calls, by extension."
    )
    agents: dict[Text, AgentPart] = Field(default_factory=dict, description="What agents do, by name.")
    expect: Many[dict[str, Any]] = Field(default=(), description="What must be true at the end.")


@dataclass(frozen=True, slots=True)
class ScriptedCaller:
    """A caller with the steps, ready to be played."""

    part: CallerPart
    steps: tuple[Step, ...]

    @property
    def shown_as(self) -> str:
        """How the caller is named in the time line."""
        return self.part.name or self.part.ani or "anonymous"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario that was read and checked."""

    title: str
    callers: tuple[ScriptedCaller, ...]
    phones: Mapping[str, PhonePart] = field(default_factory=dict)
    agents: Mapping[str, AgentPart] = field(default_factory=dict)
    expectations: tuple[Expectation, ...] = ()


def load_scenario(path: Path, book: PromptBook | None = None) -> Scenario:
    """The scenario of a file. book: if given, every prompt named must be in it.

    Raises ConfigurationError with every fault.
    """
    return parse_scenario(read_yaml(path, shown_as=str(path)), book)


def parse_scenario(document: Document, book: PromptBook | None = None) -> Scenario:
    """The scenario of a document; as `load_scenario`."""
    file, findings = validate(ScenarioFile, document)
    if file is None:
        raise ConfigurationError(sorted(findings))
    callers = [_caller(document, number, part, book, findings) for number, part in enumerate(file.callers)]
    checked = [_check(document, ("expect", number), EXPECTATIONS, findings) for number in range(len(file.expect))]
    findings = findings or _unknown_agents(document, file, callers, checked)
    if findings:
        raise ConfigurationError(sorted(findings))
    expectations = tuple(one for one in checked if one is not None)
    return Scenario(file.scenario, tuple(callers), file.phones, file.agents, expectations)


def _caller(
    document: Document, number: int, part: CallerPart, book: PromptBook | None, findings: list[Finding]
) -> ScriptedCaller:
    places = [("callers", number, "does", index) for index in range(len(part.does))]
    steps = [_check(document, place, STEPS, findings) for place in places]
    if book is not None:
        for place, step in zip(places, steps, strict=True):
            if step is not None:
                findings += _unknown_prompts(document, place, step, part, book)
    return ScriptedCaller(part, tuple(step for step in steps if step is not None))


def _check(document: Document, place: tuple[str | int, ...], kinds: dict[str, Any], findings: list[Finding]) -> Any:
    """The step or expectation at a place, by the key that names it; None with findings if it is wrong."""
    written = document.item(place).data
    named = [key for key in written if key in kinds]
    if len(named) == 1:
        value, faults = validate(kinds[named[0]], document, at=place)
        findings += faults
        return value
    hint = next((near for key in written if (near := closest(key, kinds))), f"one of: {', '.join(kinds)}")
    message = (
        f"`{named[0]}` and `{named[1]}` are two steps; write one after the other" if named else "this names no step"
    )
    findings.append(document.finding(place, "unknown-step", message, hint="" if named else hint))
    return None


def _unknown_agents(
    document: Document, file: ScenarioFile, callers: list[ScriptedCaller], checked: list[Expectation | None]
) -> list[Finding]:
    """Agents that are joined, or whose pops and offers are expected, and who do not play."""
    steps = [
        (("callers", number, "does", index), agent)
        for number, caller in enumerate(callers)
        for index, step in enumerate(caller.steps)
        if (agent := getattr(step, "joined", None)) is not None
    ]
    expected = [
        (("expect", number), agent)
        for number, one in enumerate(checked)
        if (agent := getattr(one, "pop", None) or getattr(one, "offers", None)) is not None
    ]
    return [
        document.finding(
            place, "unknown-agent", f"`{agent}` is no agent of this scenario", closest(agent, file.agents)
        )
        for place, agent in (*steps, *expected)
        if agent not in file.agents
    ]


def _unknown_prompts(
    document: Document, place: tuple[str | int, ...], step: Step, part: CallerPart, book: PromptBook
) -> list[Finding]:
    found = []
    for name in prompts_of(step):
        try:
            book.resolve(name, part.language, part.flow)
        except LabError as fault:
            found.append(document.finding(place, "unknown-prompt", str(fault)))
    return found
