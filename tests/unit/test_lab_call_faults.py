"""`cordboard lab call`: faults in the steps stand where they are in the text that was typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cordboard.lab.commands import app


@pytest.mark.parametrize(
    ("does", "column"),
    [
        ("hers welcome, presses 2", 1),
        ("hears welcome,  prseses 2", 17),
        ("presses 2,, hears welcome within_s 5, hears bye within_s soon", 39),
    ],
)
def test_a_fault_has_the_place_of_its_step(does: str, column: int, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["call", "-c", str(tmp_path), "--dials", "5000", "--does", does])
    assert result.exit_code == 1
    (place,) = [line for line in result.stderr.splitlines() if line.startswith("--does:")]
    assert place.startswith(f"--does:1:{column}: ")
