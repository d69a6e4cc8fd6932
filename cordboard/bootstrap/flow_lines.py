"""What admins read at the desk, made of the configuration and of what the supervisor has noted. Pure.

Called by `live_flows`. Texts that come from files lose what does not print.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cordboard.bootstrap.configuration import Configuration
from cordboard.desk.flow_page import Fault, FlowLine, Refusal
from cordboard.flows.flow import Flow
from cordboard.redaction import clean
from cordboard.settings import Numbers

NUMBERS_SHOWN = 12
FAULTS_SHOWN = 200

Entries = Mapping[tuple[str, str], Mapping[str, Any]]
"""The entry of the revisions' log that tells how a revision went live last, by flow and revision."""


def last_entries(entries: Iterable[Mapping[str, Any]]) -> Entries:
    """The last entry of each revision. entries: all there are, the earliest first."""
    return {(flow, now): entry for entry in entries for flow, (_, now) in entry["flows"].items() if now}


def flow_lines(configuration: Configuration, entries: Entries) -> tuple[FlowLine, ...]:
    """A line for each flow, by name. Nobody has counted their calls yet."""
    flows, numbers = configuration.house.flows, configuration.house.numbers
    dialled, led_from = _grouped(numbers), _led_from(flows)
    return tuple(
        _line(flow, entries, dialled.get(name, []), sorted(led_from.get(name, ())), numbers.default == name)
        for name, flow in sorted(flows.items())
    )


def with_calls(lines: Iterable[FlowLine], calls: Mapping[str, int]) -> tuple[FlowLine, ...]:
    """The same with how many calls each had today."""
    return tuple(replace(line, calls_today=calls.get(line.name, 0)) for line in lines)


def _line(flow: Flow, entries: Entries, dialled: list[str], led_from: list[str], is_default: bool) -> FlowLine:
    entry = entries.get((flow.name, flow.revision), {})
    return FlowLine(
        name=flow.name,
        revision=flow.revision,
        since_at=entry.get("at"),
        by=entry.get("by", ""),
        who=clean(entry.get("who", "")),
        message=clean(entry.get("message", "")),
        numbers=tuple(dialled[:NUMBERS_SHOWN]),
        numbers_count=len(dialled),
        is_default=is_default,
        reached_from=tuple(led_from),
        nodes=len(flow.shapes),
        calls_today=None,
    )


def _grouped(numbers: Numbers) -> dict[str, list[str]]:
    """The numbers of each flow."""
    grouped: dict[str, list[str]] = {}
    for dnis, flow in numbers.numbers.items():
        grouped.setdefault(flow, []).append(clean(dnis))
    return grouped


def _led_from(flows: Mapping[str, Flow]) -> dict[str, set[str]]:
    """By flow, the others that call it or go to it."""
    led: dict[str, set[str]] = {}
    for name, flow in flows.items():
        gone_to = [shape.written.get("goto") for shape in flow.shapes.values()]
        for target in {*flow.subflows, *(one["flow"] for one in gone_to if isinstance(one, dict))} - {name}:
            led.setdefault(target, set()).add(name)
    return led


def refusal_shown(refusal: Mapping[str, Any] | None, directory: Path) -> Refusal | None:
    """A refusal as `publishing` has noted it. directory: the configuration's, which places are told within."""
    if refusal is None:
        return None
    found = refusal["findings"]
    return Refusal(
        at=refusal["at"],
        by=refusal["by"],
        message=clean(refusal["message"]),
        faults=tuple(_fault(one, directory) for one in found[:FAULTS_SHOWN]),
        faults_count=len(found),
    )


def _fault(finding: Mapping[str, Any], directory: Path) -> Fault:
    file = Path(finding["file"])
    shown = file.relative_to(directory) if file.is_relative_to(directory) else file
    place = f"{shown}:{finding['line']}:{finding['column']}"
    hint = "\n".join(map(clean, finding["hint"].splitlines()))
    return Fault(clean(place), finding["code"], clean(finding["message"]), hint)
