"""The day's counts of the live page are those of the key figures, whatever way callers take out of a queue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cordboard.acd.kpis import kpis
from cordboard.acd.model import LeftBecause
from cordboard.acd.service_level import FORMULAS
from cordboard.store.address import Address
from cordboard.store.today import Today
from tests.doubles.floor_kit import PLAN, FloorKit

SALES = PLAN.queues["sales"]


@pytest.fixture
def floor(database: Address) -> Iterator[FloorKit]:
    kit = FloorKit(database)
    yield kit
    kit.close()


def served(floor: FloorKit, call: str) -> None:
    floor.presence("alice")
    offer = floor.enter(call).offer
    assert offer is not None
    floor.leg("joined", offer.offer_id)
    floor.pass_time(10)
    floor.leg("gone", offer.offer_id)
    floor.dispose("alice", offer.offer_id, "sold")


def test_a_day_by_every_formula(floor: FloorKit) -> None:
    today = Today()
    for because in LeftBecause:
        if because is not LeftBecause.SERVED:
            floor.enter(because.value)
            floor.pass_time(12)
            floor.leave(because.value, because)
    floor.enter("callback2")
    floor.do(lambda c: floor.store.step_out(c, floor.now, "callback2", None, kind="callback"))
    floor.do(lambda c: today.read(c, floor.now.wall))
    floor.pass_time(600)
    floor.enter("callback2")
    floor.presence("alice")
    (offer,) = floor.take("w1", "callback2")
    floor.leg("joined", offer.offer_id)
    floor.leg("gone", offer.offer_id)
    floor.dispose("alice", offer.offer_id, "sold")
    served(floor, "in time")
    floor.do(lambda c: today.read(c, floor.now.wall))
    day, figures = today.queue("sales"), kpis(floor.ledger(), SALES)
    assert (day.offered, len(day.waits), len(day.patience)) == (11, 1, 1)
    assert (figures.offered, figures.answered, figures.left[LeftBecause.CALLBACK]) == (11, 1, 2)
    for formula in FORMULAS:
        queue = replace(SALES, service_level_formula=formula)
        assert day.service_level(queue) == kpis(floor.ledger(), queue).service_level
    assert day.service_level(replace(SALES, service_level_formula="incl_flowout")) == 1 / 7
