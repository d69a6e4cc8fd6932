"""A running service and a changed configuration: good ones are loaded, bad ones are told of and left alone."""

from __future__ import annotations

import os
import shutil
import signal
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cordboard.lab.stage import Stage
from tests.live.crash_kit import all_workers_ready, guest, strike

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

SITE = Path(__file__).parent / "site"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    shutil.copytree(SITE, tmp_path / "site")
    async with Stage(tmp_path / "site", workers=2) as stage:
        yield stage
        await stage.pbx.wait_for_no_channels()


def edit(stage: Stage, old: str, new: str, file: str = "flows/quick.yaml") -> None:
    path = stage.config / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


async def test_new_calls_get_the_new_flow_and_a_live_call_keeps_its_own(stage: Stage) -> None:
    async with guest(stage, "6001") as old:
        await old.hears("one")
        edit(stage, "next: two}", "next: three}")
        os.kill(stage.service.pid, signal.SIGHUP)
        await stage.journal.wait_until(lambda: stage.journal.find("configuration_loaded")[1:], 10)
        await old.hears("two")
    async with guest(stage, "6001", host="127.0.0.3") as new:
        await new.hears("one")
        await new.hears("three")


async def test_a_bad_file_is_told_of_with_its_place_and_changes_nothing(stage: Stage) -> None:
    edit(stage, "next: two}", "next: tow}")
    os.kill(stage.service.pid, signal.SIGHUP)
    refused = await stage.wait_event("configuration_refused")
    assert (Path(refused["file"]).name, refused["line"], refused["hint"]) == (
        "quick.yaml",
        12,
        "did you mean `two`?",
    )
    assert not stage.journal.find("configuration_loaded")
    strike(stage.worker_pids()[0], signal.SIGKILL)  # it comes back with what is running, not with what is on disk
    await stage.journal.wait_until(lambda: stage.journal.find("worker_ready")[2:], 20)
    assert all_workers_ready(stage)
    for number in range(4):
        async with guest(stage, "6001", host=f"127.0.0.{2 + number}") as caller:
            await caller.hears("two")


async def test_health_readiness_and_metrics_of_each_worker(stage: Stage) -> None:
    async with guest(stage, "6001") as caller:
        await caller.call.ended
    await stage.wait_event("call_ended")
    for number in range(2):
        base = f"http://127.0.0.1:{stage.http_port + number}"
        assert _get(f"{base}/healthz") == '{"alive":true}'
        assert '"ready":true' in _get(f"{base}/readyz")
    metrics = "".join(_get(f"http://127.0.0.1:{stage.http_port + number}/metrics") for number in range(2))
    assert 'cordboard_calls_total{result="finished"} 1.0' in metrics
    assert "cordboard_ami_connected 1.0" in metrics


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())
