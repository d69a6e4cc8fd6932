"""Flow tests pass where a call goes as expected, and say clearly where it does not."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from cordboard.errors import ConfigurationError
from cordboard.flows.flow import Flow
from cordboard.simulation.coverage import BROKEN, Coverage
from cordboard.simulation.junit import junit_xml
from tests.doubles.simulation_kit import flow_of, parsed, played

NODES = """
greeting: {play: hello, barge_in: false, next: who}
who: {lookup: crm, next: main, on_error: main}
main:
  menu: ask
  keys: {1: sales, 2: spanish, 3: note}
  no_input: {after_s: 5, tries: 2, say: again, then: bye}
  no_match: {tries: 2, say: sorry, then: bye}
spanish: {language: es, next: main}
sales: {queue: sales, next: thanks, otherwise: message}
thanks: {play: hello, next: bye}
message: {voicemail: sales, greeting: sorry, next: thanks}
note: {tag: {reason: billing}, next: order}
order: {http: orders, post: /orders/12, body: {by: phone, n: 1}, save: order, next: bye, on_error: trouble}
trouble: {play: sorry, next: bye}
"""
HEAD = "on_failure: trouble"
PASSES = """
given: {crm: {tier: gold}}
tests:
  - name: served
    caller: [{hears: [hello, ask]}, {presses: 1}, {joined: alice}, {hears: hello}]
    expect:
      path: [greeting, who, main, sales, thanks, bye]
      heard: [hello, ask, {text: HELLO EN}]
      variables: {customer.tier: gold, customer.found: true}
      queued: [sales]
      talks_to: [alice]
      outcome: finished
      cause: normal
  - name: in Spanish, and a message
    given: {queues: {sales: nobody}, crm: none}
    caller: [{presses: 2}, {hears: es/ask}, {presses: 1}, {speaks: 8}, {hangs_up: true}]
    expect:
      passes: [spanish, message]
      avoids: [note]
      variables: {customer.found: false}
      messages: [{folder: sales, at_least_s: 8}]
      language: es
      outcome: hung_up
  - name: silence
    caller: [{waits: 5}, {hears_text: again EN}, {waits: 5}]
    expect: {path: [greeting, who, main, bye]}
  - name: cut short
    caller: [{hears_begin: ask}, {presses: 2}, {hears: es/ask}, {hangs_up: true}]
    expect: {path: [greeting, who, main, spanish, main], heard: [hello, ask, es/ask]}
  - name: everything breaks
    given: {breaks: [greeting, trouble]}
    expect: {path: [greeting, trouble], outcome: failed}
