"""Writes a simulated call as a flow test that passes: what was given, what the caller did, what came of it.

Used by the simulator's `s` and by `cordboard test --from-trace`. Texts are YAML as a person would write it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cordboard.config.yaml_reader import read_yaml
from cordboard.errors import ConfigurationError
from cordboard.simulation.caller_steps import Presses, Step
from cordboard.simulation.events import Asked, Event, Heard
from cordboard.simulation.expectations import noted, path_of
from cordboard.simulation.given import Given
from cordboard.simulation.hearing import VALUE
from cordboard.simulation.rehearsal import Rehearsal
from cordboard.simulation.replies import agent_words
from cordboard.telephony import outcomes as o
from cordboard.telephony import verbs as v

_PLAIN = re.compile(r"[A-Za-zÀ-ÿ_][\wÀ-ÿ ./'-]*")
_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}")
_NEEDS_QUOTES = frozenset({"true", "false", "null", ""})
_WIDTH = 110


def written_test(name: str, call: Rehearsal, steps: Sequence[Step], language: str | None = None) -> str:
    """A test as an entry of a file's `tests`, indented by two."""
    entry: dict[str, Any] = {"name": name}
    if given := _given(call.given):
        entry["given"] = given
    if language:
        entry["language"] = language
    entry["caller"] = [_step(step) for step in steps]
    entry["expect"] = expected(call)
    return _entry(entry)


def written_file(flow: str, tests: Sequence[str]) -> str:
    """A new file of tests."""
    return f"flow: {flow}\ntests:\n" + "\n".join(tests)


def add_to(path: Path, flow: str, test: str) -> None:
    """Put a test at the end of a file of the same flow, or into a new one."""
    if path.exists():
        before = path.read_text("utf-8").rstrip()
        path.write_text(f"{before}\n\n{test}", "utf-8")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(written_file(flow, [test]), "utf-8")


def is_taken(path: Path, name: str) -> bool:
    """Whether a file has a test of that name already; False for a file with faults."""
    try:
        data = read_yaml(path).data if path.exists() else None
    except ConfigurationError:
        return False
    tests = data.get("tests") if isinstance(data, dict) else None
    return any(isinstance(one, dict) and one.get("name") == name for one in tests or ())


def expected(call: Rehearsal) -> dict[str, Any]:
    """What came of a call, as expectations."""
    found: dict[str, Any] = {"path": path_of(call), "heard": [_said(event, call) for event in _heard(call)]}
    variables = {name: value for name, value in call.run.variables.items() if name not in call.run.secrets}
    if variables:
        found["variables"] = dict(sorted(variables.items()))
    found |= {key: value for key, value in _sent(call) if value}
    if call.ended:
        found["outcome"] = call.ended.result
    return found


def _step(step: Step) -> dict[str, Any]:
    """A step as a person would write it: one prompt without brackets, keys without quotes."""
    ((name, value),) = step.model_dump(exclude_unset=True, mode="json").items()
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(step, Presses) and _WHOLE.fullmatch(value):
        value = int(value)
    return {name: value}


def _given(given: Given) -> dict[str, Any]:
    data: dict[str, Any] = given.model_dump(exclude_defaults=True, mode="json")
    return data


def _heard(call: Rehearsal) -> Iterator[Event]:
    return (event for event in call.events if isinstance(event.what, Heard))


def _said(event: Event, call: Rehearsal) -> str | dict[str, str]:
    """A prompt by its name, with its language if that is not the flow's first; a value by its words."""
    assert isinstance(event.what, Heard)
    said = event.what.said
    if said.name == VALUE:
        return {"text": said.words}
    first = call.premises.flows[call.events[0].flow].languages[0]
    return said.name if said.language == first else f"{said.language}/{said.name}"


def _sent(call: Rehearsal) -> Iterator[tuple[str, Any]]:
    asked = [event.what for event in call.events if isinstance(event.what, Asked)]
    verbs = [one.verb for one in asked]
    yield "requests", [_request(verb) for verb in verbs if isinstance(verb, v.HttpRequest)]
    scripts = [verb for verb in verbs if isinstance(verb, v.RunScript)]
    yield "scripts", [{"script": verb.script, "arguments": dict(verb.arguments)} for verb in scripts]
    notes = [verb for verb in verbs if isinstance(verb, v.Note)]
    yield "tags", noted(note for note in notes if note.kind == "tag")
    yield "surveys", noted(note for note in notes if note.kind == "survey")
    booked = [verb for verb in verbs if isinstance(verb, v.RequestCallback)]
    yield "callbacks", [{"queue": verb.queue, "number": verb.number} for verb in booked]
    yield "agent_line", [agent_words(verb) for verb in verbs if isinstance(verb, v.ActAsAgent)]
    recorded = [(one.verb, one.outcome) for one in asked if isinstance(one.outcome, o.Recorded)]
    yield "messages", [_message(verb, outcome) for verb, outcome in recorded if outcome.duration_s]


def _message(verb: v.Verb, outcome: o.Recorded) -> dict[str, Any]:
    assert isinstance(verb, v.Record)
    return {"folder": verb.folder, "at_least_s": outcome.duration_s}


def _request(verb: v.HttpRequest) -> dict[str, Any]:
    told: dict[str, Any] = {"service": verb.service, "method": verb.method, "path": verb.path}
    if verb.query:
        told["query"] = dict(verb.query)
    if verb.body is not None:
        told["body"] = json.loads(verb.body)
    return told


# YAML by hand: a dumper would neither keep a step on its line nor know which words need quotes here.


def _entry(entry: Mapping[str, Any]) -> str:
    lines = [line for key, value in entry.items() for line in _lines(key, value, 4)]
    return "  - " + "\n".join(lines)[4:] + "\n"


def _lines(key: str, value: Any, indent: int) -> Iterator[str]:
    """A key and its value: on one line if it fits, else one line an entry."""
    margin = " " * indent
    short = f"{margin}{flow_style(key)}: {flow_style(value)}"
    if len(short) <= _WIDTH or not isinstance(value, list | dict) or not value:
        yield short
    elif isinstance(value, list):
        yield f"{margin}{key}:"
        yield from (f"{margin}  - {flow_style(one)}" for one in value)
    else:
        yield f"{margin}{key}:"
        for name, one in value.items():
            yield from _lines(name, one, indent + 2)


def flow_style(value: Any) -> str:
    """A value as YAML on one line, as a person would write it: quotes only where they are needed."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow_style(key)}: {flow_style(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow_style, value)) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.strip() == value and value not in _NEEDS_QUOTES:
        return value
    return json.dumps(value, ensure_ascii=False)
