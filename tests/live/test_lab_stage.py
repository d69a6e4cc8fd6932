"""`cordboard lab` end to end: the flows we ship, the service as a process, a real Asterisk, what callers hear."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cordboard.lab.commands import app

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "ivr_flows"

WRONG = """
scenario: sales is promised in German
callers:
  - {ani: "+442079460199", dials: "5000", language: en, flow: support, does: [{hears: welcome}, {hears: goodbye}]}
expect:
  - {path: [greeting, sales]}
"""


def test_scenarios_are_played_and_a_wrong_one_fails_and_tells_what_was_heard(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(WRONG)
    files = [str(CONFIG / "scenarios" / "five_callers.yaml"), str(wrong)]
    arguments = ["run", *files, "--config", str(CONFIG), "--workers", "2", "--json", "--audio", str(tmp_path)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    told = [(line["kind"], line["text"]) for line in lines if line["kind"] in ("fault", "passed", "failed")]
    assert [kind for kind, _ in told] == ["passed", "fault", "fault", "failed"], told
    assert told[1][1].startswith("FAIL  expected `en/support/goodbye`, heard `en/support/main_menu` (whole")
    taken = "taken was +442079460199: greeting > main"
    assert told[2][1].startswith(f"FAIL  expected 1 call(s) on the path greeting > sales, {taken}")
    assert len(list(tmp_path.glob("*.wav"))) == sum(line["kind"] == "dialled" for line in lines) == 6


def test_one_call_is_made_from_flags() -> None:
    does = "hears welcome, hears_begin main_menu, presses 2, hears_begin es/main_menu, hangs_up_after_s 0"
    flags = ["--dials", "5000", "--language", "en", "--flow", "support", "--does", does]
    result = CliRunner().invoke(app, ["call", "--config", str(CONFIG), *flags])
    assert result.exit_code == 0, result.output
    assert "presses 2" in result.stdout and "PASS  call to 5000" in result.stdout


def test_a_faulty_scenario_is_refused_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "faulty.yaml"
    file.write_text(WRONG.replace("hears: goodbye", "hear: goodbye"))
    result = CliRunner().invoke(app, ["run", str(file), "--config", str(CONFIG)])
    assert result.exit_code == 1
    assert "faulty.yaml:4:" in result.stderr and "did you mean `hears`?" in result.stderr
