"""Between an agent who becomes free and the phone that rings for them nothing is done that need not be.

Statements are counted, not milliseconds: those depend on who else uses the machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event

from cordboard.acd.model import Presence
from cordboard.service.wakes import Wakes
from cordboard.store.acd_values import Entering, OfferToRing
from cordboard.store.moments import now
from tests.doubles.acd_kit import arrival, machine, note
from tests.doubles.floor_kit import PLAN, FloorKit

OFFER_STATEMENTS = 14  # the begin among them
RING_STATEMENTS = 6
LONGEST_S = 20.0


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[FloorKit]:
    kit = FloorKit(tmp_path / "store.db")
    yield kit
    kit.close()


def test_an_agent_who_becomes_free_is_given_a_caller_in_few_statements(floor: FloorKit) -> None:
    someone_waits(floor)
    assert len(statements(floor, lambda: floor.presence("alice"))) <= OFFER_STATEMENTS


def test_an_offer_is_marked_ringing_in_fewer(floor: FloorKit) -> None:
    someone_waits(floor)
    floor.presence("alice")
    assert len(statements(floor, lambda: take(floor, again=False))) <= RING_STATEMENTS
    assert floor.take("w1", "c1")  # as it was


def test_an_offer_whose_answer_was_lost_is_handed_out_again_with_a_look(floor: FloorKit) -> None:
    someone_waits(floor)
    floor.presence("alice")
    (first,) = take(floor, again=False)
    assert take(floor, again=False) == []
    assert take(floor, again=True) == [first]


def test_a_worker_that_has_lost_the_caller_is_not_handed_what_the_other_rings(floor: FloorKit) -> None:
    someone_waits(floor)
    floor.enter("c1", owner="w2")
    floor.presence("alice")
    (rung,) = floor.take("w2", "c1")
    assert take(floor, again=True) == []
    assert floor.take("w2", "c1") == [rung]


def test_an_offer_that_cannot_be_rung_any_more_goes_to_somebody_else_at_once(floor: FloorKit) -> None:
    someone_waits(floor)
    floor.presence("alice")
    floor.store.plan = replace(PLAN, agents={"bob": PLAN.agents["bob"]})
    floor.presence("bob")
    assert take(floor, again=False) == []
    assert [offer.agent for offer in take(floor, again=False)] == ["bob"]


async def test_the_worker_that_holds_the_caller_is_woken(tmp_path: Path) -> None:
    woken = asyncio.Event()
    async with machine(tmp_path) as place:
        process = place.start("worker-0")
        await place.observe(process)
        holder = Wakes(tmp_path / "wakes", "worker-1", woken.set)
        holder.listen()
        call = arrival("c1").call
        entering = Entering("c1", "leg-c1", "asterisk", "sales", "en", 0, now().wall, "worker-1")
        await process.floor.enter(entering, note(call))
        assert not woken.is_set()
        await place.ready(process, "alice")
        async with asyncio.timeout(LONGEST_S):
            await woken.wait()
        holder.close()


def someone_waits(floor: FloorKit) -> None:
    """Statements are prepared once, and one caller waits."""
    floor.presence("alice")
    floor.presence("alice", Presence.LOGGED_OUT)
    floor.enter("c1")


def take(floor: FloorKit, *, again: bool) -> list[OfferToRing]:
    return floor.do(lambda c: floor.store.take_offers(c, floor.now, "w1", ("c1",), again=again))[0]


def statements(floor: FloorKit, work: Callable[[], object]) -> list[str]:
    """What is executed meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_others: object) -> None:
        seen.append(statement)

    event.listen(floor.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(floor.engine, "before_cursor_execute", note)
    return seen
