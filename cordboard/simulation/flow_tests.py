"""Flow tests as values, read from YAML: what a call is given, what the caller does, what must come of it.

    flow: support
    given: {ani: "+442079460123"}                 # for all tests of the file
    tests:
      - name: at night a message is taken
        given: {at: "2026-11-23 20:00", crm: {tier: gold}}
        caller: [{hears: welcome}, {presses: 2}, {speaks: 8}, {hangs_up: true}]
        expect: {passes: [main, night], outcome: hung_up}

The steps are in `caller_steps`, what can be given in `given`, what can be expected in `expectations`. A file is
read with all its faults at once, and what it names is looked up in the flow; `suite` plays it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from cordboard.config.document import Document, Keys
from cordboard.config.findings import Finding
from cordboard.config.validation import Many, Section, Text, closest, validate
from cordboard.config.yaml_reader import read_yaml
from cordboard.errors import ConfigurationError
from cordboard.flows.flow import Flow
from cordboard.simulation.caller_steps import STEPS, Step, prompts_of
from cordboard.simulation.expectations import Expect
from cordboard.simulation.given import Given
from cordboard.simulation.hearing import VALUE
from cordboard.simulation.premises import Premises


class WrittenTest(Section):
    """One test as written; the caller's steps are checked one by one, for better messages."""

    name: Annotated[Text, Field(min_length=1, description="What it shows, in words.")]
    given: Annotated[Given, Field(description="What the call is given.")] = Given()
    language: Annotated[
        Text | None, Field(description="The language it begins in; the flow's first if left out.")
    ] = None
    caller: Annotated[Many[dict[str, Any]], Field(description="What the caller does, step by step.")] = ()
    expect: Annotated[Expect, Field(description="What must be true when the call is over.")] = Expect()


class TestsFile(Section):
    """A file of flow tests."""

    __test__ = False

    flow: Annotated[Text, Field(description="The flow under test.")]
    given: Annotated[
        Given, Field(description="What every test of the file is given, unless it says otherwise.")
    ] = Given()
    tests: Annotated[Many[WrittenTest], Field(min_length=1, description="The tests.")]


@dataclass(frozen=True, slots=True)
class FlowTest:
    """One test, ready to be played. at: where it is written, within the document."""

    document: Document
    at: Keys
    name: str
    flow: Flow
    given: Given
    language: str | None
    steps: tuple[Step, ...]
    expect: Expect

    @property
    def place(self) -> str:
        """File and line."""
        return self.place_of(())

    def place_of(self, keys: Keys) -> str:
        """File and line of a part of it."""
        line, _ = self.document.place((*self.at, *keys))
        return f"{self.document.file}:{line}"


def load_tests(path: Path, premises: Premises, shown_as: str | None = None) -> list[FlowTest]:
    """The tests of a file. Raises ConfigurationError with every fault."""
    return parse_tests(read_yaml(path, shown_as=shown_as), premises)


def parse_tests(document: Document, premises: Premises) -> list[FlowTest]:
    """The tests of a document; as `load_tests`."""
    file, findings = validate(TestsFile, document)
    if file is None:
        findings += _step_findings(document)
        raise ConfigurationError(sorted(findings))
    flow = premises.flows.get(file.flow)
    if flow is None:
        hint = closest(file.flow, premises.flows) or f"known: {', '.join(sorted(premises.flows))}"
        message = f"there is no flow `{file.flow}`"
        raise ConfigurationError([document.finding(("flow",), "unknown-flow", message, hint)])
    names = _Names(document, premises, flow)
    tests = [_test(names, number, written, file.given, findings) for number, written in enumerate(file.tests)]
    findings += names.of_given(("given",), file.given)
    findings += _named_twice(document, file)
    if findings:
        raise ConfigurationError(sorted(findings))
    return tests


def _test(names: _Names, number: int, written: WrittenTest, for_all: Given, findings: list[Finding]) -> FlowTest:
    at: Keys = ("tests", number)
    steps = [_step(names.document, (*at, "caller", index), findings) for index in range(len(written.caller))]
    findings += names.of_given((*at, "given"), written.given)
    findings += names.of_expect((*at, "expect"), written.expect)
    for index, step in enumerate(steps):
        if step is not None:
            findings += names.of_prompts((*at, "caller", index), prompts_of(step))
    return FlowTest(
        names.document,
        at,
        written.name,
        names.flow,
        written.given.over(for_all),
        written.language,
        tuple(step for step in steps if step is not None),
        written.expect,
    )


