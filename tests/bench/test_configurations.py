"""The configurations that `make bench` measures are ones that the service would start with."""

from __future__ import annotations

from pathlib import Path

from cordboard.bootstrap.configuration import load_configuration
from tests.bench.queueing.configuration import QUEUES, queues_up_to
from tests.bench.queueing.stage import write_files
from tests.bench.site import write_ivr

ENVIRONMENT = {"CORDBOARD_ASTERISK__AMI__PORT": "5038"}


def test_the_measured_ivr_loads(tmp_path: Path) -> None:
    write_ivr(tmp_path, "s3cret")
    loaded = load_configuration(tmp_path / "config", environment=ENVIRONMENT, need_secrets=False)
    assert sorted(loaded.house.flows) == ["hold", "ivr"]


def test_the_measured_queues_load(tmp_path: Path) -> None:
    queues = queues_up_to(min(QUEUES.values()))
    write_files(tmp_path, queues)
    loaded = load_configuration(tmp_path, environment=ENVIRONMENT, need_secrets=False)
    assert set(loaded.plan.queues) == set(queues)
