"""Expressions are refused when the flow loads, at their very character, or give a value in a call; never worse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.flows.conditions import ExpressionFailed, ExpressionRefused, Scope, facts_of
from tests.doubles.flow_kit import CALL, NOON

SCOPE = Scope({"count": "int", "account": "string", "share": "double", "vip": "bool"}, frozenset({"pin"}))
FACTS = facts_of(CALL, "en", {"count": 3, "account": "123456", "share": 0.5, "vip": True}, {"pin": 4}, NOON)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("call.language == 'en' && count > 2", True),
        ("call.ani.startsWith('+44')", True),
        ("call.dnis + account", "5000123456"),
        ("call.caller_name", "Ada Lovelace"),
        ("count * 2 - 1", 5),
        ("share / 4.0", 0.125),
        ("vip ? 'gold' : 'plain'", "gold"),
        ("size(account)", 6),
        ("size(pin) == 4 && size( pin ) > 3", True),
        ("'size(pin)'", "size(pin)"),
        ("account.matches('^[0-9]{6}$')", True),
        ("int(account) % 2", 0),
        ("count in [1, 2, 3]", True),
        ("now", NOON),
        ("now.getHours('America/New_York')", 7),
        ("now.getDayOfWeek()", 1),
    ],
)
def test_values(text: str, value: object) -> None:
    result = SCOPE.compile(text).evaluate(FACTS)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("text", "line", "column", "code", "word"),
    [
        ("acount == '1'", 1, 1, "unknown-variable", "`acount`"),
        ("vip && call.anii == ''", 1, 8, "unknown-variable", "`call.anii`"),
        ("'é' == x", 1, 8, "unknown-variable", "`x`"),
        ("vip &&\n  lost", 2, 3, "unknown-variable", "`lost`"),
        ("vip && open(account)", 1, 8, "unknown-function", "`open`"),
        ("account == 1", 1, 9, "expression-type", "text and a whole number"),
        ("count > 1.5", 1, 7, "expression-type", "a whole number and a decimal number"),
        ("account.size", 1, 8, "expression-type", "dot"),
        ("count +", 1, 8, "expression-syntax", "too early"),
        ("vip = true", 1, 5, "expression-syntax", "="),
        ("", 1, 1, "expression-syntax", ""),
        ("[1, 2]", 1, 1, "expression-type", "list"),
        ("dyn(count)", 1, 1, "expression-type", "dyn"),
        ("null", 1, 1, "expression-type", "null"),
        ("'x' * 3", 1, 5, "expression-type", "text"),
        ("(" * 100 + "1" + ")" * 100, 1, 1, "expression-syntax", "recursion"),
        ("1" + " + 1" * 200, 1, 1, "expression-too-long", "500"),
        ("pin == '1234'", 1, 1, "secret-in-expression", "`pin` is secret"),
        ("size(pin) == 4 && pin.startsWith('1')", 1, 19, "secret-in-expression", "`pin` is secret"),
        ("size(string(pin))", 1, 13, "secret-in-expression", "`pin` is secret"),
        ("[1, 2].exists(x, x == count)", 1, 1, "expression-loop", "no loops here: `exists`"),
        ("vip && now.getHours('Nowhere/Land') > 1", 1, 12, "bad-zone", "`Nowhere/Land`"),
        ("vip && account.matches('[1')", 1, 1, "bad-regex", "missing ]"),
        ("vip &&\n account.matches(account)", 2, 10, "regex-not-literal", "written out"),
        ("vip && account.matches('(x{99}){99}')", 1, 16, "regex-too-large", "too large"),
        ("account" + "+'1'" * 21 + " == ''", 1, 88, "expression-too-large", "20 times +"),
    ],
)
def test_refused_when_the_flow_loads(text: str, line: int, column: int, code: str, word: str) -> None:
    with pytest.raises(ExpressionRefused) as refused:
        SCOPE.compile(text)
    assert (refused.value.line, refused.value.column, refused.value.code) == (line, column, code)
    assert word in refused.value.message


def test_hints() -> None:
    with pytest.raises(ExpressionRefused) as refused:
        SCOPE.compile("acount == '1'")
    assert refused.value.hint == "did you mean `account`?"
    with pytest.raises(ExpressionRefused) as refused:
        SCOPE.compile("account == 1")
    assert "'1' in quotes" in refused.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "int(call.caller_name) > 1",
        "1 / (count - 3)",
        "count + 9223372036854775807",
        "{'a': 1}[account]",
        "1.0 / 0.0",
    ],
)
def test_what_goes_wrong_in_a_call_is_a_failure_that_names_no_value(text: str) -> None:
    expression = SCOPE.compile(text)
    with pytest.raises(ExpressionFailed) as failed:
        expression.evaluate(FACTS)
    assert "123456" not in str(failed.value)
    assert "Ada" not in str(failed.value)


def test_a_variable_without_a_value_yet_is_a_failure() -> None:
    with pytest.raises(ExpressionFailed):
        SCOPE.compile("count == 3").evaluate(facts_of(CALL, "en", {}, {}, NOON))


def test_a_text_cannot_grow_without_end() -> None:
    facts = {**FACTS, "account": "1" * 600}
    with pytest.raises(ExpressionFailed, match="more than 1000 characters"):
        SCOPE.compile("account + account").evaluate(facts)


@given(st.text(max_size=60))
def test_any_text_is_refused_or_gives_a_value(text: str) -> None:
    try:
        SCOPE.compile(text).evaluate(FACTS)
    except ExpressionRefused as refused:
        assert refused.line >= 1
        assert refused.column >= 1
    except ExpressionFailed:
        pass


@pytest.mark.parametrize(
    ("expression", "message", "hint"),
    [
        ("count = 1", "`=` has no meaning here", "write == to compare"),
        ("call.language == es", "unknown variable `es`", "if it is text, write 'es' in quotes; known here: "),
        ("count == '1'", "`==` does not work on a whole number and text", "compare a number with 1 without quotes"),
        ("call.ani == 1", "`==` does not work on text and a whole number", "keys are text"),
    ],
)
def test_slips_of_newcomers_come_with_their_cure(expression: str, message: str, hint: str) -> None:
    with pytest.raises(ExpressionRefused) as refused:
        Scope({"count": "int"}).compile(expression)
    assert refused.value.message == message
    assert refused.value.hint.startswith(hint)
