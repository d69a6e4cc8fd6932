"""What Prometheus is told of queues: what happened since it first asked, and how it is now, with bounded labels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from cordboard.acd.model import LeftBecause, Moment, OfferEnd, Presence
from cordboard.acd.wait_estimate import Estimate
from cordboard.service.acd_metrics import OTHER, AcdMetrics
from cordboard.service.floor import Floor
from cordboard.store import moments
from cordboard.store.acd_reads import StoreReader
from cordboard.store.estimates import note_estimate
from tests.doubles.floor_kit import PLAN, FloorKit


class Scraped:
    """A database, and what a scrape of it says."""

    def __init__(self, path: Path) -> None:
        self.floor = FloorKit(path)
        self.floor.now = Moment(moments.now().wall, 1000.0)
        self.registry = CollectorRegistry()
        self.reader = StoreReader(path)
        self.configured = SimpleNamespace(plan=PLAN)
        self.metrics = AcdMetrics(self.registry, cast(Floor, self.configured))

    async def scrape(self) -> None:
        await self.metrics.refresh(self.reader)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"cordboard_queue_{name}", {"queue": "sales", **labels})


@pytest.fixture
async def scraped(tmp_path: Path) -> AsyncIterator[Scraped]:
    made = Scraped(tmp_path / "cordboard.db")
    await made.scrape()
    yield made
    made.reader.close()
    made.floor.close()


async def test_what_happens_is_counted_once(scraped: Scraped) -> None:
    floor = scraped.floor
    floor.presence("alice")
    offer = floor.enter("c1").offer
    assert offer is not None
    floor.pass_time(4)
    floor.leg("joined", offer.offer_id)
    floor.pass_time(90)
    floor.leg("gone", offer.offer_id)
    floor.enter("c2")
    floor.pass_time(25)
    floor.leave("c2", LeftBecause.OVERFLOW)
    await asyncio.gather(*(scraped.scrape() for _ in range(2)))
    await scraped.scrape()
    assert scraped.value("calls_total", result="entered") == 2
    assert scraped.value("calls_total", result="served") == scraped.value("calls_total", result="overflow") == 1
    assert scraped.value("offers_total", end=OfferEnd.SERVED) == 1
    assert scraped.value("wait_seconds_bucket", result="overflow", le="30.0") == 1
    assert scraped.value("wait_seconds_bucket", result="overflow", le="20.0") == 0
    assert scraped.value("talk_seconds_sum") == 90


async def test_the_error_of_estimates_is_published_by_queue(scraped: Scraped) -> None:
    floor = scraped.floor
    for call, (likely_s, at_most_s) in {"kept": (50.0, 90.0), "exceeded": (2.0, 3.0), "gone": (1.0, 1.0)}.items():
        floor.enter(call)
        found = Estimate(likely_s, at_most_s)
        floor.do(lambda c, call=call, found=found: note_estimate(c, floor.now, PLAN, call, found))  # type: ignore[misc]
    floor.leave("gone")
    await scraped.scrape()
    floor.pass_time(40)
    floor.renew("w1")
    for agent in ("alice", "bob"):
        floor.presence(agent)
    for offer in floor.offers().values():
        floor.leg("joined", offer.offer_id)
    await scraped.scrape()
    assert scraped.value("estimate_error_seconds_count") == 2
    assert scraped.value("estimate_error_seconds_sum") == pytest.approx(10 + 38)
    assert (
        scraped.value("estimates_total", result="kept") == scraped.value("estimates_total", result="exceeded") == 1
    )
    assert not scraped.metrics._estimated, "nothing is kept of those who do not wait any more"


async def test_how_it_is_now(scraped: Scraped) -> None:
    floor = scraped.floor
    floor.presence("alice", Presence.PAUSED, "lunch")
    floor.enter("c1")
    await scraped.scrape()
    assert (scraped.value("waiting"), scraped.value("agents", activity="paused")) == (1, 1)
    assert scraped.value("service_level_ratio") is None, "no call has ended yet"
    floor.leave("c1")
    await scraped.scrape()
    assert (scraped.value("waiting"), scraped.value("service_level_ratio")) == (0, 0)


async def test_what_was_before_the_first_scrape_is_not_counted(tmp_path: Path) -> None:
    made = Scraped(tmp_path / "cordboard.db")
    made.floor.enter("old")
    await made.scrape()
    assert made.value("calls_total", result="entered") is None
    made.floor.enter("new")
    await made.scrape()
    assert made.value("calls_total", result="entered") == 1
    made.reader.close()
    made.floor.close()


async def test_labels_are_bounded_and_no_agent_or_number_is_among_them(scraped: Scraped) -> None:
    floor = scraped.floor
    floor.note_caller("c1", "+442079460123", ani="02079460123")
    floor.presence("alice")
    floor.enter("c1")
    scraped.configured.plan = type(PLAN)({"support": PLAN.queues["support"]}, PLAN.agents)
    await scraped.scrape()
    assert scraped.value("waiting") is None, "a queue that was taken out is gone"
    assert scraped.registry.get_sample_value(
        "cordboard_queue_calls_total", {"queue": OTHER, "result": "entered"}
    ) == 1  # fmt: skip
    told = generate_latest(scraped.registry).decode()
    assert not [word for word in ("alice", "c1", "460123") if word in told]


async def test_without_a_database_the_figures_stay_as_they_were(scraped: Scraped, tmp_path: Path) -> None:
    scraped.floor.enter("c1")
    await scraped.scrape()
    reader: Any = StoreReader(tmp_path / "none.db")
    await scraped.metrics.refresh(reader)
    reader.close()
    assert scraped.value("waiting") == 1
