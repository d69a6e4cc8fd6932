"""The `http` node: what is asked with the values of a call in it, what is kept of the answer, where it leads."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cordboard.flows.flow import Flow
from cordboard.flows.run import FlowRun, Step
from cordboard.flows.web_request import BODY_MAX_BYTES
from cordboard.telephony.outcomes import Gathered, HttpAnswered, HttpFailed, HungUp, Outcome
from cordboard.telephony.verbs import AnswerField, HttpRequest
from tests.doubles.flow_kit import AROUND, CALL, NOON, faults_of, flow_of, text_of

WEB = replace(AROUND, http_services={"orders": 2.5})
NODES = """
    ask: {gather: ask, save: order_no, next: order}
    order:
      http: orders
      get: "/orders/{order_no}"
      answer: {state: {path: data.state, type: text}, eta: {type: number, default: 3}, paid: {type: yes_no}}
      save: order
      on_status: {404: lost, 204: lost}
      next: tell
      on_error: sorry
    tell: {play: hello, next: bye}
    lost: {play: again, next: bye}
    sorry: {play: sorry, next: bye}
"""
GOOD = {"state": "sent", "eta": 1.5, "paid": True}
EMPTY = {"order.status": 0, "order.state": "", "order.eta": 3.0, "order.paid": False}


def flow() -> Flow:
    return flow_of(NODES, around=WEB)


def asking(flow: Flow, order_no: str = "17") -> Step:
    """The step at which the web service is asked about a number, whatever it holds."""
    run = replace(FlowRun.begin(flow, CALL), answered=True, node="order", variables={"order_no": order_no})
    return run.resume(NOON)


def after(outcome: Outcome, flow: Flow | None = None) -> Step:
    return asking(flow or flow_of(NODES, around=WEB)).run.advance(outcome, NOON)


def kept(step: Step) -> dict[str, object]:
    return {name: value for name, value in step.run.variables.items() if name != "order_no"}


def test_the_request_names_the_service_and_holds_no_address() -> None:
    assert asking(flow()).verb == HttpRequest(
        method="GET",
        service="orders",
        path="/orders/17",
        timeout_s=2.5,
        retries=1,
        answer=(
            AnswerField("state", "data.state", "string"),
            AnswerField("eta", "eta", "double"),
            AnswerField("paid", "paid", "bool"),
        ),
    )


def test_status_and_values_are_kept_with_their_types() -> None:
    step = after(HttpAnswered(200, GOOD))
    assert kept(step) == {"order.status": 200, "order.state": "sent", "order.eta": 1.5, "order.paid": True}
    assert step.entered == ("tell",)
    assert flow().variables == {
        "order_no": "string", "order.status": "int", "order.state": "string", "order.eta": "double",
        "order.paid": "bool",
    }  # fmt: skip


def test_what_the_answer_does_not_hold_is_the_default() -> None:
    step = after(HttpAnswered(200, {"state": "sent", "paid": False}))
    assert (step.entered, kept(step)["order.eta"]) == (("tell",), 3.0)


@pytest.mark.parametrize(
    ("outcome", "node", "values"),
    [
        (HttpAnswered(200, {"eta": 1.0, "paid": True}), "sorry", EMPTY | {"order.status": 200}),
        (HttpAnswered(200, GOOD | {"state": 7}), "sorry", EMPTY | {"order.status": 200}),
        (HttpAnswered(204), "lost", EMPTY | {"order.status": 204}),
        (HttpFailed("x", 404), "lost", EMPTY | {"order.status": 404}),
        (HttpFailed("x", 500), "sorry", EMPTY | {"order.status": 500}),
        (HttpFailed("x", 204), "sorry", EMPTY | {"order.status": 204}),
        (HttpFailed("x"), "sorry", EMPTY),
    ],
)
def test_where_an_answer_leads(outcome: Outcome, node: str, values: dict[str, object]) -> None:
    step = after(outcome)
    assert (step.entered, kept(step)) == ((node,), values)
    assert step.faults == ()


def test_conditions_behind_an_error_see_nothing_of_an_earlier_answer() -> None:
    again = flow_of(NODES.replace("tell: {play: hello, next: bye}", "tell: {goto: ask}"), around=WEB)
    step = after(HttpAnswered(200, GOOD), again).run.advance(Gathered("18", "full"), NOON)
    assert kept(step.run.advance(HttpFailed("x"), NOON)) == EMPTY


def test_without_a_way_of_its_own_a_fault_goes_to_on_failure() -> None:
    step = after(
        HttpFailed("no answer within 2 s"), flow_of(NODES.replace("on_error: sorry", ""), "on_failure: bye", WEB)
    )
    assert step.entered == ("bye",)
    assert step.faults == ("order: `orders` gave no answer: no answer within 2 s",)


def test_after_the_caller_has_left_nothing_is_asked() -> None:
    assert after(HungUp()).verb is None


def test_after_a_crash_it_is_asked_again() -> None:
    step = asking(flow())
    back = FlowRun.restore(step.run.flow, CALL, step.run.snapshot()).resume(NOON)
    assert back.verb == step.verb


# values as data


@pytest.mark.parametrize("order_no", ["", ".", "..", "../admin", "..\\admin", "a/../../b", "a/.", "/.."])
def test_a_value_that_would_lead_elsewhere_is_not_asked_with(order_no: str) -> None:
    step = asking(flow(), order_no)
    assert step.entered[-1] == "sorry"
    assert kept(step) == EMPTY


# CEL ends a text at a NUL, and no part of ours lets one in
@given(st.text(st.characters(exclude_characters="\x00"), max_size=30))
@example("a/b")
@example("a?b=c#d")
@example("a\\b;c@d:1")
def test_no_value_changes_the_path(order_no: str) -> None:
    verb = asking(FLOW, order_no).verb
    if isinstance(verb, HttpRequest):
        head, _, last = verb.path.rpartition("/")
        assert head == "/orders"
        assert last not in ("", ".", "..")
        assert last.isascii()
        assert not set(last) & set("/\\?#:@ \r\n\x00&=")
        assert unquote(last) == order_no.encode("utf-8", "replace").decode()


FLOW = flow_of(NODES, around=WEB)


def test_query_and_body_are_worked_out_and_everything_else_stays_as_written() -> None:
    nodes = """
        ask: {gather: ask, save: order_no, next: order}
        order:
          http: orders
          post: /orders
          query: {no: {cel: order_no}, big: {cel: "size(order_no) > 1"}, n: 1.10, zip: 0123, yes: true}
          body:
            order: {no: {cel: order_no}, parts: [1, 2.50, no, true, null, {cel: size(order_no)}], cel: {cel: "1.5"}}
            plain: {cel: order_no, other: 1}
          next: bye
          on_error: bye
    """
    verb = asking(flow_of(nodes, around=WEB), '1"7').verb
    assert isinstance(verb, HttpRequest)
    assert verb.query == (("no", '1"7'), ("big", "true"), ("n", "1.10"), ("zip", "0123"), ("yes", "true"))
    assert json.loads(verb.body or "") == {
        "order": {"no": '1"7', "parts": [1, 2.5, "no", True, None, 3], "cel": 1.5},
        "plain": {"cel": "order_no", "other": 1},
    }
    assert (verb.method, verb.retries) == ("POST", 0)
    assert '1"7' not in repr(verb)


def test_a_body_that_grows_too_large_is_not_sent() -> None:
    field = ", ".join(f"f{number}: {{cel: order_no}}" for number in range(100))
    nodes = f"""
        ask: {{gather: ask, save: order_no, next: order}}
        order: {{http: orders, put: /x, body: {{{field}}}, next: bye, on_error: sorry}}
        sorry: {{play: sorry, next: bye}}
    """
    flow = flow_of(nodes, around=WEB)
    assert isinstance(asking(flow, "1" * 100).verb, HttpRequest)
    assert asking(flow, "1" * (BODY_MAX_BYTES // 100)).entered[-1] == "sorry"


def test_variables_may_stand_in_any_piece_of_a_path_and_call_facts_too() -> None:
    nodes = """
        ask: {gather: ask, save: order_no, next: order}
        order: {http: orders, delete: "/a-{order_no}/{call.ani}/b;x={order_no}", next: bye, on_error: bye}
    """
    verb = asking(flow_of(nodes, around=WEB)).verb
    assert isinstance(verb, HttpRequest)
    assert verb.path == "/a-17/%2B442079460123/b;x=17"


# findings


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ("get: /x, post: /x", "one-method", "one method"),
        ("query: {a: b}", "one-method", "one method"),
        ("get: /x, body: {a: 1}", "body-with-get", "a GET has no body"),
        ("get: x", "bad-path", "is no path"),
        ("get: 'https://elsewhere.example/'", "bad-path", "is no path"),
        ("get: //elsewhere.example/x", "bad-path", "neither //"),
        ("get: '/x?a=b'", "bad-path", "no ? or #"),
        ("get: /x/../y", "bad-path", "neither //"),
        ("get: '/x\\y'", "bad-path", "is no path"),
        ("get: '/x y'", "bad-path", "is no path"),
        ("get: '/x%zz'", "bad-path", "is no path"),
        ("get: '/{}'", "bad-path", "names no variable"),
        ("get: '/{a b}'", "bad-path", "names no variable"),
        ("get: '/{unset}'", "unknown-variable", "`unset`"),
        ("get: '/{pin}'", "secret-used", "`pin`"),
        ("get: /x, query: {a: {cel: pin}}", "secret-in-expression", "`pin`"),
        ("post: /x, body: {a: [{b: {cel: pin}}]}", "secret-in-expression", "`pin`"),
        ("post: /x, body: {a: {cel: '1 +'}}", "expression-syntax", "ends too early"),
        ("get: /x, answer: {a: {type: text}}", "no-save", "where the answer is kept"),
        ("get: /x, save: a, answer: {status: {type: whole}}", "bad-name", "kept by itself"),
        ("get: /x, save: a, answer: {in: {type: whole}}", "bad-name", "meaning of its own"),
        ("get: /x, save: a, answer: {b: {type: whole, default: x}}", "wrong-type", "a whole number"),
        ("get: /x, on_status: {99: bye}", "bad-status", "`99`"),
        ("get: /x, on_status: {404: by}", "unknown-node", "`by`"),
        ("get: /x, timeout_s: 11", "out-of-range", "10"),
        ("get: /x, retries: 4", "out-of-range", "3"),
    ],
)
def test_findings(options: str, code: str, words: str) -> None:
    nodes = f"""
        pin: {{gather: ask, save: pin, secret: true, next: order}}
        order: {{http: orders, {options}, next: bye, on_error: bye}}
    """
    (finding,) = [one for one in faults_of(text_of(nodes), WEB) if one.is_error]
    assert finding.code == code
    assert words in finding.message
    assert finding.line == 11


def test_a_service_that_is_not_in_the_settings() -> None:
    (finding,) = faults_of(text_of("order: {http: oders, get: /x, next: bye, on_error: bye}"), WEB)
    assert (finding.code, finding.hint) == ("unknown-web-service", "did you mean `orders`?")


def test_somebody_must_care_for_a_service_that_does_not_answer() -> None:
    nodes = "order: {http: orders, get: /x, next: bye}"
    assert [one.code for one in faults_of(text_of(nodes), WEB)] == ["no-on-error"]
    assert not [one for one in faults_of(text_of(nodes, "on_failure: bye"), WEB) if one.is_error]


def test_a_placeholder_is_found_at_its_very_character() -> None:
    text = text_of('order: {http: orders, get: "/orders/{oder_no}", next: bye, on_error: bye}')
    (finding,) = faults_of(text, WEB)
    assert text.splitlines()[finding.line - 1][finding.column - 1 :].startswith("oder_no")
