"""Every fault of a section is reported at once, at its place, in words that say what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, BaseModel, Field

import cordboard.acd.floor_plan
import cordboard.crm.crm_file
import cordboard.flows.loader
import cordboard.lab.scenario
import cordboard.settings  # noqa: F401  (all sections there are)
from cordboard.config.findings import Finding
from cordboard.config.validation import Many, Section, Text, closest, fault, validate, written_as
from cordboard.config.yaml_reader import parse_yaml


def _not_moon(value: str) -> str:
    if value == "moon":
        raise fault("unknown-zone", "there is no zone `moon`", "write Europe/London")
    if value == "mars":
        raise ValueError("too far")
    return value


class Box(Section):
    folder: Text = ""
    tell: Many[Text] = ()


class Listener(Section):
    port: int = Field(default=0, ge=0, le=65535)
    ring_s: float = 20.0
    enabled: bool = True
    kind: Literal["agi", "http"] = "agi"
    share: Annotated[float, Field(gt=0, le=1.0)] = 0.5
    label: Annotated[Text, Field(min_length=1, max_length=5)] = "x"
    path: Annotated[Path, Field(strict=False)] = Path()
    rest: Annotated[Box, written_as(lambda written: f"{{tell: {written}}}")] = Box()
    host: Text = "127.0.0.1"
    zone: Annotated[Text, AfterValidator(_not_moon)] = "UTC"
    boxes: dict[Annotated[Text, Field(pattern="^[a-z]+$")], Box] = Field(default_factory=dict)
    either: int | Box = 0
    several: list[Box] = Field(default_factory=list)
    quoted: str = ""
    else_: Text = Field(default="", alias="else")


class Needy(Section):
    name: Text
    inner: Listener = Listener()


def findings_of(text: str, model: type[Section] = Listener) -> list[Finding]:
    return validate(model, parse_yaml(text.encode(), "x.yaml"))[1]


@pytest.mark.parametrize(
    ("text", "column", "code", "message", "hint"),
    [
        ("port: 0123", 7, "wrong-type", "expected a whole number, found `0123`", "write 123 for a number"),
        ("port: +44", 7, "wrong-type", "expected a whole number, found `+44`", "write 44 for a number"),
        ("port: 9:30", 7, "wrong-type", "expected a whole number, found `9:30`", "a time of day is text"),
        ('port: "80"', 7, "wrong-type", "expected a whole number, found `80`", "write 80 without quotes"),
        ("port: 80.5", 7, "wrong-type", "expected a whole number, found the number 80.5", ""),
        ("port: true", 7, "wrong-type", "expected a whole number, found `true`", ""),
        ("port: 70000", 7, "out-of-range", "70000 is too big; at most 65535", ""),
        ("ring_s: 20s", 9, "wrong-type", "expected a number, found `20s`", "write 20 alone; the unit"),
        ("ring_s:", 1, "wrong-type", "expected a number, found nothing", ""),
        ("enabled: no", 10, "wrong-type", "expected `true` or `false`, found `no`", "write `false`"),
        ("enabled: Yes", 10, "wrong-type", "expected `true` or `false`, found `Yes`", "write `true`"),
        ("enabled: 1", 10, "wrong-type", "expected `true` or `false`, found the number 1", ""),
        ("port: -1", 7, "out-of-range", "-1 is too small; at least 0", ""),
        ("share: 1.5", 8, "out-of-range", "1.5 is too big; at most 1", ""),
        ("share: 0", 8, "out-of-range", "0 is too small; it must be more than 0", ""),
        ("label: ''", 8, "out-of-range", "this must not be empty", ""),
        ("label: abcdef", 8, "out-of-range", "`abcdef` is too long; at most 5 characters", ""),
        ("path: [a]", 7, "wrong-type", "expected text, found a list", ""),
        (
            "rest: 20",
            7,
            "wrong-type",
            "expected a mapping (`key: value`), found the number 20",
            "write `{tell: 20}`",
        ),
        ("rest: [a, b]", 7, "wrong-type", "expected a mapping (`key: value`), found a list", "write `{tell: a}`"),
        ("rest: [{a: b}]", 7, "wrong-type", "expected a mapping (`key: value`), found a list", "write `{tell: }`"),
        ("kind: AGI", 7, "unknown-choice", "`AGI` is not one of `agi`, `http`", "did you mean `agi`?"),
        ("kind: htp", 7, "unknown-choice", "`htp` is not one of `agi`, `http`", "did you mean `http`?"),
        ("kind: xyz", 7, "unknown-choice", "`xyz` is not one of `agi`, `http`", ""),
        ("hosst: x", 1, "unknown-key", "unknown key `hosst`", "did you mean `host`?"),
        ("zzz: x", 1, "unknown-key", "unknown key `zzz`", "known here: port, ring_s"),
        ("els: x", 1, "unknown-key", "unknown key `els`", "did you mean `else`?"),
        ("zone: moon", 7, "unknown-zone", "there is no zone `moon`", "write Europe/London"),
        ("zone: mars", 7, "wrong-value", "too far", ""),
        ("host: [a]", 7, "wrong-type", "expected text, found a list", ""),
        ("quoted: 1001", 9, "wrong-type", "expected text, found the number 1001", 'put it in quotes: "1001"'),
        ("quoted: 1.10", 9, "wrong-type", "expected text, found the number 1.10", 'put it in quotes: "1.10"'),
        ("boxes: {sales: {fodler: x}}", 17, "unknown-key", "unknown key `fodler`", "did you mean `folder`?"),
        ("boxes: {s1: {}}", 9, "out-of-range", "`s1` does not fit the pattern ^[a-z]+$", ""),
        ("boxes: 3", 8, "wrong-type", "expected a mapping (`key: value`), found the number 3", ""),
        ("boxes: {a: {tell: x}}", 19, "wrong-type", "expected a list, found `x`", "write [a, b]"),
        ("either: x", 9, "wrong-type", "expected a whole number or a mapping (`key: value`), found `x`", ""),
        ("either: {fldr: x}", 10, "unknown-key", "unknown key `fldr`", "did you mean `folder`?"),
        ("several: [{}, {fold: x}]", 16, "unknown-key", "unknown key `fold`", "did you mean `folder`?"),
        ("several: [3]", 11, "wrong-type", "expected a mapping (`key: value`), found the number 3", ""),
    ],
)
def test_a_fault_in_plain_words(text: str, column: int, code: str, message: str, hint: str) -> None:
    (finding,) = findings_of(text)
    assert (finding.file, finding.line, finding.column) == ("x.yaml", 1, column) or text.endswith(":")
    assert finding.code == code
    assert finding.message == message
    assert finding.hint.startswith(hint)
    assert hint or not finding.hint or code in ("wrong-type",)
    assert "Input should" not in finding.message


def _sections(model: type[BaseModel] = Section) -> Iterator[type[BaseModel]]:
    for one in model.__subclasses__():
        if one.__module__.startswith("cordboard."):
            yield one
        yield from _sections(one)


ODD = [
    "x",
    "''",
    "0",
    "-1",
    "1.5",
    "99999999999999999",
    "true",
    "null",
    "[]",
    "[1]",
    "[[]]",
    "{}",
    "{x: 1}",
    "{x: [a]}",
]


@pytest.mark.parametrize("written", ODD)
def test_no_word_of_pydantic_reaches_the_reader(written: str) -> None:
    """Each odd value under each key of each section of the configuration."""
    sections = list(_sections())
    assert len(sections) > 30
    for model in sections:
        for name, field in model.model_fields.items():
            document = parse_yaml(f"{field.alias or name}: {written}".encode(), "x.yaml")
            for finding in validate(model, document)[1]:
                assert not re.search(r"Value error|Input|Path'|<class|pydantic|will not do", finding.message), (
                    finding
                )


def test_all_faults_of_all_levels_come_at_once_in_file_order() -> None:
    text = "nmae: x\ninner:\n  port: x\n  enabled: no\n  boxes:\n    a: {tell: [1, {}]}\n"
    assert [(f.line, f.column, f.code) for f in findings_of(text, Needy)] == [
        (1, 1, "unknown-key"),
        (3, 9, "wrong-type"),
        (4, 12, "wrong-type"),
        (6, 19, "wrong-type"),
    ]


def test_a_missing_key_is_not_reported_beside_its_misspelling() -> None:
    assert [f.message for f in findings_of("nmae: x", Needy)] == ["unknown key `nmae`"]
    assert [f.message for f in findings_of("zzzz: x", Needy)] == ["`name` is missing", "unknown key `zzzz`"]


def test_text_is_taken_as_written_and_lists_become_tuples() -> None:
    document = parse_yaml(b"host: 1.10\nboxes: {a: {folder: 0123, tell: [1001, no, true]}}\nelse: 5\n", "x")
    listener, findings = validate(Listener, document)
    assert findings == []
    assert listener is not None
    assert (listener.host, listener.else_) == ("1.10", "5")
    assert listener.boxes["a"] == Box(folder="0123", tell=("1001", "no", "true"))


def test_a_section_in_the_middle_of_a_document() -> None:
    document = parse_yaml(b"a:\n  b: {port: 1}\n  c: {port: x}\n", "x")
    good, none = validate(Listener, document, at=("a", "b"))
    assert (good and good.port, none) == (1, [])
    bad, (finding,) = validate(Listener, document, at=("a", "c"))
    assert bad is None
    assert (finding.line, finding.column) == (3, 13)


def test_a_missing_section_is_an_empty_one() -> None:
    document = parse_yaml(b"a: 1\n", "x")
    assert validate(Listener, document, at=("listen",)) == (Listener(), [])
    assert [f.message for f in validate(Needy, document, at=("listen",))[1]] == ["`name` is missing"]


@pytest.mark.parametrize("text", ["- a", "text", "5", "[]"])
def test_a_file_that_is_no_mapping(text: str) -> None:
    (finding,) = findings_of(text)
    assert finding.code == "wrong-type"
    assert finding.message.startswith("expected a mapping")


def test_did_you_mean() -> None:
    assert closest("menue", ["menu", "main"]) == "did you mean `menu`?"
    assert closest("xyz", ["menu", "main"]) == ""
    assert closest("get", ["GET", "POST"]) == "did you mean `GET`?", "capitals do not count"


@pytest.mark.parametrize(
    ("text", "model", "hint"),
    [
        ("port:8080", Listener, "put a blank behind the colon: `port: 8080`"),
        ("rest: {folder:a: 1}", Listener, "put a blank behind the colon: `folder: a`"),
        ("- port: 8080\n- label: x", Listener, "take the `- ` before each key away"),
        ('enabled: "false"', Listener, "write false without quotes"),
        ("boxes: {My Box: {}}", Listener, ""),
        ("boxes: {Sales: {}}", Listener, "write for instance `sales`"),
        ("", Needy, "add `name:`"),
    ],
)
def test_slips_of_newcomers_come_with_their_cure(text: str, model: type[Section], hint: str) -> None:
    (found,) = findings_of(text, model)
    assert found.hint == hint


def test_an_empty_file_is_called_empty() -> None:
    (found,) = findings_of("", Needy)
    assert found.message == "the file is empty"


def test_kinds_under_the_names_that_programmers_have_for_them() -> None:
    class Kinds(Section):
        kind: Literal["text", "whole", "number", "yes_no"] = "text"

    assert [findings_of(f"kind: {word}", Kinds)[0].hint for word in ("int", "string", "bool", "double")] == [
        "write `whole`", "write `text`", "write `yes_no`", "write `number`",
    ]  # fmt: skip
