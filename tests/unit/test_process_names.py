"""What processes are called that share a database with those of other machines, whatever these are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.bootstrap import process_names
from cordboard.bootstrap.process_names import process_name
from cordboard.store.address import PostgresAddress

SHARED = PostgresAddress("postgresql://cordboard@10.0.0.5/cordboard")


def test_two_services_on_hosts_of_one_name_differ(tmp_path: Path) -> None:
    states = [tmp_path / "one", tmp_path / "two"]
    for state in states:
        state.mkdir()
    assert len({process_name(SHARED, state, "worker-0") for state in states}) == 2


def test_a_clone_of_a_machine_has_a_name_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = process_name(SHARED, tmp_path, "worker-0")
    monkeypatch.setattr(process_names, "boot_id", lambda: "of another kernel")
    assert process_name(SHARED, tmp_path, "worker-0") != original


def test_a_process_that_is_started_again_has_the_name_it_had(tmp_path: Path) -> None:
    first = process_name(SHARED, tmp_path, "worker-0")
    (tmp_path / "cordboard.log").touch()
    assert process_name(SHARED, tmp_path, "worker-0") == first
    assert process_name(SHARED, tmp_path, "worker-1") != first


def test_a_command_makes_no_folder_where_no_service_has_run(tmp_path: Path) -> None:
    state = tmp_path / "never" / "made"
    assert process_name(SHARED, state, "command-7").endswith(":command-7")
    assert not state.parent.exists()


def test_on_one_machine_names_are_as_they_are(tmp_path: Path) -> None:
    assert process_name(tmp_path / "cordboard.db", tmp_path, "worker-0") == "worker-0"
