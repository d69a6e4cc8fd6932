"""A call without a PBX goes the way a real one goes, in simulated time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordboard.flows.flow import Flow
from cordboard.simulation import events as e
from cordboard.simulation.given import Given
from cordboard.simulation.pauses import Hearing, Listening, Recording, Unanswered, Waiting
from cordboard.simulation.rehearsal import Impossible, Rehearsal
from tests.doubles.flow_kit import load
from tests.doubles.simulation_kit import finish, flow_of, heard, listen, premises_with, rehearse

MENU = """
greeting: {play: hello, barge_in: false, next: main}
main:
  menu: ask
  keys: {1: sales, 2: spanish, 12: message}
  no_input: {after_s: 5, tries: 2, say: again, then: bye}
  no_match: {tries: 2, say: sorry, then: bye}
  inter_digit_s: 2
spanish: {language: es, next: main}
sales: {queue: sales, max_wait_s: 30, next: rated, otherwise: message}
rated: {play: hello, next: bye}
message: {voicemail: sales, greeting: sorry, max_s: 20, silence_s: 4, next: rated}
"""
DIAL = """
ring: {dial: "1001", ring_s: 10, busy: busy, otherwise: bye, next: after}
busy: {play: sorry, next: bye}
after: {play: hello, next: bye}
"""


@pytest.fixture
def flow() -> Flow:
    return flow_of(MENU)


def places(call: Rehearsal) -> list[str]:
    return [event.node for event in call.events if isinstance(event.what, e.Entered)]


def whats(call: Rehearsal, kind: type) -> list[e.What]:
    return [event.what for event in call.events if isinstance(event.what, kind)]


def test_what_is_said_is_heard_in_order_and_takes_time(flow: Flow) -> None:
    call = listen(rehearse(flow))
    assert heard(call) == ["hello", "ask"]
    assert isinstance(call.pause, Listening)
    assert call.lasted_s == pytest.approx(1.9, abs=0.2)


def test_a_key_leads_to_its_node(flow: Flow) -> None:
    call = listen(rehearse(flow))
    call.press("2")
    assert places(call) == ["greeting", "main", "spanish", "main"]
    assert call.run.language == "es"


def test_a_key_that_begins_another_entry_is_waited_for(flow: Flow) -> None:
    call = listen(rehearse(flow))
    before = call.now
    call.press("1")
    assert places(call)[-1] == "sales"
    assert (call.now - before).total_seconds() >= 2, "the caller could have gone on to 12"
    call = listen(rehearse(flow))
    call.press("12")
    assert places(call)[-1] == "message"


def test_keys_left_over_go_to_the_next_question(flow: Flow) -> None:
    call = listen(rehearse(flow))
    call.press("21")
    assert places(call) == ["greeting", "main", "spanish", "main", "sales"]
    assert not whats(call, e.KeysLost)


def test_a_key_cuts_a_question_that_lets_callers_barge_in(flow: Flow) -> None:
    call = rehearse(flow)
    call.settle()
    assert isinstance(call.pause, Hearing)
    call.press("2")
    assert heard(call) == ["hello"]
    assert whats(call, e.Heard)[-1].whole is False  # type: ignore[union-attr]
    assert places(call)[-2:] == ["spanish", "main"]


def test_a_key_where_nobody_listens_is_lost_and_says_why(flow: Flow) -> None:
    call = rehearse(flow)
    call.press("2")
    assert call.pause is not None
    assert [one.why for one in whats(call, e.KeysLost)] == [
        "`hello` is being said, and keys do not count meanwhile"
    ]  # type: ignore[union-attr]


def test_keys_typed_ahead_answer_the_next_question() -> None:
    call = rehearse(flow_of(MENU.replace("barge_in: false", "barge_in: true")))
    call.press("2")
    assert places(call) == ["greeting", "main", "spanish", "main"]


def test_silence_asks_again_and_then_gives_up(flow: Flow) -> None:
    call = listen(rehearse(flow))
    assert call.stay(4.0) == 0.0
    assert isinstance(call.pause, Listening)
    call.stay(1.0)
    listen(call)
    assert heard(call) == ["hello", "ask", "again", "ask"]
    assert call.stay(7.0) == 2.0
    assert call.ended == e.Ended("finished")


def test_hanging_up_during_a_prompt_ends_the_call(flow: Flow) -> None:
    call = rehearse(flow)
    call.hang_up()
    assert call.ended == e.Ended("hung_up")
    assert heard(call) == []
    with pytest.raises(Impossible):
        call.hang_up()


def test_a_message_ends_by_silence_by_key_by_length_or_by_leaving(flow: Flow) -> None:
    def at_message() -> Rehearsal:
        call = listen(rehearse(flow))
        call.press("12")
        assert isinstance(listen(call).pause, Recording)
        return call

    def recorded(call: Rehearsal) -> tuple[float, bool]:
        (outcome,) = [one.outcome for one in whats(call, e.Asked)]  # type: ignore[union-attr]
        return outcome.duration_s, outcome.hung_up  # type: ignore[union-attr]

    by_silence = at_message()
    by_silence.speak(6)
    by_silence.settle()
    assert recorded(by_silence) == (6, False)
    by_key = at_message()
    by_key.speak(3)
    by_key.press("#")
    assert recorded(by_key) == (3, False)
    by_length = at_message()
    by_length.speak(60)
    assert recorded(by_length) == (20, False)
    by_leaving = at_message()
    by_leaving.speak(5)
    by_leaving.hang_up()
    assert recorded(by_leaving) == (5, True)
    assert by_leaving.ended == e.Ended("hung_up")
    without_a_word = at_message()
    without_a_word.hang_up()
    assert recorded(without_a_word) == (0, True)
    assert without_a_word.ended == e.Ended("hung_up")


def test_a_caller_waits_talks_and_goes_on(flow: Flow) -> None:
    call = listen(rehearse(flow))
    call.press("1")
    assert isinstance(call.pause, Waiting)
    finish(call)
    assert [(one.what, one.who, one.seconds) for one in whats(call, e.Waited)] == [  # type: ignore[union-attr]
        ("waits", "sales", 20.0),
        ("talks", "alice", 60.0),
    ]
    assert places(call)[-2:] == ["rated", "bye"]


@pytest.mark.parametrize("result", ["nobody", {"after_s": 31}])
def test_nobody_comes_in_time(flow: Flow, result: object) -> None:
    call = listen(rehearse(flow, queues={"sales": result}))
    call.press("1")
    finish(call)
    assert "message" in places(call)
    assert [one.seconds for one in whats(call, e.Waited)] == [30.0]  # type: ignore[union-attr]


def test_dialling_answers_unless_given_otherwise() -> None:
    flow = flow_of(DIAL)
    assert places(finish(rehearse(flow))) == ["ring", "after", "bye"]
    assert places(finish(rehearse(flow, dial={"1001": "busy"}))) == ["ring", "busy", "bye"]
    assert places(finish(rehearse(flow, dial={"1001": {"answers_after_s": 11}}))) == ["ring", "bye"]


def test_customers_are_those_given() -> None:
    nodes = """
    who: {lookup: crm, next: tier, on_error: bye}
    tier: {branch: [{if: "customer.tier == 'gold' && customer.balance > 1.0", then: gold}], else: bye}
    gold: {play: hello, next: bye}
    """
    flow = flow_of(nodes)
    assert places(finish(rehearse(flow))) == ["who", "tier", "bye"]
    assert places(finish(rehearse(flow, crm={"tier": "gold", "balance": 80}))) == ["who", "tier", "gold", "bye"]
    assert places(finish(rehearse(flow, crm="slow"))) == ["who", "bye"]
    stranger = finish(rehearse(flow, crm={"tier": "gold"}, ani=""))
    assert stranger.run.variables["customer.found"] is False


def test_what_breaks_goes_to_on_failure_and_then_to_the_safe_destination() -> None:
    head = "on_failure: trouble"
    flow = flow_of("start: {play: hello, next: bye}\ntrouble: {play: sorry, next: bye}", head)
    call = finish(rehearse(flow, breaks=["start"]))
    assert places(call) == ["start", "trouble", "bye"]
    assert len(whats(call, e.Broke)) == 1
    call = finish(rehearse(flow, breaks=["start", "trouble"]))
    assert call.ended == e.Ended("failed")


def test_any_moment_can_be_gone_back_to(flow: Flow) -> None:
    call = listen(rehearse(flow))
    mark, before = call.mark(), list(call.events)
    call.press("1")
    finish(call)
    over = list(call.events)
    call.back_to(mark)
    assert call.events == before
    assert isinstance(call.pause, Listening)
    call.press("1")
    finish(call)
    assert call.events == over


def test_a_call_that_goes_on_for_ever_is_stopped() -> None:
    flow = flow_of("one: {play: hello, next: two}\ntwo: {play: sorry, next: one}")
    with pytest.raises(Impossible, match="goes on and on"):
        finish(rehearse(flow))


def test_another_flow_takes_the_call() -> None:
    first = flow_of("start: {goto: {flow: billing}}")
    billing = replace(flow_of("hello: {play: hello, next: bye}"), name="billing")
    call = finish(Rehearsal(premises_with(first, billing), first, Given()))
    entered = [(event.flow, event.node) for event in call.events if isinstance(event.what, e.Entered)]
    assert entered == [("test", "start"), ("billing", "hello"), ("billing", "bye")]


OUTSIDE = """
ask_order: {http: orders, post: "/orders/12", body: {by: phone}, answer: {state: {path: data.0.state, type: text}},
            save: order, on_status: {404: unknown}, next: known, on_error: sorry}
