"""Queues in simulated calls and flow tests: every way out of them, and keys while the caller waits."""

from __future__ import annotations

import pytest

from cordboard.simulation.display import outcome_words
from cordboard.simulation.events import KeysLost
from cordboard.telephony.outcomes import LeftByKey
from tests.doubles.simulation_kit import flow_of, listen, played, rehearse

WAYS = """
a:
  queue: sales
  keys: {9: b}
  step_out: {1: d}
  full: b
  empty: b
  closed: b
  overflow: b
  otherwise: c
b: {play: hello, next: bye}
c: {play: sorry, next: bye}
d: {play: ask, next: a}
"""


@pytest.mark.parametrize(
    ("result", "node"),
    [("full", "b"), ("empty", "b"), ("closed", "b"), ("overflow", "b"), ("nobody", "c"), ("no_store", "c")],
)
def test_each_way_out_of_a_queue_can_be_given(result: str, node: str) -> None:
    call = rehearse(flow_of(WAYS), queues={"sales": result})
    while call.run.node == "a":
        call.settle()
    assert call.run.node == node
    assert call.lasted_s == (60.0 if result == "nobody" else 0.0)


def test_a_key_leads_out_of_the_queue() -> None:
    call = rehearse(flow_of(WAYS))
    call.stay(5)
    call.press("9")
    assert call.run.node == "b"
    assert call.lasted_s == 5.0


def test_whoever_steps_out_comes_back_and_further_keys_go_on() -> None:
    call = rehearse(flow_of(WAYS))
    call.press("1")
    assert call.run.node == "d"
    listen(call)
    assert call.run.node == "a"
    call.press("9")
    assert call.run.node == "b"


def test_other_keys_are_lost_and_so_are_those_pressed_in_a_talk() -> None:
    call = rehearse(flow_of(WAYS))
    call.press("5")
    assert isinstance(call.events[-1].what, KeysLost)
    call.settle()  # an agent comes
    call.press("9")
    assert isinstance(call.events[-1].what, KeysLost)
    assert call.run.node == "a"


def test_a_flow_test_presses_keys_in_a_queue() -> None:
    text = """
    tests:
      - name: out for the hours, and then out for good
        caller: [{waits: 3}, {presses: 1}, {waits: 2}, {presses: 9}]
        expect: {passes: [d, b], avoids: [c], outcome: finished}
      - name: too many callers
        given: {queues: {sales: full}}
        expect: {passes: [b]}
    """
    assert [one.failures for one in played(flow_of(WAYS), text)] == [(), ()]


def test_keys_are_told_in_words() -> None:
    assert outcome_words(LeftByKey("9")) == "key 9"
    assert outcome_words(LeftByKey("1", keeps_place=True)) == "key 1, and the place is kept"
