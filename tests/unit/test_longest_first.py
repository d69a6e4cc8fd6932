"""The order of the test files: what is named there exists, and comes first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.longest_first import FOLDERS, HERE, LONGEST, place


@pytest.mark.parametrize("name", LONGEST)
def test_a_file_that_is_named_is_there(name: str) -> None:
    assert (HERE / name).is_file()


def test_named_files_come_first_then_those_in_which_there_is_most_to_wait_for() -> None:
    names = ["unit/test_a.py", "new/test_b.py", "live/test_c.py", *reversed(LONGEST)]
    ordered = sorted((HERE / name for name in names), key=place)
    assert ordered == [HERE / name for name in (*LONGEST, "live/test_c.py", "unit/test_a.py", "new/test_b.py")]


def test_every_folder_of_tests_has_its_place() -> None:
    folders = {Path(file).relative_to(HERE).parts[0] for file in HERE.glob("*/**/test_*.py")}
    assert folders - {"bench"} <= set(FOLDERS)