known: {branch: [{if: "order.state == 'sent'", then: price}], else: unknown}
price: {script: price, with: {order: "12"}, save: quote, next: dear, on_error: sorry}
dear: {branch: [{if: "quote.price > 9.0", then: sold}], else: bye}
sold: {play: hello, next: bye}
unknown: {play: again, next: bye}
sorry: {play: sorry, next: bye}
"""
SENT = {"path": "/orders/12", "answer": {"data": [{"state": "sent"}]}}


@pytest.mark.parametrize(
    ("reply", "script", "end"),
    [
        (SENT, {"returns": {"price": 10}}, "sold"),
        (SENT, {"fails": "raises"}, "sorry"),
        ({"values": {"state": "lost"}}, {}, "unknown"),
        ({"status": 404}, {}, "unknown"),
        ({"fails": "timeout"}, {}, "sorry"),
        ({"answer": {"data": [{"state": 5}]}}, {}, "sorry"),
        ([{"method": "GET"}, {"method": "POST", "status": 404}], {}, "unknown"),
    ],
)
def test_web_services_and_scripts_answer_what_is_given(reply: object, script: object, end: str) -> None:
    call = finish(rehearse(flow_of(OUTSIDE), http={"orders": reply}, scripts={"price": script}))
    assert places(call)[-2:] == [end, "bye"]


def test_a_question_that_nobody_has_an_answer_for_waits_for_one() -> None:
    call = rehearse(flow_of(OUTSIDE))
    assert isinstance(call.pause, Unanswered)
    with pytest.raises(Impossible):
        call.settle()
    call.learn(Given.model_validate({"http": {"orders": {"status": 404}}}))
    assert places(call)[-1] == "unknown"


VALUES = """
flow: test
prompts:
  told: "{orders|number} orders of account {account|digits} come on {day|date}."
  bye: Goodbye.
