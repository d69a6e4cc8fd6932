"""Every code that the source uses is told in `codes`, every code told is used, and the page is current."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cordboard.config.codes import CHAPTERS, CODES
from cordboard.config.findings import PAGE, Finding, split
from cordboard.config.findings_page import explained, page
from cordboard.config.yaml_reader import parse_yaml
from cordboard.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
SOURCES = [path for path in (ROOT / "cordboard").rglob("*.py") if not path.name.startswith("code")]
ONE_WORD = {"syntax", "tag", "unreadable"}
CODE = re.compile("|".join((r"[a-z]+(?:-[a-z0-9]+)+", *ONE_WORD)))
# Which argument of these is a code; of the others, the first one that looks like it.
TAKE_CODES = {
    "fault", "report", "finding", "Finding", "ExpressionRefused", "TooCostly", "SayRefused", "_literal", "at",
    "at_node", "within", "_refuse", "_refusal", "_finding", "_at_call", "_report", "NeedsFault",
}  # fmt: skip


def called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
    return ""


def texts(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
            yield node.value


def codes_in(tree: ast.Module) -> Iterator[str]:
    """Arguments that are codes, tuples of words that begin with one, and codes made of a word."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in TAKE_CODES:
            yield from texts(node.args)
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            yield from texts(node.value.elts[:1])
        elif isinstance(node, ast.Call) and called(node) == "_unknown" and node.args:
            yield from (f"unknown-{what}" for what in words(node.args[0]))
        elif isinstance(node, ast.Call) and called(node) == "compile_given":
            yield from (f"{how}-{what}" for what in words(node.args[-1]) for how in ("unknown", "missing"))


def words(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        yield str(node.value).replace(" ", "-")


USED = {code: path for path in SOURCES for code in codes_in(ast.parse(path.read_text("utf-8")))}


def test_every_code_that_is_used_is_told() -> None:
    assert {code: str(path) for code, path in USED.items() if code not in CODES} == {}


def test_every_code_that_is_told_is_used() -> None:
    assert set(CODES) - set(USED) == set()


def test_no_code_is_told_twice() -> None:
    assert sum(map(len, CHAPTERS.values())) == len(CODES)


def test_the_page_is_current() -> None:
    """`python -m cordboard.config.findings_page` writes it anew."""
    assert (ROOT / PAGE).read_text("utf-8") == page()


def test_every_code_has_an_anchor_that_findings_point_at() -> None:
    headings = set(re.findall(r"^### (.*)$", (ROOT / PAGE).read_text("utf-8"), re.MULTILINE))
    assert {f"{PAGE}#{heading}" for heading in headings} == {Finding("x", 1, 1, code, "").url for code in CODES}


@pytest.mark.parametrize("code", [code for code in CODES if CODES[code].right])
def test_what_is_shown_as_right_can_be_read(code: str) -> None:
    parse_yaml(CODES[code].right.encode(), f"{code}.yaml")


def test_an_entry_alone_says_what_the_page_says_without_its_marks() -> None:
    told = CODES["dead-end"]
    shown = explained("dead-end")
    assert shown.startswith("dead-end (warning)\n\n")
    assert all(part in shown and part in page() for part in (told.meaning, told.wrong, told.cure, told.right))
    assert "**" not in shown and "```" not in shown


def test_findings_are_split_into_errors_and_warnings_each_once() -> None:
    late, early = Finding("a", 2, 1, "syntax", "x"), Finding("a", 1, 1, "syntax", "x")
    warning = Finding("a", 1, 1, "dead-end", "x", severity="warning")
    assert split([late, warning, early, late]) == ([early, late], [warning])


def test_where_a_finding_ends_is_told_where_the_text_stands_as_it_is_read() -> None:
    document = parse_yaml(
        b"keys: {plain: word, 'quoted': \"two words\", none: , long: |\n  text\n  }\n".replace(
            b"|\n  text\n  }", b"1.50}"
        ),
        "x",
    )
    ends = {
        key: document.finding(("keys", key), "syntax", "").end_column for key in ("plain", "quoted", "none", "long")
    }
    columns = {key: document.finding(("keys", key), "syntax", "").column for key in ends}
    assert {key: end - columns[key] if end else 0 for key, end in ends.items()} == {
        "plain": 4, "quoted": 11, "none": 0, "long": 4,
    }  # fmt: skip


def test_a_warning_says_so_in_its_headline_and_an_error_needs_no_word() -> None:
    assert (
        Finding("a", 1, 2, "dead-end", "no way", severity="warning").headline == "a:1:2: warning: no way [dead-end]"
    )
    assert str(Finding("a", 1, 2, "syntax", "no", "write yes")) == "a:1:2: no [syntax]\n    write yes"


def test_warnings_travel_with_the_refusal() -> None:
    warning = Finding("a", 1, 1, "dead-end", "x", severity="warning")
    assert ConfigurationError([], [warning]).warnings == (warning,)
