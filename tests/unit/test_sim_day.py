"""Simulated days: how they are written, what is told of faults, that a seed is a day, and the command."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from typer.testing import CliRunner

from cordboard.acd.ledger_row import LedgerRow
from cordboard.config.yaml_reader import parse_yaml
from cordboard.errors import ConfigurationError
from cordboard.lab.commands import app
from cordboard.lab.sim.day import Day
from cordboard.lab.sim.estimating import DayEstimates
from cordboard.lab.sim.length import always, spread
from cordboard.lab.sim.memory_floor import MemoryFloor
from cordboard.lab.sim.report import day_kpis, play_day
from cordboard.lab.sim.scenario import SimDay, load_day, parse_day

SHIPPED = Path(__file__).parents[2] / "ivr_flows" / "scenarios" / "sim"
SMALL = """
scenario: small
lasts_s: 3600
queues: {sales: {accept: none, wrap_up: {s: 10}}}
callers: [{queue: sales, at_s: 60, times: 3, every_s: 100}]
agents: {alice: {queues: [sales], answers_after_s: 5, talks_s: 120}}
"""


def day_of(text: str) -> SimDay:
    return parse_day(parse_yaml(text.encode(), "day.yaml"))


def faults_of(text: str) -> list[tuple[str, int, int]]:
    with pytest.raises(ConfigurationError) as refused:
        day_of(text)
    return [(fault.code, fault.line, fault.column) for fault in refused.value.findings]


def at(rows: list[LedgerRow], kind: str, begins_at: float) -> list[float]:
    return [round(row.at - begins_at, 2) for row in rows if row.kind == kind]


def test_a_day_that_can_be_reckoned_by_hand() -> None:
    day = day_of(SMALL)
    rows = play_day(day, 1)
    assert at(rows, "entered_queue", day.begins_at) == [60, 160, 260]
    assert at(rows, "joined", day.begins_at) == [65, 200, 335]
    assert at(rows, "wrap_up_ended", day.begins_at) == [195, 330, 465]
    (figures,) = day_kpis(day, rows)
    assert (figures.offered, figures.answered, figures.abandoned) == (3, 3, 0)
    assert figures.wait is not None
    assert figures.wait.mean_s == pytest.approx((5 + 40 + 75) / 3)


def test_the_same_seed_is_the_same_day_and_another_is_another() -> None:
    day = load_day(SHIPPED / "help_desk.yaml")
    first, again, other = (play_day(day, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_clock_of_agents_is_kept() -> None:
    text = SMALL.replace(
        "queues: [sales],", 'queues: [sales], works: "08:30-08:50", pauses: [{at: "08:40", for_s: 60}],'
    )
    day = day_of(text)
    rows = play_day(day, 1)
    told = [(round(row.at - day.begins_at), row.data["presence"]) for row in rows if row.kind == "presence_changed"]
    assert told == [(1800, "available"), (2400, "paused"), (2460, "available"), (3000, "logged_out")]


KEEPS = """
scenario: one agent, two callers
lasts_s: 3600
queues:
  sales:
    accept: none
    wrap_up: {s: 0}
    callback: {attempts: 2, retry_after_s: 30, ring_s: 10, expires_s: 300}
    cut_off: {hold_s: 60}
callers:
  - {queue: sales, at_s: 10, cut_off: TALK}
  - {queue: sales, at_s: 20, DOES}
  - {queue: sales, at_s: 30}
