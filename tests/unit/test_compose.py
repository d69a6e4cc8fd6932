"""docker/compose.yaml: what it names is there, everybody waits for whom they need, and nothing leaves loopback.

There is no registry on every machine, so the images are not built here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

DOCKER = Path(__file__).parents[2] / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PARTS = {"setup", "postgres", "asterisk", "freeswitch", "cordboard"}


def test_every_part_of_the_house_is_there_and_tells_of_its_health() -> None:
    assert set(SERVICES) == PARTS
    assert all("healthcheck" in SERVICES[name] for name in PARTS - {"setup"})


@pytest.mark.parametrize("name", sorted(PARTS))
def test_who_is_waited_for_can_become_ready(name: str) -> None:
    for other, wanted in SERVICES[name].get("depends_on", {}).items():
        healthy = wanted["condition"] == "service_healthy"
        assert ("healthcheck" in SERVICES[other]) == healthy, other


@pytest.mark.parametrize("name", sorted(PARTS))
def test_what_is_built_has_its_dockerfile(name: str) -> None:
    build = SERVICES[name].get("build")
    if build is not None:
        assert (DOCKER / build["context"] / build.get("dockerfile", "Dockerfile")).resolve().is_file()


def test_volumes_and_scripts_that_are_named_exist() -> None:
    used = {one.partition(":")[0] for service in SERVICES.values() for one in service.get("volumes", ())}
    assert used == set(COMPOSE["volumes"])
    script = SERVICES["setup"]["entrypoint"][1].removeprefix("/usr/src/cordboard/")
    assert (DOCKER.parent / script).is_file()


def test_no_part_listens_beyond_loopback() -> None:
    text = (DOCKER / "compose.yaml").read_text("utf-8")
    assert not re.search(r"0\.0\.0\.0|listen_addresses=\*", text)
    assert all(service["network_mode"] == "host" and "ports" not in service for service in SERVICES.values())
