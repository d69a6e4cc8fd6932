"""docker/compose.yaml: what it names is there, everybody waits for whom they need, and nothing leaves loopback.

The house that it makes has secrets of its own, and agents of either switch who serve callers of both.

There is no registry on every machine, so the images are not built here.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from cordboard.bootstrap.configuration import Configuration, load_configuration
from cordboard.bootstrap.freeswitch_installation import esl_addresses
from cordboard.bootstrap.installation import worker_addresses
from cordboard.lab import pbx_config
from cordboard.settings import load_settings

DOCKER = Path(__file__).parents[2] / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = {"setup", "tables"}
WORKERS = {"worker-1", "worker-2"}
LASTING = {"postgres", "asterisk", "freeswitch", *WORKERS}
OURS = (ONCE | LASTING) - {"postgres"}


def test_every_part_of_the_house_is_there_and_what_lasts_tells_of_its_health_and_comes_back() -> None:
    assert set(SERVICES) == ONCE | LASTING
    assert all("healthcheck" in SERVICES[name] for name in LASTING)
    assert {SERVICES[name]["restart"] for name in LASTING} == {"unless-stopped"}
    assert {SERVICES[name]["restart"] for name in ONCE} == {"no"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_who_is_waited_for_can_become_ready(name: str) -> None:
    for other, wanted in SERVICES[name].get("depends_on", {}).items():
        assert wanted["condition"] == ("service_completed_successfully" if other in ONCE else "service_healthy")


def test_nobody_uses_the_database_before_its_tables_are_made() -> None:
    assert {name for name in SERVICES if "tables" in SERVICES[name].get("depends_on", {})} == WORKERS
    assert SERVICES["tables"]["command"][:2] == ["db", "upgrade"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_is_built_has_its_dockerfile_and_what_is_not_names_its_version(name: str) -> None:
    build = SERVICES[name].get("build")
    if build is None:
        assert re.search(r":[0-9]+", SERVICES[name]["image"])
        return
    dockerfile = (DOCKER / build["context"] / build.get("dockerfile", "Dockerfile")).resolve()
    assert re.search(r"^ARG BASE=[a-z]+:(?!latest)\S+$", dockerfile.read_text("utf-8"), re.MULTILINE)


def test_volumes_and_scripts_that_are_named_exist() -> None:
    used = {one.partition(":")[0] for service in SERVICES.values() for one in service.get("volumes", ())}
    assert used == set(COMPOSE["volumes"])
    script = SERVICES["setup"]["entrypoint"][1].removeprefix("/usr/src/cordboard/")
    assert (DOCKER.parent / script).is_file()
    program = SERVICES["freeswitch"]["command"][0]
    assert (DOCKER / "freeswitch" / program).is_file()
    assert f"COPY --chmod=755 {program} " in (DOCKER / "freeswitch/Dockerfile").read_text("utf-8")


def test_no_part_listens_beyond_loopback() -> None:
    text = (DOCKER / "compose.yaml").read_text("utf-8")
    assert not re.search(r"0\.0\.0\.0|listen_addresses=\*", text)
    assert all(service["network_mode"] == "host" and "ports" not in service for service in SERVICES.values())


@pytest.mark.parametrize("name", sorted(OURS))
def test_what_is_ours_may_do_nothing_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == "10001:10001"
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True


def test_no_two_workers_want_the_same_port_or_state_or_go_by_the_same_name() -> None:
    assert len({SERVICES[name]["hostname"] for name in WORKERS}) == len(WORKERS)
    settings = [value for name in WORKERS for value in SERVICES[name]["environment"].values() if value != "1"]
    assert len(settings) == len(set(settings)) == 2 * 5


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `setup` makes."""
    made = tmp_path_factory.mktemp("house")
    _set_up(made)
    return made


def test_the_house_is_one_for_both_switches_and_its_agents_are_reached_from_either(house: Path) -> None:
    plan = _configuration(house).plan
    assert plan.switches == ("asterisk", "freeswitch")
    assert dict(plan.agents["alice"].ways) == {
        "asterisk": "PJSIP/1003",
        "freeswitch": "sofia/gateway/asterisk/1003",
    }
    assert dict(plan.agents["bob"].ways) == {"asterisk": "PJSIP/1004@freeswitch", "freeswitch": "user/1004"}


def test_the_switches_have_the_trunk_that_the_configuration_rings_over(house: Path) -> None:
    secret = _secret(house, "trunk")
    trunk = (house / "switches/asterisk/conf/pjsip.d/trunk.conf").read_text("utf-8")
    assert "[freeswitch](media)" in trunk and trunk.count(f"password = {secret}") == 2
    assert "#include pjsip.d/trunk.conf" in (house / "switches/asterisk/conf/pjsip.conf").read_text("utf-8")
    profile = (house / "switches/freeswitch/conf/sip_profiles/internal.xml").read_text("utf-8")
    assert '<gateway name="asterisk">' in profile and secret in profile
    assert secret in (house / "switches/freeswitch/conf/directory/lab.xml").read_text("utf-8")


def test_the_dialplans_go_to_the_ports_that_the_workers_listen_on(house: Path) -> None:
    settings, _ = load_settings(house / "config", environment={})
    listening = [
        [
            f"127.0.0.1:{SERVICES[name]['environment'][f'CORDBOARD_LISTEN__{part}__PORT']}"
            for name in sorted(WORKERS)
        ]
        for part in ("AGI", "ESL")
    ]
    assert [list(worker_addresses(settings)), esl_addresses(settings)] == listening


def test_secrets_are_made_at_random_for_the_owner_alone_and_kept(house: Path) -> None:
    names = {"ami", "event_socket", "database", "phones", "trunk"}
    secrets = {name: _secret(house, name) for name in names}
    assert len(set(secrets.values())) == len(names) and all(len(one) >= 32 for one in secrets.values())
    written = [
        path
        for folder in ("config", "switches/asterisk", "switches/freeswitch/conf")
        for path in (house / folder).rglob("*")
    ]
    assert not [path for path in written if path.stat().st_mode & 0o077]
    assert pbx_config.PHONE_SECRET not in (house / "switches/asterisk/conf/pjsip.conf").read_text("utf-8")
    (house / "config/numbers.yaml").write_text("default: sales\n")
    _set_up(house)
    assert secrets == {name: _secret(house, name) for name in names}
    assert (house / "config/numbers.yaml").read_text() == "default: sales\n"


def _set_up(house: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = DOCKER / "app" / "set-up-house.sh"
    finished = subprocess.run(
        ["/bin/sh", script, DOCKER.parent, house],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert finished.returncode == 0, finished.stderr


def _configuration(house: Path) -> Configuration:
    return load_configuration(house / "config", environment={})


def _secret(house: Path, name: str) -> str:
    return (house / "config" / "secrets" / name).read_text("utf-8").strip()
