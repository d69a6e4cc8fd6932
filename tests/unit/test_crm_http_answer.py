"""Where the customers are in an answer: what means nobody, and what means that the way is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cordboard.crm.http_answer import UselessAnswer, customers_in
from cordboard.crm.http_section import Http

ADA = {"id": 7, "name": "Ada", "open_tickets": 1}


def found(answer: Any, customers: str) -> int:
    """How many customers an answer has."""
    http = Http(url="https://crm.example.com/{number}", customers=customers)
    return len(customers_in(json.dumps(answer).encode(), http, {"name": "text"}))


@pytest.mark.parametrize(
    ("answer", "customers", "number"),
    [
        ({"data": {"items": [ADA, ADA]}}, "data.items", 2),
        ({"data": [{"who": ADA}]}, "data.0.who", 1),
        ({"data": {"items": []}}, "data.items", 0),
        ({"data": {"items": None}}, "data.items", 0),
        ({"data": []}, "data.items", 0),
        ({"data": []}, "data.0.who", 0),
        ({"data": None}, "data.items", 0),
        ({}, "data.items", 0),
        (None, "data.items", 0),
        ([], "data.items", 0),
    ],
)
def test_a_way_that_is_there_or_ends_where_something_is_empty(answer: Any, customers: str, number: int) -> None:
    assert found(answer, customers) == number


@pytest.mark.parametrize(
    ("answer", "customers", "words"),
    [
        (ADA, "data.items", "the answer has no `data.items`; it has: id, name, open_tickets"),
        ({"data": {"rows": [ADA]}}, "data.items", "the answer has no `data.items`; `data` has: rows"),
        ([ADA], "data", "the answer has no `data`; it is a list of 1"),
        ({"data": [ADA]}, "data.1", "the answer has no `data.1`; `data` is a list of 1"),
        ({"data": "Ada"}, "data.items", "the answer has no `data.items`; `data` holds neither keys nor a list"),
        ({"data": 0}, "data.items", "the answer has no `data.items`; `data` holds neither keys nor a list"),
        (
            {"442079460123": ADA, "ada@example.com 1": ADA, "line_2": ADA},
            "items",
            "the answer has no `items`; it has: line_2, 2 more",
        ),
        ({f"key_{chr(97 + n)}": n for n in range(14)}, "x", "key_k, key_l, 2 more"),
    ],
)
def test_a_way_that_is_not_there_is_told_with_what_is(answer: Any, customers: str, words: str) -> None:
    with pytest.raises(UselessAnswer) as refused:
        found(answer, customers)
    assert str(refused.value).endswith(words)
    assert "Ada" not in str(refused.value)