"""


@pytest.fixture
def flow() -> Flow:
    return flow_of(NODES, HEAD)


def told(flow: Flow, test: str) -> list[tuple[str, str, str]]:
    """The failures of one test: what, expected, instead."""
    (one,) = played(flow, f"tests:\n  - {{name: one, {test}}}")
    return [(failure.what, failure.expected, failure.instead) for failure in one.failures]


def test_what_is_as_expected_passes(flow: Flow) -> None:
    assert [failure for one in played(flow, PASSES) for failure in one.failures] == []


@pytest.mark.parametrize(
    ("test", "failure"),
    [
        (
            "caller: [{hears: hello}, {hears: again}]",
            ("hears: again", "to hear again", "heard en/ask; a key is waited for"),
        ),
        (
            "caller: [{hears_begin: hello}, {presses: 1}]",
            ("presses: 1", "somebody to listen to `1`", "`hello` is being said, and keys do not count meanwhile"),
        ),
        ("caller: [{hangs_up: true}, {presses: 1}]", ("presses: 1", "to press 1", "the call is over (hung_up)")),
        (
            "caller: [{hangs_up: true}, {hangs_up: true}]",
            ("hangs_up: true", "to hang up", "the call is over (hung_up)"),
        ),
        ("caller: [{speaks: 5}]", ("speaks: 5.0", "a recording to speak into", "a key is waited for")),
        ("caller: [{joined: alice}]", ("joined: alice", "to talk to alice", "a key is waited for")),
        (
            "caller: [{presses: 3}]",
            ("presses: 3", "an answer to POST orders /orders/12", "none is given that fits"),
        ),
        ("expect: {path: [greeting]}", ("expect path", "greeting", "greeting → who → main → bye")),
        ("expect: {passes: [main, sales]}", ("expect passes", "sales after main", "greeting → who → main → bye")),
        ("expect: {avoids: [main]}", ("expect avoids", "not main", "greeting → who → main → bye")),
        ("expect: {heard: [hello, ask]}", ("expect heard", "to hear nothing more", 'en/again: "again en"')),
        ("expect: {heard: [hello, es/ask]}", ("expect heard", "to hear es/ask", 'en/ask: "ask en"')),
        ("expect: {variables: {customer.found: true}}", ("expect variables", "customer.found: true", "false")),
        ("expect: {queued: [sales]}", ("expect queued", "sales", "nobody")),
        ("expect: {outcome: hung_up}", ("expect outcome", "hung_up", "finished")),
        ("expect: {cause: busy}", ("expect cause", "busy", "normal")),
        ("expect: {language: es}", ("expect language", "es", "en")),
        ("expect: {tags: {reason: billing}}", ("expect tags", '{"reason": "billing"}', "{}")),
        ("expect: {requests: [{service: orders}]}", ("expect requests", '{"service": "orders"}', "nothing more")),
        ("expect: {messages: [{folder: sales}]}", ("expect messages", '[{"folder": "sales"}]', "none")),
    ],
)
def test_what_is_not_as_expected_says_what_there_was(flow: Flow, test: str, failure: tuple[str, str, str]) -> None:
    assert told(flow, test)[0] == failure


def test_a_failure_names_its_line_its_node_and_the_way_there(flow: Flow) -> None:
    (one,) = played(
        flow,
        """
        tests:
          - name: one
            caller:
              - {hears: hello}
              - {joined: alice}
        """,
    )
    (failure,) = one.failures
    assert (failure.place, failure.node) == ("tests.yaml:7", "main")
    assert one.test.place == "tests.yaml:4"
    assert one.path == ("greeting", "who", "main")


def test_what_was_sent_is_judged_by_what_is_written(flow: Flow) -> None:
    answers = "given: {http: {orders: {status: 200}}}"
    caller = "caller: [{presses: 3}]"
    good = "{service: orders, method: POST, path: /orders/12, body: {by: phone}}"
    assert told(flow, f"{answers}, {caller}, expect: {{requests: [{good}], tags: {{reason: billing}}}}") == []
    ((what, _, instead),) = told(
        flow, f"{answers}, {caller}, expect: {{requests: [{{service: orders, body: {{n: 2}}}}]}}"
    )
    assert what == "expect requests"
    assert '"n": 1' in instead
    ((_, expected, _),) = told(flow, f"{answers}, {caller}, expect: {{requests: []}}")
    assert expected == "nothing more"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("tests: []", "out-of-range"),
        ("tests: [{name: a, expect: {path: [nowhere]}}]", "unknown-node"),
        ("tests: [{name: a, expect: {path: [nowhere/start]}}]", "unknown-flow"),
        ("tests: [{name: a, caller: [{hears: helo}]}]", "unknown-prompt"),
        ("tests: [{name: a, caller: [{hears: fr/hello}]}]", "unknown-language"),
        ("tests: [{name: a, caller: [{heers: hello}]}]", "unknown-step"),
        ("tests: [{name: a, caller: [{hears: hello, presses: 1}]}]", "unknown-step"),
        ("tests: [{name: a, caller: [{presses: x}]}]", "out-of-range"),
        ("tests: [{name: a, expect: {variables: {nothing: 1}}}]", "unknown-variable"),
        ("tests: [{name: a, given: {crm: {teir: gold}}}]", "unknown-field"),
        ("tests: [{name: a, given: {crm: gold}}]", "wrong-value"),
        ("tests: [{name: a, given: {at: soon}}]", "bad-time"),
        ("tests: [{name: a, given: {queues: {sale: nobody}}}]", "unknown-queue"),
        ("tests: [{name: a, given: {queues: {sales: {agent: bob}}}}]", "unknown-agent"),
        ("tests: [{name: a, given: {http: {ordres: {status: 200}}}}]", "unknown-web-service"),
        ("tests: [{name: a, given: {scripts: {prize: {fails: raises}}}}]", "unknown-script"),
        ("tests: [{name: a, given: {breaks: [nowhere]}}]", "unknown-node"),
        ("tests: [{name: a}, {name: a}]", "duplicate-test"),
        ("tests: [{name: a, expects: {}}]", "unknown-key"),
    ],
)
def test_a_faulty_test_is_a_finding_at_its_place(flow: Flow, text: str, code: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parsed(flow, text)
    (finding,) = refused.value.findings
    assert finding.code == code
    assert (finding.file, finding.line) == ("tests.yaml", 2)


def test_all_faults_are_told_at_once(flow: Flow) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parsed(flow, "tests: [{name: a, given: {at: soon}, caller: [{heers: x}]}]")
    assert {finding.code for finding in refused.value.findings} == {"bad-time", "unknown-step"}


def test_coverage_counts_nodes_ways_and_failures(flow: Flow) -> None:
    coverage = Coverage()
    for one in played(flow, PASSES):
        coverage.add(one.events)
    of_flow = coverage.of(flow)
    assert of_flow.missed_nodes == ["note", "order"]
    assert ("main", "keys.3") in of_flow.missed_ways
    assert ("main", "keys.1") not in of_flow.missed_ways
    assert of_flow.ways["main", "no_input.then"] == 1
    assert coverage.counts()["test"]["greeting", BROKEN] == 1
    assert coverage.as_json()["test"]["main"]["keys.1"] == 2
    assert 0.8 < of_flow.node_share < 0.9


def test_junit_tells_the_same(flow: Flow) -> None:
    text = "tests: [{name: good}, {name: bad & <ugly>, expect: {outcome: failed}}]"
    suite = ElementTree.fromstring(junit_xml(played(flow, text)))[0]
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("test", "2", "1")
    good, bad = suite
    assert len(good) == 0
    assert bad.get("name") == "bad & <ugly>"
    assert bad.get("line") == "2"
    assert "expected: failed" in str(bad[0].text)
