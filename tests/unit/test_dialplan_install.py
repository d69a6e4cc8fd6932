"""Installing: our files and no others, once, with a diff that says what would happen."""

from __future__ import annotations

import grp
import os
from pathlib import Path

import pytest

from agi_scripts.dialplan.render import render_dialplan, render_manager_user
from cordboard.bootstrap.own_files import NotOurs, install, uninstall

FILES = {
    "cordboard.conf": render_dialplan(["127.0.0.1:4573"], "operators,s,1"),
    "manager.d/cordboard.conf": render_manager_user("cordboard", "s3cret"),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_in_a_directory_of_roots_the_switch_can_read_them_all_the_same(tmp_path: Path) -> None:
    os.chown(tmp_path, 0, 0)
    install(tmp_path, FILES, read_by="daemon")
    assert (tmp_path / "cordboard.conf").stat().st_gid == grp.getgrnam("daemon").gr_gid
    install(tmp_path, {"other.conf": FILES["cordboard.conf"]}, read_by="no-such-group")
    assert (tmp_path / "other.conf").stat().st_gid == 0


def test_files_are_written_for_their_owner_and_group_only(tmp_path: Path) -> None:
    diff = install(tmp_path, FILES)
    for name, text in FILES.items():
        assert (tmp_path / name).read_text() == text
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o640
        assert f"+++ {tmp_path / name}" in diff


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path: Path) -> None:
    assert install(tmp_path, FILES, dry_run=True)
    assert os.listdir(tmp_path) == []


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    install(tmp_path, FILES)
    before = (tmp_path / "cordboard.conf").stat().st_ino
    assert install(tmp_path, FILES) == ""
    assert (tmp_path / "cordboard.conf").stat().st_ino == before


def test_a_change_is_shown_as_a_change(tmp_path: Path) -> None:
    install(tmp_path, FILES)
    changed = {"cordboard.conf": render_dialplan(["127.0.0.1:4573"], "reception,s,1")}
    diff = install(tmp_path, changed)
    assert "- same => n,Goto(operators,s,1)" in diff
    assert "+ same => n,Goto(reception,s,1)" in diff


@pytest.mark.parametrize("theirs", [b"[general]\n", b"\xff\xfe", b""])
def test_a_file_that_is_not_ours_stops_everything(tmp_path: Path, theirs: bytes) -> None:
    (tmp_path / "manager.d").mkdir()
    (tmp_path / "manager.d" / "cordboard.conf").write_bytes(theirs)
    with pytest.raises(NotOurs):
        install(tmp_path, FILES)
    assert not (tmp_path / "cordboard.conf").exists()
    with pytest.raises(NotOurs):
        uninstall(tmp_path, FILES)
    assert (tmp_path / "manager.d" / "cordboard.conf").read_bytes() == theirs


def test_uninstalling_removes_ours_and_leaves_the_rest(tmp_path: Path) -> None:
    (tmp_path / "extensions.conf").write_text('#include "cordboard.conf"\n')
    install(tmp_path, FILES)
    assert uninstall(tmp_path, FILES, dry_run=True)
    assert (tmp_path / "cordboard.conf").exists()
    assert uninstall(tmp_path, FILES)
    assert uninstall(tmp_path, FILES) == ""
    assert sorted(os.listdir(tmp_path)) == ["extensions.conf", "manager.d"]
