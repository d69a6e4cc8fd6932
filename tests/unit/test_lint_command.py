"""`cordboard lint` as it is used: directories and files, for people and for programs, with exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cordboard.bootstrap.configuration import load_configuration
from cordboard.bootstrap.finding_view import view
from cordboard.cli import app
from cordboard.config.findings import Finding

FLOW = """flow: {name}
on_failure: bye
prompts:
  hello: Hello.
nodes:
  a: {{play: {prompt}, next: {next}}}
  bye: {{hangup: normal}}
"""
GOOD = FLOW.format(name="good", prompt="hello", next="bye")
WARNED = FLOW.format(name="warned", prompt="hello", next="a").replace(
    "  bye", "  lost: {play: hello, next: bye}\n  bye"
)
BAD = FLOW.format(name="bad", prompt="helo", next="by")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A configuration directory with nothing wrong."""
    (tmp_path / "flows").mkdir()
    (tmp_path / "cordboard.yaml").write_text("extensions: {'0': PJSIP/1000}\n")
    (tmp_path / "numbers.yaml").write_text("default: good\n")
    (tmp_path / "flows" / "good.yaml").write_text(GOOD)
    return tmp_path


def lint(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["lint", *map(str, arguments)])
    return result.exit_code, result.stdout


def test_a_sound_directory_is_told_in_one_line(home: Path) -> None:
    assert lint(home) == (0, f"{home}: 1 flow, 0 numbers, no faults\n")
    assert lint("-c", home) == lint(home)


def test_all_findings_of_all_files_come_in_one_run_with_their_lines(home: Path) -> None:
    (home / "flows" / "bad.yaml").write_text(BAD)
    (home / "flows" / "warned.yaml").write_text(WARNED)
    (home / "numbers.yaml").write_text("default: godo\n")
    code, shown = lint(home)
    assert code == 1
    assert f"{home}/flows/bad.yaml:6:13: there is no prompt `helo` [unknown-prompt]" in shown
    assert "    6 |   a: {play: helo, next: by}\n      |             ^^^^\n" in shown
    assert "did you mean `hello`?" in shown
    assert "docs/findings.md#unknown-prompt" in shown
    assert f"{home}/flows/bad.yaml:6:25: there is no node `by` [unknown-node]" in shown
    assert f"{home}/flows/warned.yaml:7:3: warning: no way leads to `lost` [unreachable-node]" in shown
    assert f"{home}/numbers.yaml:1:10: there is no flow `godo` [unknown-flow]" in shown


def test_programs_get_an_object_a_line(home: Path) -> None:
    (home / "flows" / "bad.yaml").write_text(BAD)
    code, shown = lint(home, "--json")
    assert code == 1
    assert json.loads(shown.splitlines()[0]) == {
        "file": f"{home}/flows/bad.yaml",
        "line": 6,
        "column": 13,
        "end_column": 17,
        "code": "unknown-prompt",
        "severity": "error",
        "message": "there is no prompt `helo`",
        "hint": "did you mean `hello`?",
        "url": "docs/findings.md#unknown-prompt",
    }


def test_warnings_let_pass_unless_lint_is_strict(home: Path) -> None:
    (home / "flows" / "warned.yaml").write_text(WARNED)
    code, shown = lint(home)
    assert (code, shown.splitlines()[-1]) == (0, f"{home}: 2 flows, 0 numbers, 2 warnings")
    assert lint(home, "--strict")[0] == 1
    warnings = load_configuration(home, environment={}, need_secrets=False).warnings
    assert [one.code for one in warnings] == ["endless-loop", "unreachable-node"]


def test_a_flow_file_is_checked_with_the_directory_it_lies_in(home: Path) -> None:
    """Its neighbours are known, and what is wrong with them is not told."""
    (home / "flows" / "bad.yaml").write_text(BAD)
    other = home / "flows" / "other.yaml"
    other.write_text("flow: other\nnodes:\n  a: {goto: {flow: good}}\n")
    assert lint(other) == (0, f"{other}: 1 flow, no faults\n")
    other.write_text("flow: other\nnodes:\n  a: {goto: {flow: godo}}\n")
    code, shown = lint(other)
    assert (code, shown.count("[")) == (1, 1)
    assert f"{other}:3:20: there is no flow `godo` [unknown-flow]" in shown


def test_a_flow_file_elsewhere_below_a_directory_knows_its_settings(home: Path) -> None:
    draft = home / "drafts" / "draft.yaml"
    draft.parent.mkdir()
    draft.write_text('flow: draft\non_failure: bye\nnodes:\n  a: {dial: "7", next: bye}\n  bye: {hangup: normal}\n')
    assert "the dial policy does not allow 7" in lint(draft)[1]


