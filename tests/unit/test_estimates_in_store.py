"""The wait estimate of a real store reckons with those whose place is kept."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from cordboard.store.address import Address
from cordboard.store.estimates import WaitEstimates
from tests.doubles.callback_kit import NUMBERS
from tests.doubles.callback_kit import CallbackKit as Kit

HELD_S = 300.0


@pytest.fixture
def kit(database: Address) -> Iterator[Kit]:
    """Both agents talk, two callers wait."""
    kit = Kit(database)
    kit.presence("agent0")
    kit.presence("agent1")
    for number, call_id in enumerate(("talks0", "talks1", "ahead", "me")):
        kit.arrives(call_id, NUMBERS[number])
        kit.pass_time(1.0)
    kit.talk("talks0")
    kit.talk("talks1")
    yield kit
    kit.close()


def likely_s(kit: Kit, call_id: str = "me") -> float:
    found = kit.do(lambda c: WaitEstimates(Random(1)).of_calls(c, kit.now, kit.store.plan, [call_id]))
    return found[call_id].likely_s


def test_who_steps_out_still_counts_for_those_behind(kit: Kit) -> None:
    both_wait = likely_s(kit)
    kit.do(lambda c: kit.store.step_out(c, kit.now, "ahead", kit.now.boot + HELD_S))
    one_is_away = likely_s(kit)
    kit.do(lambda c: kit.store.step_out(c, kit.now, "ahead", kit.now.boot + 0.1))
    assert both_wait > one_is_away > likely_s(kit), "they may come back, or may not; then they cannot in time"


def test_who_is_to_be_called_back_counts_once_that_is_due(kit: Kit) -> None:
    kit.book("ahead", NUMBERS[2])
    is_due = likely_s(kit)
    kit.do(lambda c: c.exec_driver_sql(f"UPDATE callbacks SET due_at = {kit.now.wall + 50_000}"))
    assert is_due > likely_s(kit), "nobody is called today any more"
