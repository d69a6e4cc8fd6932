"""What the rules of lint let pass, and how they say what they find. Each defect itself is in the corpus."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.config.findings import Finding
from cordboard.errors import ConfigurationError
from cordboard.flows.lint.graph import Graph
from cordboard.flows.surroundings import ScriptShape
from cordboard.flows.uses import names_in
from tests.doubles.big_flow import big_flow
from tests.doubles.flow_kit import AROUND, flow_of, load

SAFE = "on_failure: bye"


def warned(nodes: str, head: str = SAFE) -> list[Finding]:
    """What lint says about a flow, but for the prompts it does not play."""
    return [one for one in flow_of(nodes, head).warnings if one.code != "unused-prompt"]


def codes(nodes: str, head: str = SAFE) -> list[str]:
    return [one.code for one in warned(nodes, head)]


# loops


@pytest.mark.parametrize(
    "nodes",
    [
        "a: {menu: ask, keys: {1: a, 2: bye}}",
        "a: {menu: ask, keys: {1: b}}\nb: {play: hello, next: a}",  # silence leads out
        "a: {set: {n: 0}, next: b}\nb: {set: {n: {cel: n + 1}}, next: c}\n"
        "c: {branch: [{if: n < 5, then: b}], else: bye}",
        "a: {queue: sales, otherwise: b}\nb: {play: hello, next: a}",  # the talk ends the call
    ],
)
def test_a_circle_with_a_way_out_is_fine(nodes: str) -> None:
    assert codes(nodes) == []


def test_a_circle_is_told_with_its_nodes_where_it_begins() -> None:
    (finding,) = warned("a: {play: hello, next: b}\nb: {play: ask, next: c}\nc: {language: es, next: b}")
    assert finding.message == "a caller who comes here can only hang up: b → c → b"


def test_a_loop_that_spins_beside_one_that_asks_is_found() -> None:
    with pytest.raises(ConfigurationError) as refused:
        flow_of("a: {menu: ask, keys: {1: b, 2: bye}}\nb: {goto: b}")
    assert [one.code for one in refused.value.findings] == ["spinning-loop"]


# what is left out


def test_what_on_failure_takes_care_of_is_no_dead_end() -> None:
    assert codes("a: {queue: sales, next: bye}", "") == ["dead-end"]
    assert codes("a: {queue: sales, next: bye}") == []


@pytest.mark.parametrize(
    ("node", "is_dead_end"),
    [
        ('{dial: "1001", busy: bye, no_answer: bye, rejected: bye, unreachable: bye}', False),
        ('{dial: "1001", busy: bye, no_answer: bye, rejected: bye}', True),
        ("{survey: ask, name: csat, next: bye}", False),
        ("{callback: sales, offer: ask, next: bye, declined: bye}", True),
        ("{callback: sales, offer: ask, next: bye, declined: bye, otherwise: bye}", False),
        ("{menu: ask, keys: {1: bye}, no_input: {then: bye}}", True),
        ("{menu: ask, keys: {1: bye}, no_input: {then: bye}, no_match: {then: bye}}", False),
    ],
)
def test_each_verb_knows_what_may_happen(node: str, is_dead_end: bool) -> None:
    assert codes(f"a: {node}", "") == (["dead-end"] if is_dead_end else [])


# values


def test_a_value_that_every_way_sets_may_be_used() -> None:
    nodes = """
    a: {menu: ask, keys: {1: b, 2: c}, no_input: {then: bye}, no_match: {then: bye}}
    b: {set: {vip: true}, next: d}
    c: {set: {vip: false}, next: d}
    d: {branch: [{if: vip, then: e}], else: bye}
    e: {play: hello, next: bye}
    """
    assert codes(nodes) == []


def test_a_gather_has_set_nothing_when_nobody_has_keyed_anything() -> None:
    nodes = """
    a: {gather: ask, save: account, next: b, no_input: {then: b}}
    b: {say: {digits: {cel: account}}, next: bye}
    """
    (finding,) = warned(nodes)
    assert finding.code == "use-before-set"
    assert finding.message == "`account` may have no value yet: it is not set on the way a → b"


def test_a_look_up_gives_values_on_both_its_ways_and_nothing_does_before_it() -> None:
    nodes = """
    a: {lookup: crm, next: b, on_error: b}
    b: {branch: [{if: "customer.found && customer.tier == 'gold'", then: bye}], else: c}
    c: {play: hello, next: bye}
    """
    assert codes(nodes) == []
    (finding,) = warned(f"    first: {{menu: ask, keys: {{1: a, 2: b}}}}{nodes}")
    assert finding.message == "`customer.found` may have no value yet: it is not set on the way first → b"


def test_what_on_failure_may_use_is_what_was_set_before_anything_could_break() -> None:
    nodes = """
    a: {{set: {{n: 1}}, next: b}}
    b: {{gather: ask, save: account, next: c}}
    c: {{say: {{digits: {{cel: account}}}}, next: bye}}
    d: {{say: {{digits: {{cel: {name}}}}}, next: bye}}
    """
    assert codes(nodes.format(name="n"), "on_failure: d") == []
    _, finding = warned(nodes.format(name="account"), "on_failure: d")
    assert (finding.code, finding.message.partition("way ")[2]) == ("use-before-set", "a → … → d")


def test_the_lines_of_a_set_see_those_above_them() -> None:
    assert codes("a: {set: {n: 1, m: {cel: n + 1}}, next: b}\nb: {branch: [{if: m > n, then: bye}], else: c}\n"
                 "c: {play: hello, next: bye}") == []  # fmt: skip
    assert codes("a: {set: {m: {cel: n + 1}, n: 1}, next: b}\nb: {branch: [{if: m > n, then: bye}], else: c}\n"
                 "c: {play: hello, next: bye}") == ["use-before-set"]  # fmt: skip


def test_a_value_spoken_in_a_prompt_is_used_where_the_prompt_is_played() -> None:
    text = """
