"""What has changed between two texts of a flow, said as an admin would say it."""

from __future__ import annotations

import json

import pytest

from cordboard.config.document import Document
from cordboard.config.yaml_reader import parse_yaml
from cordboard.flows.diff import diff_flows

TEXT = """\
flow: support
languages: [en, es]
on_failure: bye
prompts:
  welcome: {en: Hello, es: Hola}
  ask: {en: "Press 1.", es: "Oprima 1."}
nodes:
  greeting: {play: welcome, next: main}
  main:
    menu: ask
    keys: {1: sales, 3: sales}
    no_input: {after_s: 5, then: bye}
  route: {branch: [{if: "call.language == 'es'", then: sales}], else: bye}
  sales: {dial: "1001", ring_s: 15, otherwise: bye}
  night: {play: welcome, next: bye}
  bye: {hangup: normal}
"""


def document(text: str) -> Document:
    return parse_yaml(text.encode(), "support.yaml")


def changed(*edits: tuple[str, str]) -> list[str]:
    text = TEXT
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return [str(change) for change in diff_flows(document(TEXT), document(text))]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("3: sales", "3: route", "main: key 3 now leads to route instead of sales"),
        ("3: sales}", "3: sales, 4: night}", "main: key 4 added, leads to night"),
        (", 3: sales", "", "main: key 3 removed, led to sales"),
        ("then: bye}", "then: night}", "main: `no_input.then` now leads to night instead of bye"),
        ("es'\", then: sales", "es'\", then: bye", "route: case 1 of `branch` now leads to bye instead of sales"),
        ("else: bye", "else: night", "route: `else` now leads to night instead of bye"),
        ("ring_s: 15", "ring_s: 30", "sales: `ring_s` is 30 instead of 15"),
        ("ring_s: 15, ", "", "sales: `ring_s` is gone, was 15"),
        ('dial: "1001"', 'dial: "1002"', "sales: `dial` is 1002 instead of 1001"),
        ("after_s: 5, ", "after_s: 5, say: welcome, ", "main: `no_input.say` is welcome now"),
        ("== 'es'", "== 'en'",
         "route: `branch.0.if` is call.language == 'en' instead of call.language == 'es'"),
        ("night: {play: welcome, next: bye}", "night: {queue: sales, otherwise: bye}",
         "night: is a `queue` now instead of a `play`"),
        ("  night: {play: welcome, next: bye}\n", "", "node night removed"),
        ("  bye: {", "  late: {play: ask, next: bye}\n  bye: {", "node late added"),
        ("en: Hello", "en: Welcome", "prompt welcome: text changed in en"),
        ("{en: Hello, es: Hola}", "{en: Welcome, es: Buenos dias}", "prompt welcome: text changed in en, es"),
        (", es: Hola", "", "prompt welcome: es removed"),
        ("prompts:\n", "prompts:\n  late: {en: Late, es: Tarde}\n", "prompt late added"),
        ("on_failure: bye", "on_failure: sales", "flow: `on_failure` is sales instead of bye"),
        ("on_failure: bye\n", "on_failure: bye\nanswer: never\n", "flow: `answer` is never now"),
        ("on_failure: bye\n", "on_failure: bye\nstart: main\n", "flow: begins at main instead of greeting"),
        ("[en, es]", "[en, es, fr]", "flow: `languages.2` is fr now"),
    ],
)  # fmt: skip
def test_a_change_is_said_in_words(old: str, new: str, words: str) -> None:
    assert changed((old, new)) == [words]


@pytest.mark.parametrize(
    "edit",
    [
        ("flow: support", "# by Bob\nflow: support"),
        ("{play: welcome, next: main}", "{next: main, play: welcome}"),
        ("keys: {1: sales, 3: sales}", "keys: {3: sales, 1: sales}"),
        ("on_failure: bye\n", "on_failure: bye\nstart: greeting\n"),
    ],
    ids=["comments", "order", "order of keys", "what is so by default"],
)
def test_what_makes_no_difference_is_none(edit: tuple[str, str]) -> None:
    assert changed(edit) == []


def test_a_node_under_another_name_is_one_change() -> None:
    assert changed(
        ("  sales: {", "  shop: {"), ("1: sales, 3: sales", "1: shop, 3: shop"), ("then: sales", "then: shop")
    ) == ["node sales: is called shop now"]


def test_several_changes_of_a_node_are_one_line_and_one_object() -> None:
    after = TEXT.replace("3: sales", "3: night").replace("after_s: 5", "after_s: 8")
    (change,) = diff_flows(document(TEXT), document(after))
    assert change.as_json() == {
        "part": "node",
        "name": "main",
        "what": "changed",
        "details": ["key 3 now leads to night instead of sales", "`no_input.after_s` is 8 instead of 5"],
        "text": "main: key 3 now leads to night instead of sales; `no_input.after_s` is 8 instead of 5",
    }
    json.dumps(change.as_json())


@pytest.mark.parametrize(
    "other", ["", "just text", "[a, b]", "flow: support\nnodes: {a: {wat: 1}, b: [1], c: null}"]
)
def test_texts_that_are_no_flows_can_be_compared_too(other: str) -> None:
    there = diff_flows(document(TEXT), document(other))
    back = diff_flows(document(other), document(TEXT))
    assert {change.what for change in there} >= {"removed"}
    assert {change.what for change in back} >= {"added"}