def test_a_flow_file_alone_is_checked_as_far_as_can_be(tmp_path: Path) -> None:
    alone, bad = tmp_path / "alone.yaml", tmp_path / "bad.yaml"
    alone.write_text("flow: alone\non_failure: b\nnodes:\n  a: {queue: any, next: b}\n  b: {goto: {flow: other}}\n")
    bad.write_text(BAD)
    assert lint(alone) == (0, f"{alone}: 1 flow, no faults\n")
    code, shown = lint(alone, bad)
    assert code == 1
    assert shown.startswith(f"{alone}: 1 flow, no faults\n{bad}:6:13: ")


def test_a_number_nobody_can_dial_is_told(home: Path) -> None:
    (home / "numbers.yaml").write_text("default: good\nnumbers: {+44 20 7946 0123: good, +442079460123: good}\n")
    code, shown = lint(home)
    assert code == 0
    assert "numbers.yaml:2:11: warning: no call comes to `+44 20 7946 0123`" in shown
    assert 'write "+442079460123"' in shown


def test_wrong_usage_says_what_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    result = CliRunner().invoke(app, ["lint"])
    assert result.exit_code == 2
    assert "`cordboard init DIR` makes one" in " ".join(result.output.replace("│", " ").split())
    assert CliRunner().invoke(app, ["lint", "nowhere.yaml"]).exit_code == 2


def test_a_code_can_be_explained() -> None:
    assert "Give the way, or the flow an `on_failure`." in lint("--explain", "dead-end")[1]
    result = CliRunner().invoke(app, ["lint", "--explain", "dead-ned"])
    assert result.exit_code == 2
    assert "did you mean `dead-end`?" in result.output


def rendered(finding: Finding, *lines: str, colours: bool = False) -> str:
    console = Console(force_terminal=colours, color_system="standard" if colours else None, width=200)
    with console.capture() as capture:
        console.print(view(finding, lines))
    return capture.get()


def test_a_very_long_line_is_cut_around_the_place() -> None:
    finding = Finding("x.yaml", 1, 5_001, "syntax", "here", end_column=5_004)
    shown = rendered(finding, "a" * 5_000 + "bad" + "c" * 5_000).splitlines()
    assert len(shown[1]) < 200
    assert shown[1][shown[2].index("^") :].startswith("badc")
    assert shown[2].count("^") == 3


def test_a_file_that_cannot_be_shown_leaves_the_line_out() -> None:
    assert rendered(Finding("x.yaml", 3, 1, "syntax", "here")).splitlines()[0] == "x.yaml:3:1: here [syntax]"
    assert "|" not in rendered(Finding("x.yaml", 3, 1, "syntax", "here"))


def test_colours_are_for_terminals() -> None:
    finding = Finding("x.yaml", 1, 1, "syntax", "[red]here[/red]")
    assert "\x1b[" not in rendered(finding, "line")
    assert "\x1b[" in rendered(finding, "line", colours=True)
    assert "[red]here[/red]" in rendered(finding, "line")


def test_a_flow_file_that_nothing_reads_for_its_name_is_told(home: Path) -> None:
    (home / "flows" / "more.yml").write_text(GOOD)
    (home / "compose.yml").write_text("services: {}\n")
    code, shown = lint(home)
    assert code == 0
    assert "flows/more.yml:1:1: warning: more.yml is not read" in shown and "rename it to more.yaml" in shown
    assert "compose.yml" not in shown


@pytest.mark.parametrize("name", ["numbers.yaml", "queues.yaml"])
def test_a_file_beside_the_flows_is_checked_as_what_it_is(home: Path, name: str) -> None:
    (home / "queues.yaml").write_text("queues: {sales: {accept: nine}}\n")
    (home / "numbers.yaml").write_text("default: godo\n")
    code, shown = lint(home / name)
    assert code == 1
    assert {line.split(":")[0] for line in shown.splitlines() if line.startswith("/")} == {f"{home}/{name}"}
    assert "`flow` is missing" not in shown
    (home / name).unlink()
    (home / "cordboard.yaml").write_text("zone: Europe/London\nextensions: {'0': PJSIP/1000}\n")
    assert lint(home / "cordboard.yaml")[1] == f"{home}/cordboard.yaml: no faults\n"


def test_a_code_is_explained_without_the_marks_of_a_page() -> None:
    code, shown = lint("--explain", "out-of-range")
    assert code == 0
    assert shown.startswith("out-of-range (error)\n")
    assert "    no_input: {tries: 0}" in shown
    assert "**" not in shown and "```" not in shown
