"""What `queues.yaml` says of those who wait: what it means, and how what is wrong with it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.acd.floor_plan import load_floor_plan
from cordboard.acd.model import Queue
from cordboard.acd.waiting_rules import (
    OverflowStep,
    PeriodicAnnouncement,
    PositionAnnouncement,
    WaitAnnouncement,
)
from cordboard.config.findings import Finding
from cordboard.errors import ConfigurationError

AGENTS = "agents:\n  alice: {device: PJSIP/1001, queues: [sales, support, third]}\n"
OTHERS = "  support: {}\n  third: {}\n"


def write(directory: Path, sales: str, others: str) -> Path:
    (directory / "queues.yaml").write_text(f"queues:\n  sales: {sales}\n{others}")
    (directory / "agents.yaml").write_text(AGENTS)
    return directory


def sales(directory: Path, options: str) -> Queue:
    return load_floor_plan(write(directory, options, OTHERS)).queues["sales"]


def findings(directory: Path, options: str, others: str = OTHERS) -> tuple[Finding, ...]:
    with pytest.raises(ConfigurationError) as refused:
        load_floor_plan(write(directory, options, others))
    return refused.value.findings


def test_nothing_is_limited_unless_it_is_written(tmp_path: Path) -> None:
    queue = sales(tmp_path, "{}")
    assert (queue.max_waiting, queue.join_when_empty, queue.leave_when_empty) == (0, frozenset(), frozenset())
    assert (queue.hours, queue.at_closing, queue.overflow, queue.announce_gap_s) == (None, "serve", (), 0.0)


@pytest.mark.parametrize(
    ("written", "factors"),
    [
        ("yes", set()),
        ("no", {"penalty", "paused", "logged_out"}),
        ("strict", {"penalty", "paused", "logged_out", "unavailable"}),
        ("loose", {"penalty", "logged_out"}),
        ("[wrap_up, in_use]", {"wrap_up", "in_use"}),
        ("[]", set()),
    ],
)
def test_what_makes_an_agent_count_as_nobody(tmp_path: Path, written: str, factors: set[str]) -> None:
    assert sales(tmp_path, f"{{join_when_empty: {written}}}").join_when_empty == factors


def test_steps_of_overflow_keep_their_order(tmp_path: Path) -> None:
    written = "{overflow: [{wait_s: 120, to: support}, {position: 20, ratio: 2.5}, {estimated_s: 600}]}"
    assert sales(tmp_path, written).overflow == (
        OverflowStep(wait_s=120.0, to="support"),
        OverflowStep(position=20, ratio=2.5),
        OverflowStep(estimated_s=600.0),
    )


def test_hours_are_those_of_a_zone(tmp_path: Path) -> None:
    week, exceptions = '{mon-fri: "9:00-17:00"}', "{12-25: closed}"
    hours = f"{{zone: Europe/London, week: {week}, exceptions: {exceptions}, at_closing: send_out}}"
    queue = sales(tmp_path, f"{{hours: {hours}}}")
    assert queue.hours is not None
    assert queue.hours.zone.key == "Europe/London"
    assert queue.hours.week[0] == ((540, 1020),) and queue.hours.week[6] == ()
    assert queue.hours.exceptions == {(0, 12, 25): ()}
    assert queue.at_closing == "send_out"


def test_what_callers_are_told(tmp_path: Path) -> None:
    queue = sales(
        tmp_path,
        "{announce: {min_interval_s: 10,"
        " position: {say: {en: You are}, every_s: 30, up_to: 5, beyond: {en: Behind},"
        " only: better, on_change: true},"
        " wait: {say: {en: About}, minutes: {en: minutes}, minute: {en: one minute}, first_after_s: 5},"
        " periodic: {messages: [{en: One}, {en: Two}], order: random, first_after_s: 0, every_s: 20}}}",
    )
    assert queue.announce == PositionAnnouncement(
        20.0, 30.0, {"en": "You are"}, 5, {"en": "Behind"}, only_changed=True, only_up=True, on_change=True
    )
    assert queue.announce_wait == WaitAnnouncement(
        5.0, 60.0, {"en": "About"}, {"en": "minutes"}, {"en": "one minute"}
    )
    assert queue.announce_periodic == PeriodicAnnouncement(0.0, 20.0, ({"en": "One"}, {"en": "Two"}), "random")
    assert queue.announce_gap_s == 10.0


@pytest.mark.parametrize(
    ("options", "column", "code", "hint"),
    [
        ("{join_when_empty: strikt}", 28, "unknown-factor", "did you mean `strict`?"),
        ("{leave_when_empty: [paused, wrapup]}", 29, "unknown-factor", "did you mean `wrap_up`?"),
        ("{leave_when_empty: [nobody]}", 29, "unknown-factor", "known: logged_out, paused"),
        ("{max_waiting: -1}", 24, "out-of-range", ""),
        ("{overflow: [{to: support}]}", 22, "overflow-at-once", "`wait_s: 120`"),
        ("{overflow: [{wait_s: 5, to: suport}]}", 38, "unknown-queue", "did you mean `support`?"),
        ("{overflow: [{wait_s: 5, to: sales}]}", 22, "overflow-cycle", "let the last of them end"),
        ("{overflow: [{after_s: 5}]}", 23, "unknown-key", ""),
        ('{hours: {zone: Europe/Lodnon, week: {mon: "9:00-17:00"}}}', 25, "unknown-zone", "Europe/London"),
        ("{announce: {wait: {say: {en: About, es: Unos}, minutes: {en: minutes}}}}", 21, "missing-language", ""),
        ("{announce: {position: {say: {en: You}, only: worse}}}", 55, "unknown-choice", ""),
        ("{announce: {periodic: hello}}", 32, "wrong-type", "messages"),
    ],
)
def test_a_fault_is_told_at_its_place(tmp_path: Path, options: str, column: int, code: str, hint: str) -> None:
    (fault,) = (found for found in findings(tmp_path, options) if found.code == code)
    assert (fault.file, fault.line) == ("queues.yaml", 2)
    assert fault.column == column
    assert hint in fault.hint


def test_a_circle_over_several_queues_is_told_once(tmp_path: Path) -> None:
    others = "  support: {overflow: [{position: 3, to: third}]}\n  third: {overflow: [{wait_s: 9, to: sales}]}\n"
    (fault,) = findings(tmp_path, "{overflow: [{wait_s: 5, to: support}]}", others)
    assert fault.code == "overflow-cycle"
    assert "sales to support to third to sales" in fault.message
