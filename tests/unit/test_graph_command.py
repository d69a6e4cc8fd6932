"""`cordboard graph`, as an admin runs it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer
from sqlalchemy import insert
from typer.testing import CliRunner

from cordboard.cli_graph import graph
from cordboard.errors import ConfigurationError
from cordboard.pictures.counts import read_counts
from cordboard.store.database import open_database
from cordboard.store.tables import call_steps
from cordboard.store.way_counts import ways_taken
from cordboard.telephony.outcomes import Done, Gathered, HungUp, NoInput
from tests.doubles.flow_kit import CALL, NOON, flow_of
from tests.doubles.trace_kit import TracedWalk

FLOW = """\
flow: hello
prompts: {hello: {en: "hello"}}
nodes:
  hello: {menu: hello, keys: {1: bye, 2: hello}, no_input: {then: bye}, no_match: {then: bye}}
  bye: {hangup: normal}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "hello.yaml").write_text(FLOW)
    (tmp_path / "cordboard.yaml").write_text("state: state\n")
    (tmp_path / "numbers.yaml").write_text("default: hello\n")
    return tmp_path


def run(*arguments: object) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(graph)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_it_draws_to_the_terminal_or_into_a_file(config: Path, tmp_path: Path) -> None:
    code, text = run("hello", "-c", config, "-f", "mermaid")
    assert code == 0
    assert text.startswith("flowchart TD\n")
    assert run("hello", "-c", config, "-o", tmp_path / "a.svg") == (0, f"{tmp_path}/a.svg: 2 nodes, 2 ways\n")
    assert ElementTree.parse(tmp_path / "a.svg").getroot().get("aria-label") == "flow hello"


def test_a_flow_that_is_not_there_is_answered_with_the_one_that_was_meant(config: Path) -> None:
    code, text = run("helo", "-c", config)
    assert code == 2
    assert "did you mean `hello`?" in text


def test_what_tests_covered_is_laid_over_it(config: Path, tmp_path: Path) -> None:
    (tmp_path / "covered.json").write_text('{"hello": {"hello": {"keys.1": 3}, "bye": {"": 3}}}')
    assert read_counts(tmp_path / "covered.json") == {"hello": {("hello", "keys.1"): 3, ("bye", ""): 3}}
    _, text = run("hello", "-c", config, "-f", "mermaid", "--coverage", tmp_path / "covered.json")
    assert "hello ×3" in text
    assert "×0" in text, "nobody has pressed 2"


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"a": {"b": {"c": "many"}}}', "\xff"])
def test_a_file_of_counts_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "covered.json").write_text(text, "latin-1")
    with pytest.raises(ConfigurationError, match="cordboard test --coverage"):
        read_counts(tmp_path / "covered.json")


def test_counts_of_live_calls_come_from_their_traces(tmp_path: Path) -> None:
    flow = flow_of(
        "main: {menu: hello, keys: {1: hello}, no_input: {tries: 1, then: bye}}\nhello: {play: hello, next: main}"
    )
    walk = TracedWalk(flow)
    walk.advance(Done(), Gathered("1", "full"), Done(), Gathered("1", "full"), Done(), NoInput(), HungUp())
    engine = open_database(tmp_path / "cordboard.db")
    with engine.begin() as connection:
        connection.execute(insert(call_steps), walk.writer.rows)
        began = CALL.started_at.timestamp()
        taken = ways_taken(connection, "test", 0.0)
        assert (taken["main", "keys.1"], taken["hello", "next"], taken["main", "no_input.then"]) == (2, 2, 1)
        assert taken["bye", ""] == 1
        assert not ways_taken(connection, "other", 0.0)
        assert not ways_taken(connection, "test", began + 1e9)
    engine.dispose()
    assert CALL.started_at == NOON


def test_live_counts_want_a_database(config: Path) -> None:
    with pytest.raises(Exception, match="there is no database"):
        run("hello", "-c", config, "--live")