flow: test
on_failure: bye
prompts: {you: "You are number {place}.", ask: Ask.}
nodes:
  a: {menu: ask, keys: {1: b, 2: c}}
  b: {set: {place: 3}, next: c}
  c: {play: you, next: bye}
  bye: {hangup: normal}
"""
    (finding,) = load(text).warnings
    assert (finding.code, finding.line) == ("use-before-set", 8)


def test_parameters_of_a_called_flow_have_values() -> None:
    nodes = "a: {say: {digits: {cel: number}}, next: b}\nb: {return: {}}"
    assert codes(nodes, f"{SAFE}\nparams: {{number: text}}") == []


# no echoes


def test_a_misspelt_node_makes_no_other_one_unreachable() -> None:
    with pytest.raises(ConfigurationError) as refused:
        flow_of("a: {play: hello, next: bb}\nb: {play: hello, next: bye}", SAFE)
    assert [one.code for one in (*refused.value.findings, *refused.value.warnings)] == ["unknown-node"]


def test_other_findings_come_with_an_error_that_has_nothing_to_do_with_them() -> None:
    with pytest.raises(ConfigurationError) as refused:
        flow_of("a: {queue: salse, otherwise: bye}\nb: {play: hello, next: bye}", SAFE)
    assert [one.code for one in refused.value.findings] == ["unknown-queue"]
    assert "unreachable-node" in [one.code for one in refused.value.warnings]


def test_a_piece_that_is_cut_off_is_told_once() -> None:
    nodes = "a: {play: hello, next: bye}\nx: {play: hello, next: y}\ny: {goto: z}\nz: {play: hello, next: x}"
    (finding,) = warned(nodes)
    assert finding.message == "no way leads to `x`"
    assert "`y`, `z` can only be reached from it" in finding.hint


# expressions


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("account.startsWith('9') && tries < 3", ["account", "tries"]),
        ("customer.tier == 'customer.vip'", ["customer.tier"]),
        ("size(account) > 1 || x.account", ["account"]),
        ('"account" + account', ["account"]),
    ],
)
def test_names_are_found_in_expressions(expression: str, names: list[str]) -> None:
    known = {"account", "tries", "customer.tier", "customer.vip"}
    assert [name for name, _ in names_in(expression, known)] == names


@pytest.mark.parametrize(
    ("condition", "is_told"),
    [
        ("int(call.ani) == 5", True),
        ("call.ani == string(007)", True),
        ("int(account) > 5", False),
        ("account == '0123'", False),
        ("int(n) == 5", False),
        ("n == 10", False),
        ("n > 0", False),
        ("account == 'int(x) == 5'", False),
    ],
)
def test_digits_that_lose_their_zeros(condition: str, is_told: bool) -> None:
    nodes = f"""
    a: {{set: {{n: 1, account: x}}, next: b}}
    b: {{branch: [{{if: "{condition}", then: bye}}], else: c}}
    c: {{branch: [{{if: "n > 1 || account == ''", then: bye}}], else: d}}
    d: {{play: hello, next: bye}}
    """
    assert codes(nodes) == (["lost-zeros"] if is_told else [])


# the graph


@given(st.dictionaries(st.integers(0, 8), st.lists(st.integers(0, 8), max_size=4), max_size=9))
def test_circles_are_what_can_be_reached_from_itself(ways: dict[int, list[int]]) -> None:
    graph = Graph({str(node): [str(other) for other in others if other in ways] for node, others in ways.items()})
    inside = {node for circle in graph.circles() for node in circle}
    assert inside == {node for node in graph.next if node in graph.reached_from(graph.next[node])}
    for circle in graph.circles():
        assert all(circle <= graph.reached_from([node]) for node in circle)


def test_a_flow_of_three_thousand_nodes_in_a_row_is_followed_to_its_end() -> None:
    graph = Graph({str(number): [str(number + 1)] if number < 2_999 else ["0"] for number in range(3_000)})
    (circle,) = graph.circles()
    assert len(circle) == 3_000


def test_the_largest_flow_is_checked_as_a_whole() -> None:
    flow = load(big_flow(3_000), AROUND)
    assert len(flow.nodes) == 3_000
    assert {one.code for one in flow.warnings} == {"unused-variable"}  # those that the rule was given to find


# secrets

SINKS = [
    "{say: {digits: {cel: pin}}, next: bye}",
    "{play: spoken, next: bye}",
    "{set: {copy: {cel: pin}}, next: bye}",
    "{branch: [{if: \"pin == '1'\", then: bye}], else: bye}",
    "{tag: {code: {cel: pin}}, next: bye}",
    "{http: orders, get: '/x/{pin}', next: bye}",
    "{http: orders, get: /x, query: {code: {cel: pin}}, next: bye}",
    "{http: orders, post: /x, body: {deep: [{code: {cel: pin}}]}, next: bye}",
    "{script: price, with: {order: {cel: pin}}, next: bye}",
    "{dial: {extension_from: pin}, next: bye}",
    "{dial: {number_from: pin}, next: bye}",
    "{transfer: {extension_from: pin}}",
    "{lookup: crm, by: {cel: pin}, next: bye}",
]


@pytest.mark.parametrize("sink", SINKS)
def test_secret_digits_go_nowhere(sink: str) -> None:
    spoken = ', spoken: "{pin}"' if "spoken" in sink else ""
    text = f"""
