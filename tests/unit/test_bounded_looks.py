"""With thousands of queues a look goes through some of them, and misses nothing that time or others have done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import update

from cordboard.acd.model import Agent, FloorPlan, OfferEnd, Queue, RonaPolicy
from cordboard.store.acd_looks import QUEUES_A_LOOK
from cordboard.store.acd_store import AcdStore
from cordboard.store.address import Address
from cordboard.store.tables import agent_states
from tests.doubles.floor_kit import FloorKit

NAMES = tuple(f"q{number}" for number in range(3 * QUEUES_A_LOOK))
LAST = NAMES[-1]
PLAN = FloorPlan(
    queues={name: Queue(name, wrap_up_s=0.0, rona=RonaPolicy(pause_after=0, retry_after_s=5.0)) for name in NAMES},
    agents={"alice": Agent("alice", "Alice", "PJSIP/1001", (LAST,))},
)


@pytest.fixture
def floor(database: Address) -> Iterator[FloorKit]:
    kit = FloorKit(database, PLAN)
    look(kit)  # the first one sees all
    yield kit
    kit.close()


def look(floor: FloorKit) -> None:
    """What each process does once a second."""
    floor.pass_time(1.0)
    floor.renew("w1")
    floor.sweep()


def offered(floor: FloorKit) -> list[str]:
    return [row.call_id for row in floor.offers().values() if row.state != "ended"]


def test_who_has_rested_is_found_when_it_is_over(floor: FloorKit) -> None:
    floor.presence("alice")
    offer = floor.enter("c1", LAST).offer
    assert offer is not None
    floor.settle("c1", offer.offer_id, OfferEnd.NO_ANSWER)
    for _ in range(4):
        look(floor)
        assert offered(floor) == []
    look(floor)
    assert offered(floor) == ["c1"]


def test_a_worker_that_shows_itself_again_is_found_at_once(floor: FloorKit) -> None:
    floor.enter("c1", LAST)
    floor.pass_time(10.0)
    floor.presence("alice")
    assert offered(floor) == [], "nobody holds the call"
    look(floor)
    assert offered(floor) == ["c1"]


def test_so_is_what_could_not_be_while_nobody_observed(floor: FloorKit) -> None:
    floor.store = AcdStore(PLAN, needs_lease="observer")
    look(floor)
    floor.enter("c1", LAST)
    floor.presence("alice")
    assert offered(floor) == []
    floor.do(lambda c: floor.store.take_lease(c, floor.now, "observer", "w1", 60.0))
    look(floor)
    assert offered(floor) == ["c1"]


def test_and_what_a_reload_makes_possible(floor: FloorKit) -> None:
    floor.presence("alice")
    floor.enter("c1", NAMES[0])
    assert offered(floor) == []
    look(floor)  # the first part, so that it is not that one's turn
    floor.store.plan = replace(PLAN, agents={"alice": replace(PLAN.agents["alice"], queues=(NAMES[0],))})
    look(floor)
    assert offered(floor) == ["c1"]


@pytest.mark.parametrize("place", [0, QUEUES_A_LOOK, len(NAMES) - 1])
def test_what_nobody_has_told_is_found_when_it_is_its_turn(floor: FloorKit, place: int) -> None:
    """And not before: else a look would go through all of them."""
    queue = NAMES[place]
    floor.store.plan = replace(PLAN, agents={"alice": replace(PLAN.agents["alice"], queues=(queue,))})
    floor.presence("alice")
    floor.do(lambda c: c.execute(update(agent_states).values(presence="paused")))
    look(floor)
    floor.enter("c1", queue)
    floor.do(lambda c: c.execute(update(agent_states).values(presence="available")))
    found_after = 0
    while not offered(floor) and found_after < 10:
        look(floor)
        found_after += 1
    assert found_after == 1 + place // QUEUES_A_LOOK
