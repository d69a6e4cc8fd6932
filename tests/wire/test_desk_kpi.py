"""`GET /api/v1/kpi` on a real port and a real database: the figures of the command line, for who may see them."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx2
import pytest

from cordboard.acd.kpis import kpis
from cordboard.acd.model import LeftBecause, Moment
from cordboard.bootstrap.stored_kpis import ASKED_MAX, StoredKpis
from cordboard.errors import StoreUnavailable
from cordboard.store import moments
from cordboard.store.kpi_reads import KpiQuestion
from tests.doubles.fake_floor import ADMIN, PLAN
from tests.doubles.floor_kit import FloorKit
from tests.doubles.running_desk import RunningDesk, running_desk

PATH = "/api/v1/kpi"
DAY = {"since": "2026-11-18", "until": "2026-11-19"}


@pytest.fixture
def floor(tmp_path: Path) -> FloorKit:
    kit = FloorKit(tmp_path / "cordboard.db", PLAN)
    kit.presence("alice")
    offer = kit.enter("c1").offer
    assert offer is not None
    kit.pass_time(4)
    kit.leg("joined", offer.offer_id)
    kit.enter("c2")
    kit.pass_time(30)
    kit.leave("c2", LeftBecause.ABANDONED)
    return kit


@pytest.fixture
async def desk(floor: FloorKit) -> AsyncIterator[RunningDesk]:
    book = StoredKpis(floor.path, lambda: PLAN, ZoneInfo("UTC"))
    async with running_desk(kpis=book) as running:
        yield running
    book.close()
    floor.close()


async def ask(desk: RunningDesk, **values: str) -> httpx2.Response:
    return await desk.browser.get(PATH, params=DAY | values)


async def test_nobody_sees_figures_without_logging_in(desk: RunningDesk) -> None:
    assert (await ask(desk)).status_code == 401


async def test_the_figures_are_those_of_the_ledger(desk: RunningDesk, floor: FloorKit) -> None:
    await desk.log_in()
    answer = (await ask(desk)).json()
    assert (answer["by"], answer["since"]) == ("queue", "2026-11-18T00:00:00+00:00")
    assert answer["lines"] == [kpis(floor.ledger(), queue).as_json() for queue in PLAN.queues.values()]
    assert answer["lines"][0]["abandonment"] == 0.5


async def test_a_queue_that_is_configured_no_more(floor: FloorKit) -> None:
    others = {name: queue for name, queue in PLAN.queues.items() if name != "sales"}
    book = StoredKpis(floor.path, lambda: replace(PLAN, queues=others), ZoneInfo("UTC"))
    async with running_desk(kpis=book) as desk:
        await desk.log_in()
        (line,) = (await ask(desk, queue="sales")).json()["lines"]
        assert (line["queue"], line["offered"]) == ("sales", 2)
    book.close()
    floor.close()


async def test_as_csv(desk: RunningDesk) -> None:
    await desk.log_in()
    answer = await ask(desk, format="csv", queue="sales")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="kpi_by_queue.csv"'
    (line,) = csv.DictReader(io.StringIO(answer.text))
    assert (line["queue"], line["offered"]) == ("sales", "2")


@pytest.mark.parametrize(("asker", "seen"), [("alice", ["alice"]), ("bob", ["bob"]), (ADMIN, list(PLAN.agents))])
async def test_an_agent_sees_their_own_figures_and_an_admin_all(
    desk: RunningDesk, asker: str, seen: list[str]
) -> None:
    await desk.log_in(asker)
    lines = (await ask(desk, by="agent")).json()["lines"]
    assert [line["agent"] for line in lines] == seen


async def test_by_interval_and_by_reason(desk: RunningDesk) -> None:
    await desk.log_in()
    intervals = (await ask(desk, by="interval", interval_min="60", queue="sales")).json()["lines"]
    assert (len(intervals), sum(line["offered"] for line in intervals)) == (24, 2)
    reasons = (await ask(desk, by="reason")).json()["lines"]
    assert ("left", "abandoned", 1) in [(line["what"], line["reason"], line["count"]) for line in reasons]


@pytest.mark.parametrize(
    ("values", "status", "kind"),
    [
        ({"queue": "salse"}, 404, "no-such-queue"),
        ({"since": "soon"}, 422, "no-period"),
        ({"since": "2026-01-01"}, 422, "no-period"),
        ({"by": "interval", "interval_min": "1", "since": "2026-11-10"}, 422, "not-possible"),
        ({"by": "moon"}, 422, "malformed"),
    ],
)
async def test_bad_questions_are_problems(
    desk: RunningDesk, values: dict[str, str], status: int, kind: str
) -> None:
    await desk.log_in()
    answer = await ask(desk, **values)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:cordboard:problem:{kind}")


async def test_without_a_database_the_desk_says_so(desk: RunningDesk, floor: FloorKit, tmp_path: Path) -> None:
    book = StoredKpis(tmp_path / "none.db", lambda: PLAN, ZoneInfo("UTC"))
    with pytest.raises(StoreUnavailable):
        await book.lines(KpiQuestion(0.0))
    book.close()


async def test_too_many_reports_at_a_time_are_refused_and_later_ones_are_made(floor: FloorKit) -> None:
    book = StoredKpis(floor.path, lambda: PLAN, ZoneInfo("UTC"))
    book._asked = ASKED_MAX
    with pytest.raises(StoreUnavailable, match="too many reports"):
        await book.lines(KpiQuestion(0.0))
    book._asked = 0
    assert len(await book.lines(KpiQuestion(0.0))) == len(PLAN.queues)
    book.close()
    floor.close()


async def test_without_a_period_it_is_today(floor: FloorKit, desk: RunningDesk) -> None:
    wall = moments.now().wall
    floor.now = Moment(wall, 5_000.0)
    floor.enter("today")
    await desk.log_in()
    answer = (await desk.browser.get(PATH)).json()
    assert answer["since"] == f"{datetime.fromtimestamp(wall, UTC):%Y-%m-%d}T00:00:00+00:00"
    assert (answer["until"], answer["lines"][0]["offered"]) == (None, 1)
