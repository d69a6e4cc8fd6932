"""Options of the command itself, and names that two commands share."""

from __future__ import annotations

import re
from pathlib import Path

import typer
from typer.testing import CliRunner

from cordboard.cli import app
from cordboard.cli_doctor import doctor


def test_the_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    assert re.fullmatch(r"cordboard \d+\.\d+\.\d+\S*\n", result.stdout)


def test_doctor_takes_asterisks_directory_under_the_name_install_dialplan_has_for_it(tmp_path: Path) -> None:
    doctors = typer.Typer()
    doctors.command()(doctor)
    (tmp_path / "cordboard.yaml").write_text("state: state\n")
    seen = [
        CliRunner().invoke(doctors, ["-c", str(tmp_path), option, str(tmp_path / "elsewhere")])
        for option in ("--asterisk", "--target")
    ]
    assert all(f"{tmp_path}/elsewhere" in result.stdout for result in seen), seen[1].output


def test_a_folder_without_a_configuration_says_what_to_give(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["lint", "-c", str(tmp_path)])
    assert result.exit_code == 1
    assert f"cordboard.yaml:1:1: {tmp_path} has no cordboard.yaml" in result.stdout
    assert "`-c` names the directory of the configuration" in result.stdout
