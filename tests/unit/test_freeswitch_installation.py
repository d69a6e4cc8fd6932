"""`install-dialplan --switch freeswitch`: all or nothing, one token, the admin's own files left alone."""

from __future__ import annotations

import stat
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cordboard.bootstrap.agi_token import agi_token
from cordboard.bootstrap.freeswitch_installation import FreeswitchInstallation
from cordboard.bootstrap.installation import InstallationRefused
from esl_apps.dialplan.render import CORE, DIALPLAN, EVENT_SOCKET

STOCK = '<configuration name="event_socket.conf"><param name="password" value="{}"/></configuration>\n'


@pytest.fixture
def plan(tmp_path: Path) -> FreeswitchInstallation:
    for name in ("config", "systemd", "freeswitch/autoload_configs", "freeswitch/dialplan"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "config" / "cordboard.yaml").write_text("switches: [freeswitch]\nworkers: 2\n")
    (tmp_path / "freeswitch" / EVENT_SOCKET).write_text(STOCK.format("ClueCon"))
    return FreeswitchInstallation(tmp_path / "config", tmp_path / "freeswitch", tmp_path / "systemd")


def secret_of(plan: FreeswitchInstallation) -> str:
    return (plan.config / "secrets" / "event_socket").read_text().strip()


def test_dialplan_event_socket_and_service_go_together(plan: FreeswitchInstallation) -> None:
    plan.install(dry_run=False)
    dialplan, socket = ((plan.freeswitch / name).read_text() for name in (DIALPLAN, EVENT_SOCKET))
    assert f"cordboard_token={agi_token(secret_of(plan))}" in dialplan
    assert "socket&quot;" not in dialplan and "127.0.0.1:8084|127.0.0.1:8085 async full" in dialplan
    values = {found.get("name"): found.get("value") for found in ElementTree.fromstring(socket).iter("param")}
    assert values["password"] == secret_of(plan)
    assert (values["listen-ip"], values["apply-inbound-acl"]) == ("127.0.0.1", "loopback.auto")
    assert "User=freeswitch" in (plan.systemd / "cordboard.service").read_text()  # type: ignore[operator]
    assert stat.S_IMODE((plan.freeswitch / EVENT_SOCKET).stat().st_mode) == 0o640
    assert 'name="api-expansion" value="false"' in (plan.freeswitch / CORE).read_text()


def test_what_is_shown_holds_neither_secret_nor_token(plan: FreeswitchInstallation) -> None:
    shown = plan.install(dry_run=False)
    secret = secret_of(plan)
    shown += plan.uninstall(dry_run=False)
    assert "+  <context" in shown and "-  <context" in shown
    assert secret not in shown and agi_token(secret) not in shown


def test_a_second_installation_changes_nothing(plan: FreeswitchInstallation) -> None:
    plan.install(dry_run=False)
    assert plan.install(dry_run=False) == ""


def test_a_dry_run_writes_nothing(plan: FreeswitchInstallation) -> None:
    assert DIALPLAN in plan.install(dry_run=True)
    assert not (plan.freeswitch / DIALPLAN).exists()
    assert not (plan.config / "secrets").exists()
    assert (plan.freeswitch / EVENT_SOCKET).read_text() == STOCK.format("ClueCon")


def test_the_event_socket_everybody_knows_is_kept_and_comes_back(plan: FreeswitchInstallation) -> None:
    plan.install(dry_run=False)
    kept = plan.freeswitch / f"{EVENT_SOCKET}.before-cordboard"
    assert kept.read_text() == STOCK.format("ClueCon")
    plan.uninstall(dry_run=False)
    assert (plan.freeswitch / EVENT_SOCKET).read_text() == STOCK.format("ClueCon")
    assert not kept.exists()
    assert not (plan.freeswitch / DIALPLAN).exists()


def test_an_event_socket_of_the_admins_own_stays_if_we_have_its_password(plan: FreeswitchInstallation) -> None:
    (plan.freeswitch / EVENT_SOCKET).write_text(STOCK.format("chosen-by-the-admin"))
    (plan.config / "secrets").mkdir()
    (plan.config / "secrets" / "event_socket").write_text("chosen-by-the-admin\n")
    plan.install(dry_run=False)
    plan.uninstall(dry_run=False)
    assert (plan.freeswitch / EVENT_SOCKET).read_text() == STOCK.format("chosen-by-the-admin")


@pytest.mark.parametrize("name", [EVENT_SOCKET, DIALPLAN, CORE])
def test_a_file_of_somebody_elses_keeps_all_from_being_written(plan: FreeswitchInstallation, name: str) -> None:
    (plan.freeswitch / name).write_text(STOCK.format("another"))
    with pytest.raises(InstallationRefused, match=Path(name).name.replace(".", r"\.")):
        plan.install(dry_run=False)
    assert not list(plan.freeswitch.rglob("*before-cordboard"))
    assert (plan.freeswitch / name).read_text() == STOCK.format("another")
    assert not (plan.config / "secrets").exists()