agents: {alice: {queues: [sales], answers_after_s: 0, talks_s: 100}}
"""


def joined(does: str, talk: str = "{}") -> list[tuple[str, float]]:
    """Who talked with alice, and when: by the call under which they have the place then."""
    day = day_of(KEEPS.replace("DOES", does).replace("TALK", talk))
    rows = play_day(day, 1)
    return [(row.entry_id, round(row.at - day.begins_at, 1)) for row in rows if row.kind == "joined"]


@pytest.mark.parametrize(
    "does",
    [
        "steps_out: {share: 1, after_s: 5, for_s: 30, held_for_s: 60}",
        "callback: {share: 1, after_s: 5, answers: 0, calls_again: 1, calls_again_after_s: 30}",
        "cut_off: {waiting: 1, after_s: 5, calls_again: 1, calls_again_after_s: 30}",
    ],
)
def test_who_comes_back_in_time_goes_before_who_came_later(does: str) -> None:
    order = [entry for entry, _ in joined(does)]
    assert order == sorted(order) and len(order) == 3


@pytest.mark.parametrize(
    ("does", "served"),
    [
        ("steps_out: {share: 1, after_s: 5, for_s: 300, held_for_s: 60}", 3),  # anew, as the last
        ("callback: {share: 1, after_s: 5, confirms_after_s: 5, answers: 0}", 2),
        ("cut_off: {waiting: 1, after_s: 5, calls_again: 1, calls_again_after_s: 300}", 3),
        ("cut_off: {waiting: 1, after_s: 5, calls_again: 0}", 2),
    ],
)
def test_who_does_not_has_lost_the_place(does: str, served: int) -> None:
    order = [at_s for _, at_s in joined(does)]
    assert (len(order), order[:2]) == (served, [10.0, 110.0])


def test_who_is_called_back_gets_the_next_agent_who_is_left_for_them() -> None:
    order = [entry for entry, _ in joined("callback: {share: 1, after_s: 5, answers: 1, answers_after_s: 0}")]
    assert order == ["e0000001", "e0000004", "e0000003"], (
        "nobody knows how long talks are before the first has ended"
    )


def test_who_is_cut_off_in_a_talk_is_rung_back_and_has_the_same_agent_first() -> None:
    talks = joined("steps_out: {share: 0}", "{talking: 0.9, answers: 1, answers_after_s: 3}")
    first, again = talks[0][1], talks[1][1]
    assert first == 10.0
    assert again - first < 100 + 10, "before those who came later"
    assert len(talks) > 3


RULES = """
scenario: rules
lasts_s: 3600
queues: {sales: {accept: none, wrap_up: {s: 0}, RULE}}
callers: [{queue: sales, at_s: 60, times: 4, every_s: 10}]
agents: {alice: {queues: [sales], answers_after_s: 0, talks_s: 100, works: "08:00-WORKS"}}
"""
HOURS = 'hours: {zone: UTC, week: {mon: "8:00-8:01"}'


@pytest.mark.parametrize(
    ("rule", "works", "ended"),
    [
        ("max_waiting: 2", "08:59", {"served": 3, "full": 1}),
        ('join_when_empty: "no"', "08:01", {"empty": 4}),
        ('leave_when_empty: "yes"', "08:02", {"served": 1, "empty": 3}),
        (HOURS.replace("8:01", "8:02") + ", at_closing: send_out}", "08:59", {"served": 1, "closed": 3}),
        (HOURS + "}", "08:59", {"closed": 4}),
        ("overflow: [{wait_s: 30}]", "08:59", {"served": 1, "overflow": 3}),
    ],
)
def test_the_rules_of_those_who_wait_hold(rule: str, works: str, ended: dict[str, int]) -> None:
    rows = play_day(day_of(RULES.replace("RULE", rule).replace("WORKS", works)), 1)
    assert Counter(row.data["because"] for row in rows if row.kind in ("left_queue", "refused")) == ended


def test_callers_come_as_the_curve_says() -> None:
    text = SMALL.replace("at_s: 60, times: 3, every_s: 100", 'calls_h: {"08:00": 60, "08:30": 600, "08:45": 0}')
    day = day_of(text)
    came = at(play_day(day, 3), "entered_queue", day.begins_at)
    assert 15 <= sum(when < 1800 for when in came) <= 50
    assert 110 <= sum(1800 <= when < 2700 for when in came) <= 190
    assert max(came) < 2700


@pytest.mark.parametrize(
    ("written", "instead", "faults"),
    [
        ("queue: sales, at_s", "queue: sale, at_s", [("unknown-queue", 5, 19)]),
        ("queue: sales, at_s", "queue: sales, callback: {share: 0.5}, at_s", [("no-callbacks", 5, 26)]),
        ("queue: sales, at_s", "queue: sales, steps_out: {share: 2}, at_s", [("out-of-range", 5, 45)]),
        ("queue: sales, at_s", "queue: sales, cut_off: {wating: 0.1}, at_s", [("unknown-key", 5, 36)]),
        ("accept: none", "accept: none, callback: {flow: hello}", [("not-in-a-day", 4, 43)]),
        ("talks_s: 120", "talks_s: {median: 120}", [("bad-length", 6, 64)]),
        ("talks_s: 120", "talks_s: {median: 120, p90: 60}", [("bad-length", 6, 64)]),
        ("talks_s: 120", 'works: "17:00-08:00"', [("bad-shift", 6, 62)]),
        ("talks_s: 120", "does: goes_dead", [("not-in-a-day", 6, 17)]),
        ("scenario: small", 'scenario: small\nbegins: "23.11.2026"', [("bad-time", 3, 9)]),
        ("queues: {sales: {", "queues: {support: {}, sales: {", [("no-agents", 4, 10)]),
        ("queues: [sales]", "queues: [sales], skils: {a: 1}", [("unknown-key", 6, 35)]),
    ],
)
def test_a_fault_is_told_where_it_stands(written: str, instead: str, faults: list[tuple[str, int, int]]) -> None:
    assert faults_of(SMALL.replace(written, instead)) == faults


def test_lengths_are_spread_as_written() -> None:
    chance = Random(1)
    assert always(7).draw(chance) == 7
    lengths = sorted(spread(100, 250).draw(chance) for _ in range(4000))
    assert lengths[2000] == pytest.approx(100, rel=0.05)
    assert lengths[3600] == pytest.approx(250, rel=0.08)


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_days_can_be_read(file: Path) -> None:
    day = load_day(file)
    assert day.rosters.keys() == day.plan.agents.keys()
    assert all(day.curve(callers) for callers in day.callers if callers.calls_h)


def test_waits_are_estimated_on_the_way() -> None:
    day = load_day(SHIPPED / "help_desk.yaml")
    floor = MemoryFloor(day.plan, 1)
    estimates = DayEstimates(floor, 1, every=10)
    Day(day, floor, 1, estimates.look).play()
    kinds = Counter(row.kind for row in floor.ledger.rows)
    assert 5 < kinds["wait_estimated"] < kinds["entered_queue"] / 10


def test_the_command_prints_the_key_figures(tmp_path: Path) -> None:
    file = tmp_path / "day.yaml"
    file.write_text(SMALL)
    shown = CliRunner().invoke(app, ["sim", str(file), "--seed", "4"])
    assert shown.exit_code == 0
    assert "small: 2026-11-23 08:00 to 2026-11-23 09:00 UTC, seed 4" in shown.stdout
    head, queue = map(json.loads, CliRunner().invoke(app, ["sim", str(file), "--json"]).stdout.splitlines())
    assert (head["calls"], head["agents"], queue["answered"], queue["asa_s"]) == (3, 1, 3, 40.0)


def test_the_command_tells_faults_with_their_place(tmp_path: Path) -> None:
    file = tmp_path / "day.yaml"
    file.write_text(SMALL.replace("queue: sales, at_s", "queue: sale, at_s"))
    refused = CliRunner().invoke(app, ["sim", str(file)])
    assert refused.exit_code == 1
    assert "day.yaml:5:19: there is no queue `sale`" in refused.output
