"""The laws of queues, on simulated days made up by chance: 100 of them here, 10,000 in `make soak`."""

from __future__ import annotations

import pytest

from cordboard.lab.sim.day import Day
from tests.doubles.sim_witness import WitnessedFloor, made_up_day, promises_are_kept, stories_are_whole


def lived_through(seed: int) -> WitnessedFloor:
    """A whole day, watched after every step."""
    day = made_up_day(seed)
    floor = WitnessedFloor(day.plan, seed)
    Day(day, floor, seed).play()
    stories_are_whole(floor.ledger.rows)
    promises_are_kept(floor.ledger.rows)
    assert not floor.books.places
    return floor


@pytest.mark.parametrize("first", range(0, 100, 10))
def test_the_laws_hold_on_every_day(first: int) -> None:
    floors = [lived_through(seed) for seed in range(first, first + 10)]
    assert min(floor.steps for floor in floors) > 50
    assert sum(floor.came_back for floor in floors) > 50, "nobody who came back was looked at"


@pytest.mark.soak
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("first", range(100, 10_100, 500))
def test_the_laws_hold_on_ten_thousand_days(first: int) -> None:
    for seed in range(first, first + 500):
        lived_through(seed)
