"""Key figures and the queue_log, read from both databases: what all rows give in memory, to the last digit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cordboard.acd.agent_kpis import AgentKpis, agent_kpis
from cordboard.acd.kpis import kpis
from cordboard.acd.model import FloorPlan, LeftBecause, Presence
from cordboard.acd.queue_log import queue_log_lines
from cordboard.store.address import Address
from cordboard.store.kpi_reads import IntervalKpis, KpiLine, KpiQuestion, interval_edges, read_kpi_lines
from cordboard.store.queue_log_rows import all_log_lines
from tests.doubles.floor_kit import PLAN, START, FloorKit

END = START + 1000.0


@pytest.fixture
def floor(database: Address) -> Iterator[FloorKit]:
    """A period that begins at START and ends at END, with calls before, across, in and after it."""
    kit = FloorKit(database)
    kit.now = type(kit.now)(START - 100, 1000.0)
    kit.enter("before")
    kit.pass_time(150)
    kit.leave("before")
    talk(kit, "in", 60)
    kit.enter("left")
    kit.pass_time(8)
    kit.leave("left", LeftBecause.OVERFLOW)
    kit.pass_time(END - kit.now.wall - 20)
    kit.enter("gives up later", "support")
    talk(kit, "across", 60)
    kit.leave("gives up later")
    talk(kit, "after", 5)
    yield kit
    kit.close()


def talk(floor: FloorKit, call: str, talk_s: float) -> None:
    floor.presence("alice")
    offer = floor.enter(call).offer
    assert offer is not None
    floor.pass_time(3)
    floor.leg("joined", offer.offer_id)
    floor.pass_time(talk_s)
    floor.leg("gone", offer.offer_id)
    floor.dispose("alice", offer.offer_id, "sold")
    floor.presence("alice", Presence.LOGGED_OUT)


def read(floor: FloorKit, by: str, until: float = END, queue: str = "", plan: FloorPlan = PLAN) -> list[KpiLine]:
    asked = KpiQuestion(START, until, by, queue, 500.0)  # type: ignore[arg-type]
    return list(floor.do(lambda c: read_kpi_lines(c, plan, asked, floor.now.wall)))


def test_the_queues_of_a_period_with_what_came_of_its_calls_later(floor: FloorKit) -> None:
    within = [row for row in floor.ledger() if row.at >= START]
    expected = [kpis(within, queue, until=END) for queue in PLAN.queues.values()]
    assert read(floor, "queue") == expected
    assert (expected[0].offered, expected[0].answered, expected[0].talks_ended) == (3, 2, 2)
    assert (expected[1].offered, expected[1].abandoned) == (1, 1)
    assert read(floor, "queue", queue="sales") == expected[:1]
    (sales, _support) = read(floor, "queue", math.inf)
    assert sales == kpis(within, PLAN.queues["sales"])


def test_agents_with_their_time_cut_and_their_offers_whole(floor: FloorKit) -> None:
    agents = dict.fromkeys(PLAN.agents, Presence.LOGGED_OUT)
    assert read(floor, "agent") == agent_kpis(floor.ledger(), agents, START, END)
    (alice, _bob) = agent_kpis(floor.ledger(), agents, START, END)
    assert (alice.offers, alice.time.busy_s, alice.time.free_s) == (2, 60 + 17, 6)


def test_agents_of_one_queue_have_its_calls_and_all_their_time(floor: FloorKit) -> None:
    """Nobody is free for one queue who talks for another."""
    both = replace(PLAN.agents["alice"], queues=("sales", "support"))
    (alice,) = read(floor, "agent", queue="support", plan=FloorPlan(PLAN.queues, {"alice": both}))
    assert isinstance(alice, AgentKpis)
    assert (alice.offers, alice.talks_ended) == (0, 0)
    assert (alice.time.busy_s, alice.time.free_s) == (60 + 17, 6)


def test_intervals_together_are_the_period(floor: FloorKit) -> None:
    found = [one for one in read(floor, "interval", queue="sales") if isinstance(one, IntervalKpis)]
    assert [(one.since - START, one.kpis.offered) for one in found] == [(0, 2), (500, 1)]
    assert [one.since for one in found[1:]] == [one.until for one in found[:-1]]
    up_to_now = [one for one in read(floor, "interval", math.inf, "sales") if isinstance(one, IntervalKpis)]
    assert (len(up_to_now), up_to_now[-1].until) == (3, floor.now.wall)


def test_reasons(floor: FloorKit) -> None:
    found = {
        (one["what"], one["reason"]): one["count"] for one in (line.as_json() for line in read(floor, "reason"))
    }
    assert found[("left", "overflow")] == 1
    assert found[("left", "served")] == 2
    assert found[("disposition", "sold")] == 1, "the other was given after the period"


def test_the_queue_log_read_in_parts_is_that_of_all_rows(floor: FloorKit) -> None:
    rows = floor.ledger()
    known = {row.event_id: row for row in rows}
    assert floor.do(lambda c: list(all_log_lines(c, "none"))) == [
        line for row in rows for line in queue_log_lines(row, known.get)
    ]


@pytest.mark.parametrize(
    ("until", "edges"), [(90.0, [0, 60, 90]), (120.0, [0, 60, 120]), (0.0, [0, 0]), (-5.0, [0, 0])]
)
def test_where_intervals_begin_and_end(until: float, edges: list[float]) -> None:
    assert interval_edges(0.0, until, 60.0) == edges


@pytest.mark.parametrize(
    ("day", "interval_h", "hours"),
    [
        ("2026-03-28", 24, [24, 23, 24]), ("2026-10-24", 24, [24, 25, 24]), ("2026-10-25", 12, [13, 12, 12]),
        ("2026-03-29", 1, [1] * 23), ("2026-10-25", 1, [1] * 25),
    ],
)  # fmt: skip
def test_days_begin_at_midnight_also_after_the_clocks_were_changed(
    day: str, interval_h: int, hours: list[int]
) -> None:
    zone = ZoneInfo("Europe/London")
    begin = datetime.fromisoformat(day).replace(tzinfo=zone).timestamp()
    edges = interval_edges(begin, begin + sum(hours) * 3600, interval_h * 3600, zone)
    assert [(later - edge) / 3600 for edge, later in pairwise(edges)] == hours


def test_what_is_configured_no_more_is_still_in_the_figures(floor: FloorKit) -> None:
    """Of last month, say, when there were another queue and another agent."""
    before = {by: read(floor, by) for by in ("queue", "agent", "interval", "reason")}
    shrunk = FloorPlan({"support": PLAN.queues["support"]}, {"bob": PLAN.agents["bob"]})
    for by, lines in before.items():
        found = read(floor, by, plan=shrunk)
        assert len(found) == len(lines)
        assert figures(found) == figures(lines), by


@pytest.mark.parametrize("by", ["queue", "agent", "interval", "reason"])
def test_a_queue_that_is_configured_no_more_can_be_asked_for(floor: FloorKit, by: str) -> None:
    shrunk = FloorPlan({"support": PLAN.queues["support"]}, {})
    found = figures(read(floor, by, queue="sales", plan=shrunk))
    asked_before = figures(read(floor, by, queue="sales"))
    assert found == [line for line in asked_before if by != "agent" or "alice" in line]
    assert found


def figures(lines: list[KpiLine]) -> list[tuple[Any, ...]]:
    """What does not depend on how a queue is configured, in an order of its own."""
    names = ("queue", "agent", "what", "reason", "from", "offered", "answered", "talk", "count", "busy_s")
    return sorted(tuple(str(line.as_json().get(name)) for name in names) for line in lines)
