"""One systemd unit for both switches: it stays as long as the service has the other one, and the steps say so."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cordboard.bootstrap.freeswitch_installation import FreeswitchInstallation
from cordboard.bootstrap.installation import Installation, InstallationRefused
from cordboard.cli import app

Kind = type[Installation] | type[FreeswitchInstallation]
UNIT = "cordboard.service"
KINDS: dict[str, Kind] = {"asterisk": Installation, "freeswitch": FreeswitchInstallation}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for folder in ("config", "asterisk", "freeswitch", "systemd"):
        (tmp_path / folder).mkdir()
    name_switches(tmp_path / "config", "asterisk, freeswitch")
    return tmp_path / "config"


def name_switches(config: Path, names: str) -> None:
    (config / "cordboard.yaml").write_text(f"switches: [{names}]\n")


def plan_of(switch: str, config: Path) -> Installation | FreeswitchInstallation:
    return KINDS[switch](config, config.parent / switch, config.parent / "systemd")


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(("first", "last"), [("asterisk", "freeswitch"), ("freeswitch", "asterisk")])
def test_the_unit_goes_with_the_last_switch(config: Path, first: str, last: str) -> None:
    for switch in KINDS:
        plan_of(switch, config).install(dry_run=False)
    assert UNIT not in plan_of(first, config).uninstall(dry_run=False)
    steps = plan_of(first, config).steps_after_removal()
    assert f"{UNIT} stays" in steps and f"Write `switches: [{last}]` there" in steps and "disable" not in steps
    assert (files_in(config.parent / first), files_in(config.parent / "systemd")) == ([], [UNIT])

    name_switches(config, last)
    assert plan_of(first, config).steps_after_removal().count("Write") == 0
    assert UNIT in plan_of(last, config).uninstall(dry_run=False)
    assert "systemctl disable cordboard" in plan_of(last, config).steps_after_removal()
    assert (files_in(config.parent / last), files_in(config.parent / "systemd")) == ([], [])


def test_files_go_whatever_is_wrong_with_the_settings(config: Path) -> None:
    plan_of("freeswitch", config).install(dry_run=False)
    name_switches(config, "freeswich")
    plan_of("freeswitch", config).uninstall(dry_run=False)
    assert files_in(config.parent / "freeswitch") == files_in(config.parent / "systemd") == []


def test_a_switch_that_the_settings_do_not_name_is_told_of(config: Path) -> None:
    assert "or both" not in plan_of("freeswitch", config).next_steps()
    name_switches(config, "asterisk")
    assert "write `switches: [freeswitch]`, or both" in plan_of("freeswitch", config).next_steps()


@pytest.mark.parametrize("switch", list(KINDS))
def test_no_folder_is_made_where_no_switch_would_look(config: Path, switch: str) -> None:
    (config.parent / switch).rmdir()
    with pytest.raises(InstallationRefused, match=f"there is no {config.parent}/{switch}.*--target DIR"):
        plan_of(switch, config).install(dry_run=False)
    assert files_in(config) == ["cordboard.yaml"] and files_in(config.parent / "systemd") == []


@pytest.mark.parametrize(
    ("names", "installed"),
    [
        ("freeswitch", "dialplan/cordboard.xml"),
        ("asterisk", "cordboard.conf"),
        ("freeswitch, asterisk", "cordboard.conf"),
    ],
)
def test_the_switch_of_the_settings_is_meant_where_none_is_named(config: Path, names: str, installed: str) -> None:
    name_switches(config, names)
    (target := config.parent / "switch").mkdir()
    command = ["install-dialplan", "-c", str(config), "--target", str(target), "--no-systemd"]
    assert CliRunner().invoke(app, command, catch_exceptions=False).exit_code == 0
    assert (target / installed).is_file()
