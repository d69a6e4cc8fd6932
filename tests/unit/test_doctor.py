"""`cordboard doctor` as a whole: deadlines, crashes, faulty files, what is shown and what is not, the exit code."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from cordboard import cli_doctor
from cordboard.bootstrap import doctor, doctor_report
from cordboard.bootstrap.agi_token import agi_token
from cordboard.bootstrap.checks.premises import NotLookedAt, Premises
from cordboard.bootstrap.checks.result import Check, Level, Result, fault, listed, note, ok, warning
from cordboard.bootstrap.doctor import CHECKS, Examined, checks_for, examine, run_doctor
from tests.doubles.doctor_site import SECRET, Site

app = typer.Typer()
app.command()(cli_doctor.doctor)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def saying(name: str, *results: Result) -> Check:
    async def look(_premises: Premises) -> Sequence[Result]:
        return results

    return Check(name, look, "wait")


async def test_a_check_that_crashes_ends_no_other(site: Site) -> None:
    async def crash(_premises: Premises) -> Sequence[Result]:
        raise ZeroDivisionError("division by zero")

    crashed, good = await examine(site.premises(), [Check("crash", crash, ""), saying("good", ok("well"))])
    assert crashed.level == Level.FAULT
    assert crashed.results[0].seen == "the check itself failed: ZeroDivisionError: division by zero"
    assert good.results == (ok("well"),)


async def test_a_check_that_is_late_holds_up_no_other(site: Site) -> None:
    async def hang(_premises: Premises) -> Sequence[Result]:
        await asyncio.get_running_loop().create_future()
        return []

    late, good = await examine(site.premises(), [Check("late", hang, "fix it", 0.05), saying("good", ok("well"))])
    assert late.results == (fault("not done within 0.05 s", "fix it"),)
    assert good.level == Level.OK


async def test_checks_run_side_by_side(site: Site) -> None:
    barrier = asyncio.Barrier(3)

    async def meet(_premises: Premises) -> Sequence[Result]:
        await barrier.wait()
        return [ok("met")]

    examined = await examine(site.premises(), [Check(name, meet, "", 2.0) for name in "abc"])
    assert [one.level for one in examined] == [Level.OK] * 3


def test_a_disk_that_hangs_does_not_hang_the_doctor(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    async def hang(_premises: Premises) -> Sequence[Result]:
        await asyncio.to_thread(release.wait)
        return []

    monkeypatch.setattr(doctor.examine, "__defaults__", ([Check("disk", hang, "dmesg", 0.05)],))
    began = time.monotonic()
    assert run_doctor(site.config, site.asterisk)[0].level == Level.FAULT
    assert time.monotonic() - began < 20.0
    release.set()


async def test_no_secret_leaves_whatever_a_check_says(site: Site) -> None:
    words = f"{SECRET} and {agi_token(SECRET)}\x1b[2J"
    said = (await examine(site.premises(), [saying("leak", warning(words, words))]))[0].results[0]
    assert said.seen == said.fix == "******** and ********[2J"


async def test_what_cannot_be_looked_at_is_a_note(site: Site) -> None:
    async def look(_premises: Premises) -> Sequence[Result]:
        raise NotLookedAt("the roof is missing")

    assert (await examine(site.premises(), [Check("x", look, "")]))[0].results == (
        note("not looked at: the roof is missing"),
    )


def test_a_faulty_file_is_told_first_and_the_rest_is_looked_at(site: Site) -> None:
    site.write("flows/hello.yaml", "flow: hello\nlanguages: [en]\nnodes:\n  hello: {plai: x}\n")
    site.write("agents.yaml", "agents: {alice: {device: PJSIP/1, queues: [nowhere]}}\n")
    examined = {one.check: one for one in run_doctor(site.config, site.asterisk)}
    assert next(iter(examined)) == "lint"
    told = " ".join(result.seen for result in examined["lint"].results)
    assert "hello.yaml:4:" in told and "there is no queue `nowhere`" in told
    assert examined["database"].level == Level.NOTE
    assert examined["ports"].level == Level.OK
    assert examined["prompts"].results[0].seen == "not looked at: the configuration has faults"
    assert examined["devices"].results[0].seen == "not looked at: queues.yaml or agents.yaml has faults"


@pytest.mark.parametrize("text", ["workers: many\n", "workers: [\n", None])
def test_faulty_settings_leave_the_checks_that_need_none(site: Site, text: str | None) -> None:
    (site.config / "cordboard.yaml").unlink()
    if text is not None:
        site.write("cordboard.yaml", text)
    examined = {one.check: one for one in run_doctor(site.config, site.asterisk)}
    assert "cordboard.yaml" in examined["lint"].results[0].seen and examined["lint"].level == Level.FAULT
    for name in ("ports", "secrets", "database", "manager", "dialplan", "listeners", "user"):
        assert examined[name].results == (note("not looked at: cordboard.yaml has faults"),), name
    assert examined["versions"].level == Level.OK
    assert not any("check itself failed" in result.seen for one in examined.values() for result in one.results)


def test_every_check_has_a_name_that_fits_and_a_way_out() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names) >= 10
    assert all(len(name) <= doctor_report.NAME_WIDTH for name in names)
    assert all(check.if_late for check in CHECKS)


def test_faults_and_nothing_else_make_the_exit_code(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for level, code in ((Level.OK, 0), (Level.NOTE, 0), (Level.WARNING, 0), (Level.FAULT, 1)):
        examined = [Examined("x", (Result(level, "seen", "fix"),), 0.1)]
        monkeypatch.setattr(doctor, "run_doctor", lambda *_, examined=examined: examined)
        assert CliRunner().invoke(app, ["-c", str(site.config)]).exit_code == code


def test_a_pipe_gets_plain_lines(site: Site) -> None:
    result = CliRunner().invoke(app, ["-c", str(site.config), "--asterisk", str(site.asterisk)])
    lines = result.stdout.splitlines()
    assert lines[0] == "ok       lint        no faults in 1 flow, 0 numbers, 0 queues, 0 agents"
    assert result.stdout.isprintable() or "\x1b" not in result.stdout
    place = next(index for index, line in enumerate(lines) if line.startswith("fault    manager"))
    assert lines[place + 1].split()[0] == "fix"
    assert lines[-1].endswith("faults") and " of 15 checks good" in lines[-1]


def test_json_is_one_object_a_line(site: Site) -> None:
    result = CliRunner().invoke(app, ["-c", str(site.config), "--asterisk", str(site.asterisk), "--json"])
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert {row["check"] for row in rows} == {check.name for check in checks_for(site.premises())}
    assert all(set(row) == {"check", "level", "seen", "fix", "took_s"} for row in rows)
    assert all(row["fix"] for row in rows if row["level"] in ("warning", "fault"))


def test_a_terminal_gets_marks_and_a_fix_that_can_be_copied(tmp_path: Path) -> None:
    console = Console(force_terminal=True, width=60, file=(tmp_path / "out").open("w"), color_system=None)
    long = "cordboard install-dialplan -c /etc/cordboard && asterisk -rx 'dialplan reload'"
    examined = [Examined("secrets", (fault("seen " * 20, long), note("and [this]")), 0.1)]
    doctor_report.show(console, Path("/etc/cordboard"), examined, 0.3)
    console.file.close()
    shown = (tmp_path / "out").read_text()
    assert long in shown
    assert "✗  secrets" in shown and "•" in shown and "and [this]" in shown
    assert "0 of 1 check good, 1 note, 1 fault" in shown


def test_many_names_are_cut_short() -> None:
    assert listed(["a", "b", "c"]) == "a, b, c"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