def _step(document: Document, at: Keys, findings: list[Finding]) -> Step | None:
    """The caller's step at a place, by the key that names it; None with findings if it is wrong."""
    written = document.item(at).data
    named = [key for key in written if key in STEPS]
    if len(named) == 1:
        step, faults = validate(STEPS[named[0]], document, at=at)
        findings += faults
        return step
    if named:
        message = f"`{named[0]}` and `{named[1]}` are two steps; write one after the other"
        findings.append(document.finding(at, "unknown-step", message))
        return None
    hint = next((near for key in written if (near := closest(key, STEPS))), f"one of: {', '.join(STEPS)}")
    findings.append(document.finding(at, "unknown-step", "this names no step of a caller", hint))
    return None


def _step_findings(document: Document) -> list[Finding]:
    """What is wrong with the steps of a file that has faults elsewhere."""
    findings: list[Finding] = []
    tests = document.data.get("tests") if isinstance(document.data, dict) else None
    for number, test in enumerate(tests if isinstance(tests, list) else ()):
        steps = test.get("caller") if isinstance(test, dict) else None
        for index, step in enumerate(steps if isinstance(steps, list) else ()):
            if isinstance(step, dict):
                _step(document, ("tests", number, "caller", index), findings)
    return findings


def _named_twice(document: Document, file: TestsFile) -> Iterator[Finding]:
    seen: set[str] = set()
    for number, test in enumerate(file.tests):
        if test.name in seen:
            place: Keys = ("tests", number, "name")
            yield document.finding(place, "duplicate-test", f"another test is called `{test.name}`")
        seen.add(test.name)


@dataclass(frozen=True, slots=True)
class _Names:
    """Looks up what a file of tests names: a test about something that is not there would never fail."""

    document: Document
    premises: Premises
    flow: Flow

    def of_given(self, at: Keys, given: Given) -> Iterator[Finding]:
        """Nodes, queues, agents, scripts and fields of customers."""
        for number, node in enumerate(given.breaks):
            yield from self._nodes((*at, "breaks", number), node)
        for queue, result in given.queues.items():
            yield from self._known((*at, "queues", queue), "queue", queue, self.premises.plan.queues)
            agent = getattr(result, "agent", None)
            if agent is not None:
                yield from self._known((*at, "queues", queue), "agent", agent, self.premises.plan.agents)
        for script in given.scripts:
            yield from self._known((*at, "scripts", script), "script", script, self.premises.around.scripts)
        for service in given.http:
            yield from self._known(
                (*at, "http", service), "web service", service, self.premises.around.http_services
            )
        customers = [given.crm] if isinstance(given.crm, dict) else given.crm
        for customer in (*(customers if not isinstance(customers, str) else ()), *given.customers.values()):
            for name in customer:
                yield from self._known(
                    (*at, "crm", name), "field", name, self.premises.around.customer_fields or {}
                )

    def of_expect(self, at: Keys, expect: Expect) -> Iterator[Finding]:
        """Nodes, prompts and variables."""
        for key in ("path", "passes", "avoids"):
            for number, node in enumerate(getattr(expect, key) or ()):
                yield from self._nodes((*at, key, number), node)
        for number, said in enumerate(expect.heard or ()):
            if isinstance(said, str):
                yield from self.of_prompts((*at, "heard", number), (said,))
        for name in expect.variables:
            yield from self._known((*at, "variables", name), "variable", name, self._variables())

    def of_prompts(self, at: Keys, names: tuple[str, ...]) -> Iterator[Finding]:
        """Prompts of this flow, and of those it can lead to."""
        known: dict[str, set[str]] = {}
        for flow in self.premises.flows.values():
            for prompt, texts in flow.prompts.items():
                known.setdefault(prompt, set()).update(texts)
        for written in names:
            language, _, name = written.rpartition("/")
            if name == VALUE:
                continue
            if name not in known:
                yield from self._known(at, "prompt", name, {**known, **self.flow.prompts})
            elif language and language not in known[name]:
                yield from self._known(at, "language", language, known[name])

    def _variables(self) -> set[str]:
        return {name for flow in self.premises.flows.values() for name in (*flow.variables, *flow.secrets)}

    def _nodes(self, at: Keys, written: str) -> Iterator[Finding]:
        flow_name, _, node = written.rpartition("/")
        flow = self.premises.flows.get(flow_name) if flow_name else self.flow
        if flow is None:
            yield from self._known(at, "flow", flow_name, self.premises.flows)
        else:
            yield from self._known(at, "node", node, flow.nodes)

    def _known(self, at: Keys, what: str, name: str, known: Collection[str]) -> Iterator[Finding]:
        if name not in known:
            hint = closest(name, known) or f"known: {', '.join(sorted(known)) or 'none'}"
            code = f"unknown-{what.replace(' ', '-')}"
            yield self.document.finding(at, code, f"there is no {what} `{name}`", hint)
