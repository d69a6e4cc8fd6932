"""What an admin writes about callbacks and cut-off calls: what it means, and what is refused, with its place."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cordboard.acd.callback_policy import CallbackPolicy, CutOffPolicy
from cordboard.acd.cut_off import USUAL_CAUSES
from cordboard.acd.floor_plan import load_floor_plan
from cordboard.acd.model import Queue
from cordboard.bootstrap.configuration import load_configuration
from cordboard.errors import ConfigurationError

AGENTS = "agents: {alice: {name: Alice, device: PJSIP/1001, queues: [sales]}}\n"
FLOW = """\
flow: welcome
languages: [en]
start: bye
nodes:
  bye: {hangup: normal}
"""


def queue(tmp_path: Path, options: str) -> Queue:
    (tmp_path / "queues.yaml").write_text(f"queues:\n  sales: {options}\n")
    (tmp_path / "agents.yaml").write_text(AGENTS)
    return load_floor_plan(tmp_path).queues["sales"]


def test_without_the_sections_people_call_and_nothing_is_cut_off(tmp_path: Path) -> None:
    plain = queue(tmp_path, "{}")
    assert (plain.callback, plain.cut_off) == (None, None)


def test_every_key_means_what_it_says(tmp_path: Path) -> None:
    written = queue(
        tmp_path,
        "{callback: {dial: customer_first, flow: hello, ring_s: 30, detect_machines: false, attempts: 5,"
        " retry_after_s: 60, expires_s: 7200, hours: {zone: Europe/London, week: {mon-fri: '9:00-17:00'}}},"
        " cut_off: {hold_s: 90, ring_back: false, agent_s: 10, causes: [44], identity: confirmed}}",
    )
    assert written.cut_off == CutOffPolicy(90.0, False, 10.0, frozenset({44}), "confirmed")
    assert written.callback is not None
    hours = written.callback.hours
    assert written.callback == CallbackPolicy("customer_first", "hello", 30.0, False, 5, 60.0, 7200.0, hours)
    assert hours is not None and hours.is_open(datetime(2026, 11, 23, 12, tzinfo=UTC))
    assert not hours.is_open(datetime(2026, 11, 22, 12, tzinfo=UTC))


def test_an_empty_section_has_the_defaults(tmp_path: Path) -> None:
    written = queue(tmp_path, "{callback: {}, cut_off: {}}")
    assert written.callback == CallbackPolicy()
    assert queue(tmp_path, "{callback: {dial: agent_first}}").callback == CallbackPolicy("agent_first")
    assert written.cut_off == CutOffPolicy(120.0, True, 30.0, USUAL_CAUSES)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ("{cut_off: {causes: [16]}}", "not-cut-off"),
        ("{cut_off: {identity: anybody}}", "unknown-choice"),
        ("{strategy: ring_all, callback: {dial: agent_first}}", "agent-first-of-many"),
        ("{callback: {dial: both}}", "unknown-choice"),
        ("{callback: {attempts: 0}}", "out-of-range"),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(tmp_path: Path, options: str, code: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        queue(tmp_path, options)
    assert [(one.file, one.line, one.code) for one in refused.value.findings] == [("queues.yaml", 2, code)]


def site(tmp_path: Path, options: str, outside: str = "") -> list[tuple[int, int, str]]:
    """The findings of a whole configuration with this queue, in queues.yaml."""
    queue(tmp_path, options)
    (tmp_path / "cordboard.yaml").write_text(f"zone: UTC\n{outside}")
    (tmp_path / "numbers.yaml").write_text("default: welcome\n")
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "welcome.yaml").write_text(FLOW)
    try:
        load_configuration(tmp_path, need_secrets=False, environment={})
    except ConfigurationError as refused:
        return [(one.line, one.column, one.code) for one in refused.findings if "queues.yaml" in one.file]
    return []


OVER_FREESWITCH = 'switches: [freeswitch]\noutside: {device: "sofia/gateway/trunk/{number}", countries: [GB]}\n'
OUTSIDE = 'outside: {device: "PJSIP/{number}@trunk", countries: [GB]}\n'


@pytest.mark.parametrize(
    ("options", "outside", "found"),
    [
        ("{callback: {flow: welcome}}", OUTSIDE, []),
        ("{cut_off: {ring_back: false}}", "", []),
        ("{callback: {}}", "", [(2, 11, "no-outside-numbers")]),
        ("{cut_off: {}}", "", [(2, 11, "no-outside-numbers")]),
        ("{callback: {flow: welcom}}", OUTSIDE, [(2, 28, "unknown-flow")]),
        ("{callback: {detect_machines: true}}", OVER_FREESWITCH, []),
        ("{callback: {dial: agent_first}}", OVER_FREESWITCH, []),
        ("{cut_off: {}}", OVER_FREESWITCH, []),
    ],
)
def test_callbacks_that_could_not_be_dialled_are_found(
    tmp_path: Path, options: str, outside: str, found: list[tuple[int, int, str]]
) -> None:
    assert site(tmp_path, options, outside) == found
