"""A recorded call becomes a flow test that goes the same way."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from cordboard.config.yaml_reader import parse_yaml
from cordboard.flows.flow import Flow
from cordboard.simulation.acting import Caller
from cordboard.simulation.events import Left
from cordboard.simulation.flow_tests import parse_tests
from cordboard.simulation.from_trace import RecordedCall, recorded_call
from cordboard.simulation.rehearsal import Rehearsal
from cordboard.simulation.suite import play
from cordboard.simulation.written_tests import written_file, written_test
from cordboard.telephony import outcomes as o
from cordboard.telephony.outcomes import Outcome
from tests.doubles.flow_kit import CALL, load, text_of
from tests.doubles.simulation_kit import flow_of, premises_with
from tests.doubles.trace_kit import TracedWalk

NODES = """
greeting: {play: hello, next: who}
who: {lookup: crm, next: main, on_error: main}
main:
  menu: ask
  keys: {1: sales, 2: pin, 3: ring, 4: order}
  no_input: {after_s: 5, tries: 2, say: again, then: message}
  no_match: {tries: 2, say: sorry, then: message}
pin: {gather: ask, save: pin, secret: true, min_digits: 4, max_digits: 4, next: size}
size: {branch: [{if: "size(pin) == 4", then: account}], else: bye}
account: {gather: ask, save: account, max_digits: 6, next: bye}
sales: {queue: sales, next: bye, otherwise: message}
ring: {dial: "1001", busy: message, next: bye, otherwise: sorry}
order: {http: orders, get: /orders/12, answer: {state: {path: state, type: text, default: ""}}, save: order,
        next: price, on_error: sorry}
price: {script: price, with: {order: "12"}, save: quote, next: dear, on_error: sorry}
dear: {branch: [{if: "quote.price > 9.0 && order.state == 'sent'", then: message}], else: bye}
message: {voicemail: sales, next: bye}
sorry: {play: sorry, next: bye}
"""
DONE, GOLD = o.Done(), o.LookedUp("found", {"tier": "gold", "balance": 1.5}, 1)
TO_MENU = (DONE, DONE, GOLD)  # answered, welcomed, looked up
WALKS: dict[str, tuple[Outcome, ...]] = {
    "served": (*TO_MENU, o.Gathered("1", "full"), o.Served("alice")),
    "nobody comes": (*TO_MENU, o.Gathered("1", "full"), o.NotServed("max_wait"), o.Recorded("a", 7.5), o.HungUp()),
    "leaves in the queue": (*TO_MENU, o.Gathered("1", "full"), o.HungUp()),
    "a secret": (*TO_MENU, o.Gathered("2", "full"), o.Gathered("9731", "full"), o.Gathered("47", "end_key")),
    "busy": (*TO_MENU, o.Gathered("3", "full"), o.NotConnected("busy"), o.Recorded("a", 3.0, hung_up=True)),
    "connected": (*TO_MENU, o.Gathered("3", "full"), o.Connected(12.0)),
    "silence": (*TO_MENU, o.NoInput(), o.NoInput(), o.Recorded("a", 0.0)),
    "wrong keys": (*TO_MENU, o.Gathered("8", "full"), o.NoInput(), o.Gathered("9", "full"), o.Recorded("a", 2.0)),
    "leaves at once": (DONE, o.HungUp()),
    "leaves at the menu": (*TO_MENU, o.HungUp()),
    "the CRM is down": (
        DONE,
        DONE,
        o.NotLookedUp("late"),
        o.Gathered("3", "full"),
        o.NotConnected("rejected"),
        DONE,
    ),
    "services answer": (
        *TO_MENU,
        o.Gathered("4", "full"),
        o.HttpAnswered(200, {"state": "sent"}),
        o.ScriptEnded({"price": 10.0}),
        o.Recorded("a", 4.0),
    ),
    "services fail": (*TO_MENU, o.Gathered("4", "full"), o.HttpAnswered(200), o.ScriptFailed("killed"), DONE),
    "typed ahead": (DONE, o.Interrupted("1"), GOLD, o.Served("alice")),
}


@pytest.fixture(scope="module")
def flow() -> Flow:
    return flow_of(NODES)


def recorded(flow: Flow, outcomes: tuple[Outcome, ...]) -> RecordedCall:
    walk = TracedWalk(flow)
    walk.advance(*outcomes)
    return recorded_call(CALL, walk.steps, ZoneInfo("UTC"))


@pytest.mark.parametrize("name", WALKS)
def test_the_test_goes_the_way_of_the_call(flow: Flow, name: str) -> None:
    made = recorded(flow, WALKS[name])
    call = Rehearsal(premises_with(flow), flow, made.given)
    caller = Caller(call)
    for step in made.steps:
        caller.do(step)
    caller.stay()
    left = [f"{event.flow}/{event.node}" for event in call.events if isinstance(event.what, Left)]
    assert left[: len(made.path)] == made.path
    text = written_file("test", [written_test(name, call, made.steps)])
    (test,) = parse_tests(parse_yaml(text.encode(), "made.yaml"), premises_with(flow))
    assert play(test, premises_with(flow)).failures == ()


def test_secret_digits_are_not_those_of_the_caller(flow: Flow) -> None:
    made = recorded(flow, WALKS["a secret"])
    assert [getattr(step, "presses", "") for step in made.steps] == ["2", "1111", "47#"]


def test_who_called_when_is_kept(flow: Flow) -> None:
    given = recorded(flow, WALKS["served"]).given
    assert (given.at, given.ani, given.dnis) == ("2026-11-23 12:00:00", CALL.ani, CALL.dnis)
    assert given.crm == {"tier": "gold", "balance": 1.5}


def test_a_caller_who_leaves_while_a_value_is_said_leaves_there() -> None:
    text = text_of("a: {set: {account: '4711'}, next: b}\nb: {play: [hello, told], next: bye}")
    text = text.replace("prompts:\n", "prompts:\n  told: {en: '{account|digits} is open.', es: Abierta}\n", 1)
    made = recorded(load(text), (DONE, o.HungUp()))
    assert [step.model_dump() for step in made.steps] == [{"hears_begin": "hello"}, {"hangs_up": True}]
    made = recorded(load(text.replace("[hello, told]", "[told, hello]")), (DONE, o.HungUp()))
    assert [step.model_dump() for step in made.steps] == [{"hears_begin": "told"}, {"hangs_up": True}]