nodes:
  known: {set: {orders: 2, account: "4711", day: "2026-12-24"}, next: tell}
  tell: {play: [told, bye, told], next: value}
  value: {say: {digits: "12"}, next: end}
  end: {hangup: normal}
"""


def test_a_prompt_with_values_is_one_thing_that_is_said() -> None:
    call = finish(rehearse(load(VALUES)))
    said = [event.what.said for event in call.events if isinstance(event.what, e.Heard)]
    assert [one.name for one in said] == ["told", "bye", "told", "value"]
    assert said[0].words == "2 orders of account 4 7 1 1 come on Thursday, 24 December 2026"
    assert said[3].words == "1 2"
    assert said[0].seconds > said[1].seconds


ACTIONS = st.one_of(
    st.tuples(st.just("settle")),
    st.tuples(st.just("press"), st.text("0123456789*#", min_size=1, max_size=4)),
    st.tuples(st.just("stay"), st.floats(0.1, 90.0)),
    st.tuples(st.just("speak"), st.floats(0.1, 90.0)),
    st.tuples(st.just("hang_up")),
)
RANDOM = flow_of(MENU)


@settings(max_examples=150, deadline=None)
@given(st.lists(ACTIONS, max_size=25))
def test_whatever_a_caller_does_a_call_ends_once_and_is_the_same_again(
    actions: list[tuple[Any, ...]],
) -> None:
    def play() -> Rehearsal:
        call = rehearse(RANDOM)
        for name, *arguments in actions:
            if not call.is_over:
                with suppress(Impossible):
                    getattr(call, name)(*arguments)
        return call if call.is_over else finish(call)

    call = play()
    assert isinstance(call.events[-1].what, e.Ended)
    assert len(whats(call, e.Ended)) == 1
    assert [event.at_s for event in call.events] == sorted(event.at_s for event in call.events)
    assert len(whats(call, e.Entered)) == len(whats(call, e.Left))
    assert play().events == call.events


def test_a_reply_may_be_for_the_first_request_only() -> None:
    nodes = """
    first: {http: orders, get: /a, save: one, next: second, on_error: bye}
    second: {http: orders, get: /a, save: two, next: bye, on_error: sorry}
    sorry: {play: sorry, next: bye}
    """
    replies = [{"path": "/a", "times": 1}, {"path": "/a", "status": 500}]
    assert places(finish(rehearse(flow_of(nodes), http={"orders": replies}))) == ["first", "second", "sorry", "bye"]
