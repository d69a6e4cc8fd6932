"""`install-dialplan`: all or nothing, both sides with one token, and files that the service's user can use."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

import pytest

from cordboard.bootstrap import installation
from cordboard.bootstrap.agi_token import agi_token
from cordboard.bootstrap.installation import Installation, InstallationRefused

SOMEBODY = pwd.getpwnam("nobody")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """An installation for a user that every machine has."""
    monkeypatch.setattr(installation, "UNIT_USER", SOMEBODY.pw_name)
    for name in ("config", "asterisk", "systemd"):
        (tmp_path / name).mkdir()
    (tmp_path / "config" / "cordboard.yaml").write_text("drain_s: 40.5\nstate: ../state\n")
    return Installation(tmp_path / "config", tmp_path / "asterisk", tmp_path / "systemd")


def written(plan: Installation) -> list[str]:
    assert plan.systemd is not None
    folders = (plan.config, plan.asterisk, plan.systemd)
    return sorted(path.name for folder in folders for path in folder.rglob("*") if path.is_file())


def test_dialplan_and_service_have_the_same_token(plan: Installation) -> None:
    plan.install(dry_run=False)
    secret = (plan.config / "secrets" / "ami").read_text().strip()
    assert f",{agi_token(secret)}," in (plan.asterisk / "cordboard.conf").read_text()


def test_what_is_shown_holds_neither_secret_nor_token(plan: Installation) -> None:
    shown = plan.install(dry_run=False)
    secret = (plan.config / "secrets" / "ami").read_text().strip()
    shown += plan.uninstall(dry_run=False)
    assert "-exten" in shown and "+exten" in shown
    assert secret not in shown
    assert agi_token(secret) not in shown


def test_a_second_installation_changes_nothing(plan: Installation) -> None:
    plan.install(dry_run=False)
    assert plan.install(dry_run=False) == ""


def test_a_dry_run_writes_nothing(plan: Installation) -> None:
    assert "cordboard.service" in plan.install(dry_run=True)
    assert written(plan) == ["cordboard.yaml"]


def test_a_value_that_does_not_fit_is_refused_before_anything_is_written(plan: Installation) -> None:
    blank = Installation(plan.config.rename(plan.config.with_name("with blank")), plan.asterisk, plan.systemd)
    with pytest.raises(InstallationRefused, match="with blank"):
        blank.install(dry_run=False)
    assert written(blank) == ["cordboard.yaml"]


def test_a_unit_of_somebody_elses_keeps_the_other_files_from_being_written(plan: Installation) -> None:
    assert plan.systemd is not None
    (plan.systemd / "cordboard.service").write_text("[Unit]\n")
    with pytest.raises(InstallationRefused, match="was not written by cordboard"):
        plan.install(dry_run=False)
    assert written(plan) == ["cordboard.service", "cordboard.yaml"]


def test_the_unit_lets_calls_end_reloads_and_may_write_its_state(plan: Installation) -> None:
    plan.install(dry_run=False)
    assert plan.systemd is not None
    lines = (plan.systemd / "cordboard.service").read_text().splitlines()
    state = plan.config.parent / "state"
    for line in (
        "TimeoutStopSec=71",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "UMask=0027",
        f"ReadWritePaths=-{state}",
        "User=nobody",
    ):
        assert line in lines


@needs_root
def test_the_services_user_owns_the_secret_and_the_state_folder(plan: Installation) -> None:
    plan.install(dry_run=False)
    secret = (plan.config / "secrets" / "ami").stat()
    assert (secret.st_uid, stat.S_IMODE(secret.st_mode)) == (SOMEBODY.pw_uid, 0o600)
    for folder in (plan.config / "secrets", plan.config.parent / "state"):
        assert folder.stat().st_uid == SOMEBODY.pw_uid
        assert folder.stat().st_mode & 0o007 == 0


@needs_root
def test_a_secret_that_only_root_can_read_is_given_to_the_services_user(plan: Installation) -> None:
    secret = plan.config / "secrets" / "ami"
    secret.parent.mkdir(mode=0o700)
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    plan.install(dry_run=False)
    assert [path.stat().st_uid for path in (secret, secret.parent)] == [SOMEBODY.pw_uid] * 2


@needs_root
def test_without_a_unit_or_its_user_files_stay_the_installers(
    plan: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "UNIT_USER", "no-such-user")
    plan.install(dry_run=False)
    assert (plan.config / "secrets" / "ami").stat().st_uid == 0
