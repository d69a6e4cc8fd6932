"""`cordboard init`, `simulate` and `test` as somebody meets them who has just installed the package."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner, Result

from cordboard import cli
from cordboard.bootstrap.configuration import load_configuration
from cordboard.bootstrap.rehearsing import played_tests
from cordboard.flows.given import Given
from cordboard.starter.copying import make_configuration
from cordboard.store.database import open_database
from cordboard.store.tables import call_steps, traced_calls
from cordboard.store.traces import StepNote
from cordboard.telephony.outcomes import Done, Gathered, Recorded
from tests.doubles.flow_kit import CALL, NOON
from tests.doubles.trace_kit import TracedWalk

IVR_FLOWS = Path(__file__).parents[2] / "ivr_flows"
LONE = """
flow: hello
prompts: {hi: Hello.}
nodes:
  hi: {play: hi, next: ring}
  ring: {dial: "7", otherwise: bye}
  bye: {hangup: normal}
"""
FAILS = "flow: support\ntests:\n  - {name: it fails, expect: {outcome: failed}}\n"


@pytest.fixture(scope="module")
def runner() -> CliRunner:
    cli._add_tools()
    return CliRunner()


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    make_configuration(tmp_path / "acme")
    return tmp_path / "acme"


def run(runner: CliRunner, *arguments: object, lines: str = "") -> Result:
    return runner.invoke(cli.app, [str(argument) for argument in arguments], input=lines)


def test_the_starter_of_each_switch_has_no_faults_and_no_warnings(runner: CliRunner, tmp_path: Path) -> None:
    for switch, phone in (("asterisk", "PJSIP/1001"), ("freeswitch", "user/1001")):
        made = run(runner, "init", tmp_path / switch, "--switch", switch)
        assert made.output.count("agents.yaml") == 1
        configuration = load_configuration(tmp_path / switch, need_secrets=False)
        assert configuration.warnings == ()
        assert configuration.settings.switches == (switch,)
        assert configuration.plan.agents["alice"].device == phone
        assert sorted(path.name for path in (tmp_path / switch).iterdir()) == [
            ".schemas", "agents.yaml", "cordboard.yaml", "flows", "numbers.yaml", "queues.yaml", "tests",
        ]  # fmt: skip


def test_the_tests_of_the_starter_pass_and_go_through_all_of_it(starter: Path) -> None:
    told = played_tests(starter, [starter])
    assert [one.failures for one in told.played if not one.passed] == []
    assert len(told.played) >= 8
    (coverage,) = told.coverage
    assert (coverage.missed_nodes, coverage.missed_ways) == ([], [])


def test_init_says_what_to_do_next_and_writes_over_nothing(runner: CliRunner, tmp_path: Path) -> None:
    made = run(runner, "init", tmp_path / "acme")
    assert made.exit_code == 0
    for command in ("simulate -c", "test", "run -c"):
        assert f"cordboard {command} {tmp_path}/acme" in made.output
    before = {path: path.read_bytes() for path in (tmp_path / "acme").rglob("*.*") if path.is_file()}
    again = run(runner, "init", tmp_path / "acme")
    assert again.exit_code == 2
    assert before == {path: path.read_bytes() for path in (tmp_path / "acme").rglob("*.*") if path.is_file()}


def test_every_file_of_the_starter_names_its_schema(starter: Path) -> None:
    for path in starter.rglob("*.yaml"):
        line = path.read_text("utf-8").splitlines()[0]
        assert line.startswith("# yaml-language-server: $schema="), path
        assert (path.parent / line.partition("=")[2]).is_file(), path


def test_a_flow_is_called_by_its_name_its_file_or_its_number(runner: CliRunner, starter: Path) -> None:
    for arguments in (
        ["support", "-c", starter],
        [starter / "flows" / "support.yaml"],
        ["-c", starter, "--dial", "5000"],
    ):
        called = run(runner, "simulate", *arguments, "--at", "2026-11-23 20:00", lines="1\nh\n")
        assert called.exit_code == 0, called.output
        assert "calls 5000" in called.output
        assert "Our office is open" in called.output


def test_a_file_that_belongs_to_no_configuration_can_be_called(runner: CliRunner, tmp_path: Path) -> None:
    file = tmp_path / "hello.yaml"
    file.write_text(LONE)
    called = run(runner, "simulate", file, lines="\n\n")
    assert called.exit_code == 0, called.output
    assert "talks to" in called.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["suport"], "did you mean `support`?"),
        (["--at", "soon"], "is no time"),
        (["--language", "xx"], "speaks en"),
        (["--crm", "gold"], "none, error, slow"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(
    runner: CliRunner, starter: Path, arguments: list[str], words: str
) -> None:
    called = run(runner, "simulate", "-c", starter, *arguments)
    assert called.exit_code == 2
    assert words in " ".join(called.output.replace("│", " ").split())


def test_options_say_who_calls_and_what_is_known(runner: CliRunner) -> None:
    options = [
        "--crm",
        "tier=gold,balance=80",
        "--from",
        "+34915550142",
        "--name",
        "Ramon Llull",
        "--language",
        "es",
    ]
    called = run(runner, "simulate", "sales", "-c", IVR_FLOWS, *options, lines="v\nh\n")
    assert "Ramon Llull +34915550142 calls 5002" in called.output
    assert "ventas de Acme" in called.output
    assert "if customer.found && customer.tier == 'gold'" in called.output


def test_failures_give_exit_code_1(runner: CliRunner, starter: Path) -> None:
    assert run(runner, "test", starter).exit_code == 0
    (starter / "tests" / "worse.yaml").write_text(FAILS)
    failed = run(runner, "test", starter)
    assert failed.exit_code == 1
    assert "✗ it fails" in failed.output
    assert "1 of 11 tests failed" in failed.output
    assert run(runner, "test", starter, "-k", "OPERATOR").exit_code == 0


def test_coverage_can_be_asked_for_and_written(runner: CliRunner, starter: Path, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("flow: support\ntests:\n  - {name: leaves, caller: [{hangs_up: true}]}\n")
    file, junit = tmp_path / "coverage.json", tmp_path / "results.xml"
    arguments = [tmp_path / "one.yaml", "-c", starter, "--coverage", file, "--junit", junit]
    assert run(runner, "test", *arguments).exit_code == 0
    assert json.loads(file.read_text()) == {"support": {"greeting": {"": 1}}}
    assert '<testcase classname="support" name="leaves"' in junit.read_text()
    told = run(runner, "test", *arguments, "--fail-under", "50")
    assert told.exit_code == 1
    assert "nodes not gone  main, opening" in told.output


def test_no_tests_at_all_is_a_finding(runner: CliRunner, starter: Path) -> None:
    (starter / "tests" / "support.yaml").unlink()
    with pytest.raises(Exception, match="there are no flow tests"):
        runner.invoke(cli.app, ["test", str(starter)], catch_exceptions=False)


def test_the_tests_of_the_library_pass() -> None:
    told = played_tests(IVR_FLOWS, [IVR_FLOWS])
    assert [(one.test.name, one.failures) for one in told.played if not one.passed] == []


def test_a_recorded_call_becomes_a_test(runner: CliRunner, starter: Path) -> None:
    flow = load_configuration(starter, need_secrets=False).house.flows["support"]
    walk = TracedWalk(flow)
    walk.advance(Done(), Done(), Gathered("2", "full"), Done(), Recorded("a", 6.5, hung_up=True))
    call = StepNote(0, CALL, Given("start", NOON), walk.step, None, is_secret=False).call_row()
    (starter / "state").mkdir()
    engine = open_database(starter / "state" / "cordboard.db")
    with engine.begin() as connection:
        connection.execute(insert(traced_calls), [call])
        connection.execute(insert(call_steps), walk.writer.rows)
    engine.dispose()
    made = run(runner, "test", starter, "--from-trace", CALL.call_id[:12])
    assert made.exit_code == 0, made.output
    assert "{presses: 2}, {speaks: 6.5}, {hangs_up: true}" in made.output
    assert run(runner, "test", starter, "-k", "as call").exit_code == 0
    assert run(runner, "test", starter, "--from-trace", "01ZZZZZZ").exit_code == 1


def test_the_lines_to_copy_stand_a_blank_in_the_path(runner: CliRunner, tmp_path: Path) -> None:
    made = run(runner, "init", tmp_path / "my shop")
    assert f"cordboard simulate -c '{tmp_path}/my shop'" in made.output
    assert f"cordboard lint '{tmp_path}/my shop'" in made.output


def test_two_tests_of_one_name_are_not_written(runner: CliRunner, starter: Path) -> None:
    told = run(runner, "simulate", "-c", starter, lines="h\ns again\ns again\nq\n")
    assert "take another name" in told.output
    assert (starter / "tests" / "support.yaml").read_text("utf-8").count("name: again") == 1
    assert run(runner, "test", starter).exit_code == 0


def test_a_name_that_no_test_has_is_no_success(runner: CliRunner, starter: Path) -> None:
    told = run(runner, "test", starter, "-k", "nothing like it")
    assert (told.exit_code, told.stdout) == (1, "")
    assert "no test has `nothing like it` in its name" in told.stderr


def test_a_flow_outside_of_flows_belongs_to_no_configuration(runner: CliRunner, starter: Path) -> None:
    (starter / "cordboard.yaml").write_text("zone: nowhere\n")
    (starter / "drafts").mkdir()
    (lone := starter / "drafts" / "hello.yaml").write_text(LONE)
    assert run(runner, "simulate", lone).exit_code == 0


def test_commands_find_the_configuration_they_are_started_in(
    runner: CliRunner, starter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(starter / "flows")
    assert run(runner, "lint").output.startswith(f"{starter}: ")
    assert run(runner, "graph", "support", "-f", "mermaid").exit_code == 0
    monkeypatch.chdir("/")
    nowhere = run(runner, "graph", "support")
    assert nowhere.exit_code == 2 and "cordboard init DIR" in nowhere.output


@pytest.mark.parametrize(
    ("at", "shown"),
    [("2026-12-24", "Thursday 24 December 2026, 12:00"), ("9:15", ", 09:15"), ("2026-12-24 9:15", "2026, 09:15")],
)
def test_a_call_begins_on_a_day_or_at_an_hour(runner: CliRunner, starter: Path, at: str, shown: str) -> None:
    assert shown in run(runner, "simulate", "-c", starter, "--at", at, lines="h\n").output


def test_fields_of_customers_need_a_crm(runner: CliRunner, starter: Path) -> None:
    told = run(runner, "simulate", "-c", starter, "--crm", "tier=gold")
    assert told.exit_code == 2 and "there is no crm.yaml" in told.output


def test_control_c_ends_the_simulator_and_not_only_the_typing(starter: Path) -> None:
    keyboard, terminal = pty.openpty()
    command = [sys.executable, "-m", "cordboard", "simulate", "-c", str(starter)]
    with subprocess.Popen(command, stdin=terminal, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        seen = b""
        while b"keys> " not in seen:
            seen += (piece := os.read(process.stdout.fileno(), 4096))
            assert piece, seen
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    os.close(keyboard)
    os.close(terminal)
    assert process.returncode in (0, 130)  # the latter where it comes a moment before the line is read
    assert b"talks to" not in rest
