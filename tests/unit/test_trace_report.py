"""A call's trace as people read it."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import get_args

import pytest

from cordboard.bootstrap.trace_report import (
    HEAD,
    Line,
    as_table,
    difference_words,
    outcome_words,
    step_json,
    trace_lines,
    verb_words,
)
from cordboard.flows.replay import Difference
from cordboard.telephony import outcomes as o
from cordboard.telephony.verbs import HttpRequest, Verb
from tests.doubles.flow_kit import NOON, flow_of
from tests.doubles.trace_kit import TracedWalk

REQUEST = HttpRequest("POST", "shop", "/calls", 3.0)
FLOW = """
main: {menu: ask, keys: {1: account, 2: bye}, no_input: {tries: 2, then: bye}}
account: {gather: ask, save: account, max_digits: 6, next: pin}
pin: {gather: again, save: pin, secret: true, next: route}
route: {branch: [{if: "account == '123456'", then: sales}], else: bye}
sales: {queue: sales, otherwise: sorry}
sorry: {play: sorry, next: bye}
"""


def walked(*outcomes: o.Outcome) -> TracedWalk:
    walk = TracedWalk(flow_of(FLOW))
    walk.advance(*outcomes)
    return walk


def test_each_verb_is_a_line_with_what_came_of_it_and_where_it_led() -> None:
    walk = walked(
        o.Done(), o.NoInput(), o.Gathered("1", "full"), o.Gathered("123456", "full"), o.Gathered("9876", "end_key")
    )
    walk.advance(o.NotServed("max_wait"), o.HungUp())
    lines = [line.cells() for line in trace_lines(walk.steps)]
    assert lines == [
        ("+0.000", "test/main", "answer", "done", "", ""),
        ("+60.000", "test/main", "gather ask", "no input", "asks again", ""),
        ("+120.000", "test/main", "gather ask", "gathered 1 (full)", "keys.1", ""),
        ("+180.000", "test/account", "gather ask", "gathered 123456 (full)", "next", "account='123456'"),
        ("+240.000", "test/pin", "gather again (secret)", "gathered •••• (end_key)", "next", "pin=''"),
        ("+300.000", "test/route", "", "", "branch.0.then", ""),
        ("+300.000", "test/sales", "enqueue sales", "not served max_wait", "otherwise", ""),
        ("+360.000", "test/sorry", "play sorry", "hung up", "ends here", ""),
        ("+420.000", "", "", "the call is over", "", ""),
    ]
    table = as_table([HEAD, *lines])
    assert table.splitlines()[0].split() == ["TIME", "NODE", "ASKED", "CAME", "OF", "IT", "WAY", "CHANGED"]
    assert len({line.index("test/") for line in table.splitlines()[1:-1]}) == 1, "columns stand under each other"
    assert "9876" not in table


@pytest.mark.parametrize("kind", get_args(Verb), ids=lambda kind: kind.__name__)
def test_every_verb_has_words(kind: type) -> None:
    assert verb_words({kind.__name__: _noted(kind)})


@pytest.mark.parametrize("kind", get_args(o.Outcome), ids=lambda kind: kind.__name__)
def test_every_outcome_has_words(kind: type) -> None:
    assert outcome_words({kind.__name__: _noted(kind)})


def _noted(kind: type) -> dict[str, object]:
    """Its fields as the trace has them."""
    return {one.name: [] if one.name == "prompts" else "x" for one in fields(kind)}


def test_a_request_is_known_by_its_service_and_path() -> None:
    asked = {one.name: getattr(REQUEST, one.name) for one in fields(REQUEST)}
    assert verb_words({"HttpRequest": asked}) == "http request POST shop /calls"


def test_what_a_caller_has_chosen_drives_no_terminal() -> None:
    line = Line(1.0, "test/a", "note who = \x1b[2J", "\x9b2J", "\u202en", "who='Zoë'")
    assert line.cells() == ("+1.000", "test/a", "note who = [2J", "2J", "n", "who='Zoë'")


def test_what_happened_around_the_call_is_told_too() -> None:
    walk = walked(o.Done())
    walk.come_back()
    walk.fail("the database is gone")
    told = [line.outcome for line in trace_lines(walk.steps)]
    assert told == [
        "done",
        "",
        "another worker has taken the call over, at this node's beginning",
        "",
        "something outside the flow broke the database is gone",
        "fault: main: the database is gone",
        "to the safe destination",
    ]


def test_a_verb_whose_end_nobody_heard_of_is_there_all_the_same() -> None:
    (last,) = list(trace_lines(walked().steps))
    assert (last.asked, last.outcome) == ("answer", "not known, or not yet")


def test_who_hangs_up_in_a_talk_is_known_by_how_the_call_ended() -> None:
    (last,) = list(trace_lines(walked().steps, "hung_up"))
    assert (last.asked, last.outcome) == ("answer", "hung up, while the switch had the call")


def test_what_came_of_ringing_an_agent_is_told_in_words() -> None:
    rung = {"offer_id": "01K", "result": "no_answer", "joined_at": None, "ended_at": 1795437156.0, "others": []}
    assert outcome_words({"AgentRung": rung}) == "agent rung no answer"
    assert outcome_words({"LeftByKey": {"key": "2", "keeps_place": True}}) == "left by key 2, keeps the place"


def test_as_json_a_step_is_all_that_was_noted() -> None:
    step = walked(o.Done()).steps[1]
    told = step_json(step, NOON)
    assert (told["offset_s"], told["kind"], told["outcome"]) == (60.0, "advance", {"Done": {}})
    assert told["at"] == (NOON + timedelta(minutes=1)).isoformat()


def test_a_difference_names_its_step_and_what_is_different() -> None:
    steps = walked(o.Done(), o.NoInput()).steps
    found = Difference(1, {"node": "a/b", "seq": 2}, {"node": "a/c", "seq": 2, "finish": ["failed", ""]})
    assert difference_words(found, steps).splitlines() == [
        "step 2 of 3, at +60.000 s, is another one:",
        "  node: recorded 'a/b', replayed 'a/c'",
        "  finish: recorded None, replayed ['failed', '']",
    ]
    lost = difference_words(Difference(0, {}, reason="revision x is not kept any more"), steps)
    assert lost.endswith("revision x is not kept any more")
