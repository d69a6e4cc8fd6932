"""docs/running.md tells of every setting, and which of them a reload does not take up."""

from __future__ import annotations

import re
from pathlib import Path

from cordboard.bootstrap.configuration import NEED_RESTART
from cordboard.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "running.md").read_text("utf-8")
ROW = re.compile(r"^\| (`[^|]*) \|", re.MULTILINE)
NOT_TAKEN_UP = re.compile(r"does not take up (.*?):", re.DOTALL)
NAME = re.compile(r"`([a-z_]+)")


def test_every_setting_has_a_row() -> None:
    told = {name for row in ROW.findall(PAGE) for name in NAME.findall(row)}
    assert set(Settings.model_fields) <= told


def test_what_a_reload_does_not_take_up_is_told() -> None:
    found = NOT_TAKEN_UP.search(PAGE)
    assert found
    assert sorted(NAME.findall(found[1])) == sorted(NEED_RESTART)
