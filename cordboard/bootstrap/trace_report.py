"""A call's trace as lines that people read: where it was, what was asked of it, what came of that, where it went.

Pure; used by `cordboard trace` and `cordboard replay`. Of callers it shows what the trace holds: no secrets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cordboard.flows.replay import Difference
from cordboard.flows.trace import TracedStep
from cordboard.redaction import clean

_LONGEST = 60
_TOOK_OVER = {
    "resume": "another worker has taken the call over, at this node's beginning",
    "return": "the call has come back from what the switch went on with",
    "fail": "something outside the flow broke",
}
_FINISHES = {
    "hung_up": "the call is over",
    "other_flow": "on in another flow",
    "failed": "to the safe destination",
    "transferred": "transferred: the switch has it",
}
_UNHEARD = {"hung_up": "hung up, while the switch had the call"}
HEAD = ("TIME", "NODE", "ASKED", "CAME OF IT", "WAY", "CHANGED")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table. node: "flow/node"; asked: the verb; outcome: what came of it; way: the exit taken."""

    offset_s: float
    node: str = ""
    asked: str = ""
    outcome: str = ""
    way: str = ""
    changed: str = ""

    def cells(self) -> tuple[str, ...]:
        """As shown: a caller or a CRM may have chosen some of it, and a terminal obeys what does not print."""
        told = (self.node, self.asked, self.outcome, self.way, self.changed)
        return f"+{self.offset_s:.3f}", *map(clean, told)


