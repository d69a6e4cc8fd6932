"""Verbs and options that a switch of the settings cannot carry out: `switch-lacks`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cordboard.config.document import Keys
from cordboard.config.findings import Finding
from cordboard.flows.lint.subject import Subject
from cordboard.telephony.capabilities import LACKING, PLACE_PRIORITY, UNSPOKEN


def lacking_switches(subject: Subject) -> Iterator[Finding]:
    """Each feature of a node that one of the switches lacks."""
    lacking = [(switch, LACKING[switch]) for switch in subject.surroundings.switches if LACKING[switch]]
    if not lacking:
        return
    for node, shape in subject.shapes.items():
        for feature, keys in _features(subject, shape.verb, shape.written):
            for switch, table in lacking:
                if feature in table:
                    message = f"{switch} cannot do `{feature}`"
                    yield subject.at(("nodes", node, *keys), "switch-lacks", message, table[feature], key=True)


def unspoken_languages(subject: Subject) -> Iterator[Finding]:
    """Each language of a flow that speaks values, in which one of the switches would be silent."""
    if not any(subject.spoken.values()) and not any(shape.verb == "say" for shape in subject.shapes.values()):
        return
    written = subject.document.data.get("languages", ())
    for number, tag in enumerate(written if isinstance(written, list) else ()):
        for switch in subject.surroundings.switches:
            if str(tag).partition("-")[0] in UNSPOKEN[switch]:
                message = f"{switch} cannot say values in `{tag}`"
                hint = "it would be silent: say no values in this language, or take its calls on the other switch"
                yield subject.at(("languages", number), "switch-lacks", message, hint)


def _features(subject: Subject, verb: str, written: Mapping[str, Any]) -> Iterator[tuple[str, Keys]]:
    """What a node asks of a switch, and where it is written: see `capabilities`."""
    yield verb, (verb,)
    for option, value in written.items():
        keys: Keys = (option,)
        yield f"{verb}.{option}", keys
        if isinstance(value, str | int | bool):
            yield f"{verb}.{option}={value}", keys
        elif isinstance(value, Mapping) and option == verb:
            for inner in value:
                yield f"{verb}.{inner}", (option, inner)
    to = written["transfer"].get("to") if isinstance(written.get("transfer"), Mapping) else None
    place = subject.surroundings.destinations.get(str(to), "")
    if place and place.rpartition(",")[2] != "1":
        yield PLACE_PRIORITY, ("transfer", "to")
