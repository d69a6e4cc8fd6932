"""The steps of a call as text that outlives the process.

What is noted of a step is what the engine was given (an outcome, a fault, the time) and what it made of it (the
verb, the nodes passed, the variables changed). Digits that are secret are noted as so many dots, which route alike,
as a flow may only ask for their number. Pure; used by `service.tracing` and by `replay`, which makes the same steps
again from that text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any, get_args

import orjson

from cordboard.flows.given import Given, StepKind, make_step, typed_keys
from cordboard.flows.run import FlowRun, Step
from cordboard.telephony.hangup_causes import HangupCause
from cordboard.telephony.outcomes import Gathered, HungUp, Interrupted, LookedUp, Outcome
from cordboard.telephony.verbs import ActAsAgent, Gather, Prompt, RunScript, Verb

DOT = "•"  # for each secret digit
_OUTCOMES: dict[str, Any] = {kind.__name__: kind for kind in get_args(Outcome)}
_PLAIN = frozenset([str, int, float, bool, type(None)])
_FIELDS: dict[type, tuple[tuple[str, Any], ...]] = {}


@dataclass(frozen=True, slots=True)
class TracedStep:
    """One noted step. flow, revision: those the call was in, the outermost if flows called each other.

    record: all of it but kind and time, as `record_of` made it.
    """

    kind: StepKind
    at: datetime
    flow: str
    revision: str
    record: str = field(repr=False)

    @property
    def data(self) -> dict[str, Any]:
        """The record as plain data: `outcome`, `reason`, `before`, and what came of it."""
        data: dict[str, Any] = json.loads(self.record)  # exact for integers of any size, unlike faster ones
        return data

    @property
    def given(self) -> Given:
        """What the engine was given. Raises ValueError for a record that is none of ours."""
        data = self.data
        outcome = outcome_of(data["outcome"]) if "outcome" in data else None
        return Given(self.kind, self.at, outcome, data.get("reason", ""), data.get("keys", ""), data.get("before"))


def record_of(given: Given, step: Step, *, is_secret: bool) -> str:
    """All that there is to know of a step, as JSON on one line. No secret is in it, if none is in `given.keys`.

    is_secret: the outcome answers a secret gather.
    """
    outcome = given.outcome
    told = outcome_json(_masked(outcome, is_secret)) if outcome is not None else None
    put_in = {"outcome": told, "reason": given.reason, "keys": given.keys, "before": given.before}
    return as_text({key: value for key, value in put_in.items() if value} | step_json(step))


def with_keys(given: Given, run: FlowRun, step: Step) -> Given:
    """The same with the keys that had been typed ahead, as many of them hidden as lead to the same step.

    What was typed for a menu must show, or nobody could tell why it went there; a PIN typed behind it need not.
    run: the one that went on, with the true keys.
    """
    keys, made = typed_keys(run, given.outcome), step_json(step)
    for shown in range(len(keys)):
        hidden = replace(given, keys=keys[:shown] + _dots(keys[shown:]))
        if step_json(make_step(run, hidden)) == made:
            return hidden
    return replace(given, keys=keys)


def as_text(data: Mapping[str, Any]) -> str:
    """JSON on one line, the same for the same data."""
    try:
        return orjson.dumps(data).decode()
    except (TypeError, UnicodeEncodeError):  # a number of more than 64 bits, half a character
        return json.dumps(data, separators=(",", ":"))


def is_secret_question(verb: Verb | None) -> bool:
    """Whether the outcome of the verb holds secret digits."""
    return isinstance(verb, Gather) and verb.secret


def _masked(outcome: Outcome, is_secret: bool) -> Outcome:
    """Without secret digits. Keys that came during a prompt are in `Given.keys`, as far as they may show."""
    if isinstance(outcome, Interrupted) or (is_secret and isinstance(outcome, Gathered)):
        return replace(outcome, digits=_dots(outcome.digits))
    return outcome


def _dots(digits: str) -> str:
    return DOT * len(digits)


# What is noted


def step_json(step: Step) -> dict[str, Any]:
    """What the engine made, as plain data. Left out is what is empty."""
    run = step.run
    told = {
        "node": f"{run.flow.name}/{run.node}",
        "language": run.language,
        "seq": run.seq,
        "verb": verb_json(step.verb) if step.verb is not None else None,
        "finish": [step.finish.kind, step.finish.flow] if step.finish else None,
        "typed": len(run.typed),
        "attempts": list(run.attempts) if any(run.attempts) else None,
        "passed": [[one.flow, one.node, one.exit, dict(one.changed)] for one in step.passed],
        "faults": list(step.faults),
    }
    return {key: value for key, value in told.items() if value}


def verb_json(verb: Verb) -> dict[str, Any]:
    """A verb without secret digits: `{"Gather": {...}}`."""
    if isinstance(verb, Gather) and verb.typed:
        verb = replace(verb, typed=_dots(verb.typed))
    elif isinstance(verb, RunScript) and verb.secrets:
        verb = replace(verb, secrets=tuple((name, _dots(digits)) for name, digits in verb.secrets))
    elif isinstance(verb, ActAsAgent) and verb.pin:
        verb = replace(verb, pin=_dots(verb.pin))
    return _object(verb)


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome, all of it: `{"Gathered": {"digits": "1", "ended_by": "full"}}`."""
    return _object(outcome)


def _plain(value: Any) -> Any:
    """A field's value as JSON has it."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Prompt):  # its text is the revision's
        return f"{value.flow}/{value.name}.{value.language}"
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, Enum):
        return value.value
    return _object(value) if is_dataclass(value) else str(value)


def _object(value: Any) -> dict[str, Any]:
    """By the name of its class, without what is as it is by default."""
    kind = type(value)
    told = {}
    for name, default in _fields(kind):
        one = getattr(value, name)
        if one is not default and one != default:
            told[name] = _plain(one)
    return {kind.__name__: told}


def _fields(kind: type) -> tuple[tuple[str, Any], ...]:
    """The fields of a class with their defaults, worked out once."""
    known = _FIELDS.get(kind)
    if known is None:
        known = _FIELDS[kind] = tuple((one.name, _default(one)) for one in fields(kind))
    return known


def _default(one: Field[Any]) -> Any:
    return one.default_factory() if one.default_factory is not MISSING else one.default


# The way back


def outcome_of(data: Mapping[str, Any]) -> Outcome:
    """The outcome that `outcome_json` was given. Raises ValueError for anything else."""
    name, values = next(iter(data.items()), ("", dict[str, Any]()))
    kind = _OUTCOMES.get(name)
    if kind is None:
        raise ValueError(f"`{name}` is no outcome")
    if kind is HungUp:
        return HungUp(HangupCause(values.get("cause", HangupCause.NORMAL)))
    if kind is LookedUp:
        values = {**values, "others": tuple(values.get("others", ()))}
    try:
        outcome: Outcome = kind(**values)
    except TypeError as fault:
        raise ValueError(str(fault)) from fault
    return outcome