def trace_lines(steps: Sequence[TracedStep], result: str = "") -> Iterator[Line]:
    """The table's lines. A verb and what came of it, which two steps tell of, are one line.

    result: how the call ended. A caller who hangs up while no worker has the call (in a talk) takes no step more.
    """
    began, asked = steps[0].at, None
    for step in steps:
        data, offset_s = step.data, (step.at - began).total_seconds()
        yield from _gone_on(step, data, offset_s, asked)
        asked = _asked(data, offset_s)
    if asked is not None:
        yield Line(asked.offset_s, asked.node, asked.words, _UNHEARD.get(result, "not known, or not yet"))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A verb under way. name: its class."""

    offset_s: float
    node: str
    name: str
    words: str


def _asked(data: Mapping[str, Any], offset_s: float) -> _Asked | None:
    if "verb" not in data:
        return None
    return _Asked(offset_s, data["node"], next(iter(data["verb"])), verb_words(data["verb"]))


def _gone_on(step: TracedStep, data: Mapping[str, Any], offset_s: float, asked: _Asked | None) -> Iterator[Line]:
    """What came of the verb under way, and what followed until the next one."""
    passed: list[Sequence[Any]] = list(data.get("passed", ()))
    outcome = outcome_words(data["outcome"]) if "outcome" in data else ""
    if asked is not None:
        here = [passed.pop(0)] if passed and f"{passed[0][0]}/{passed[0][1]}" == asked.node else []
        is_again = asked.name in data.get("verb", ())
        way, changed = (_way(here[0]), _changed(here[0])) if here else ("asks again" if is_again else "", "")
        yield Line(asked.offset_s, asked.node, asked.words, outcome, way, changed)
    if step.kind in _TOOK_OVER:
        yield Line(offset_s, outcome=" ".join(filter(None, [_TOOK_OVER[step.kind], data.get("reason", "")])))
    for one in passed:
        yield Line(offset_s, f"{one[0]}/{one[1]}", way=_way(one), changed=_changed(one))
    for fault in data.get("faults", ()):
        yield Line(offset_s, outcome=f"fault: {fault}")
    if "finish" in data:
        kind, flow = data["finish"]
        yield Line(offset_s, outcome=" ".join(filter(None, [_FINISHES.get(kind, kind), flow])))


def _way(passed: Sequence[Any]) -> str:
    return str(passed[2]) or "ends here"


def _changed(passed: Sequence[Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in passed[3].items())


def verb_words(verb: Mapping[str, Any]) -> str:
    """A noted verb, in short: "gather ask_pin (secret)"."""
    name, values = next(iter(verb.items()))
    return _short(f"{_plain_name(name)} {_VERBS.get(name, _values)(values)}")


def outcome_words(outcome: Mapping[str, Any]) -> str:
    """A noted outcome, in short: "gathered 3 (full)"."""
    name, values = next(iter(outcome.items()))
    return _short(f"{_plain_name(name)} {_OUTCOMES.get(name, _values)(values)}")


def _heard(values: Mapping[str, Any]) -> str:
    names = [_prompt(one) for one in values.get("prompts", ())]
    return " ".join([*names, *(["(secret)"] if values.get("secret") else [])])


def _prompt(one: Any) -> str:
    """A prompt by its name alone; a value by how it is said."""
    if isinstance(one, str):
        return one.split("/", 1)[-1].rsplit(".", 1)[0]
    return f"{one['Say']['kind']} {one['Say']['value']!r}" if "Say" in one else str(one)


def _target(values: Mapping[str, Any]) -> str:
    target = values.get("target", {})
    inside: Mapping[str, Any] = next(iter(target.values()), {}) if isinstance(target, dict) else {}
    return str(inside.get("extension") or inside.get("number") or "")


_Words = Callable[[Mapping[str, Any]], str]
_VERBS: dict[str, _Words] = {
    "Play": _heard,
    "Gather": _heard,
    "Dial": _target,
    "Enqueue": lambda values: str(values["queue"]),
    "HttpRequest": lambda values: f"{values['method']} {values['service']} {values['path']}",
    "RunScript": lambda values: str(values["script"]),
    "Note": lambda values: f"{values['name']} = {values['value']}",
    "LookUp": lambda values: str(values.get("number", "")),
}
_OUTCOMES: dict[str, _Words] = {
    "Gathered": lambda values: f"{values['digits']} ({values['ended_by']})",
    "LookedUp": lambda values: str(values["status"]),
    "HungUp": lambda values: str(values.get("cause", "")),
    "Interrupted": lambda values: "",
    "AgentRung": lambda values: str(values["result"]).replace("_", " "),
    "LeftByKey": lambda values: f"{values['key']}{', keeps the place' if values['keeps_place'] else ''}",
}


def _values(values: Mapping[str, Any]) -> str:
    return " ".join(str(value) for value in values.values() if not isinstance(value, dict | list))


def _plain_name(name: str) -> str:
    """ "NotConnected" is "not connected"."""
    return "".join(f" {one.lower()}" if one.isupper() and place else one.lower() for place, one in enumerate(name))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def as_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows under each other, in columns as wide as they must be; columns without anything are left out."""
    used = [number for number in range(len(rows[0])) if any(row[number] for row in rows[1:])]
    widths = {number: max(len(row[number]) for row in rows) for number in used}
    return "\n".join("  ".join(row[number].ljust(widths[number]) for number in used).rstrip() for row in rows)


def step_json(step: TracedStep, began: datetime) -> dict[str, Any]:
    """A step as one JSON-ready dictionary."""
    head = {"at": step.at.isoformat(), "offset_s": round((step.at - began).total_seconds(), 6), "kind": step.kind}
    return head | {"flow": step.flow, "revision": step.revision} | step.data


def difference_words(found: Difference, steps: Sequence[TracedStep]) -> str:
    """Where a replay went another way, and how."""
    offset_s = (steps[found.number].at - steps[0].at).total_seconds()
    lines = [f"step {found.number + 1} of {len(steps)}, at +{offset_s:.3f} s, is another one:"]
    if found.replayed is None:
        return "\n".join([*lines, f"  {found.reason}"])
    for key in {**found.recorded, **found.replayed}:
        was, now = found.recorded.get(key), found.replayed.get(key)
        if was != now:
            lines.append(f"  {key}: recorded {was!r}, replayed {now!r}")
    return "\n".join(lines)
