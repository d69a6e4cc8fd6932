"""The judgements of the stores' benchmark, on figures made by hand; its floor; and offers of a real store."""

from __future__ import annotations

from pathlib import Path

from tests.bench.report import Machine
from tests.bench.stores.big_floor import BigFloor
from tests.bench.stores.figures import OFFER_WAYS, Claims, StoreFigures
from tests.bench.stores.offering import measure_offers
from tests.bench.stores.report import store_goals, store_page
from tests.bench.stores.store import open_store

MACHINE = Machine(cores=2, memory_gb=8, cpu="a CPU", versions="some versions")


def _figures(worst_ms: float = 20.0) -> StoreFigures:
    figures = StoreFigures(loads=(0.1, 0.2), took_s=1.0)
    for engine in ("SQLite", "PostgreSQL"):
        figures.claims[engine] = [Claims(1, 1, 100, 0.5), Claims(2, 50, 100, 0.25, refused=3)]
        for way in OFFER_WAYS:
            figures.offers_ms[engine, way] = [5.0] * 99 + [20.0]
    figures.offers_ms["PostgreSQL", OFFER_WAYS[1]] += [worst_ms] * 2
    return figures


def test_each_engine_is_judged_by_its_slower_way() -> None:
    assert [goal.is_met for goal in store_goals(_figures())] == [True, True]
    assert [goal.is_met for goal in store_goals(_figures(worst_ms=50.1))] == [True, False]


def test_the_part_of_the_page_leaves_nothing_open() -> None:
    text = store_page(_figures(), MACHINE, "2026-11-22", "make bench")
    assert text.startswith("## Stores:")
    assert "$" not in text
    assert "400 (3 refused at first)" in text


def test_the_floor_has_what_it_says() -> None:
    floor = BigFloor(queues=20, agents=10, waiting=40, quiet=2)
    quiet = set(floor.queue_names[-2:])
    assert {queue for agent in floor.quiet_agents for queue in floor.plan.agents[agent].queues} == quiet
    assert not any(quiet & set(floor.plan.agents[agent].queues) for agent in floor.busy_agents)
    waited_in = {floor.entering(number, 0.0).queue for number in range(floor.waiting)}
    assert waited_in == set(floor.queue_names) - quiet


async def test_both_ways_to_an_offer_are_measured_on_a_real_store(tmp_path: Path) -> None:
    floor = BigFloor(queues=12, agents=6, waiting=30, quiet=2)
    with open_store(tmp_path / "cordboard.db", floor) as store:
        await store.fill()
        found = await measure_offers(store, 3)
    assert [len(found[way]) for way in OFFER_WAYS] == [3, 3]