flow: test
on_failure: bye
prompts: {{ask: Ask.{spoken}}}
nodes:
  a: {{gather: ask, save: pin, secret: true, next: b}}
  b: {sink}
  bye: {{hangup: normal}}
"""
    around = replace(AROUND, http_services={"orders": 1.0}, scripts={"price": ScriptShape({"order": "string"}, {})})
    with pytest.raises(ConfigurationError) as refused:
        load(text, around)
    assert {one.code for one in refused.value.findings} <= {"secret-used", "secret-in-expression"}


# keys, consent, hang-ups


@pytest.mark.parametrize(("lengths", "is_told"), [("[4]", True), ("[1]", False)])
def test_a_key_may_begin_an_extension_that_callers_dial(lengths: str, is_told: bool) -> None:
    nodes = f"""
    a: {{menu: ask, keys: {{1: bye, 2: bye}}, direct_dial: {{next: b, lengths: {lengths}}}}}
    b: {{dial: {{extension_from: extension}}, next: bye}}
    """
    assert codes(nodes) == (["key-overlap"] if is_told else [])  # of 10XX, so 1 and not 2


def test_a_recording_that_was_announced_on_every_way_is_fine() -> None:
    nodes = """
    a: {play: hello, next: b}
    b: {record: call, consent: given_before, next: c}
    c: {play: ask, next: bye}
    """
    assert codes(nodes) == []


def test_a_run_without_a_caller_may_end_like_any_other() -> None:
    nodes = """
    a: {play: hello, next: bye}
    gone: {tag: {left: early}, next: bye}
    """
    assert codes(nodes, f"{SAFE}\non_hangup: gone") == []


def test_a_value_behind_a_dot_is_not_the_variable_before_it() -> None:
    known = {"order", "order.state"}
    assert [name for name, _ in names_in("order.state == order.name", known)] == ["order.state", "order"]
