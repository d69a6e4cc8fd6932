"""A real service without a PBX: the first worker tells Prometheus of queues, one worker writes the queue_log."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cordboard.acd.floor_plan import load_floor_plan
from cordboard.acd.model import Presence
from cordboard.store import moments
from cordboard.store.acd_store import AcdStore
from cordboard.store.database import open_database
from tests.doubles.running_service import Service

SOON_S = 15.0


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    service = Service(tmp_path)
    (service.config / "queues.yaml").write_text("queues: {sales: {}}\n")
    (service.config / "agents.yaml").write_text("agents: {alice: {device: PJSIP/1001, queues: [sales]}}\n")
    yield service
    await service.kill()


async def metrics(service: Service, worker: int) -> str:
    def read() -> str:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{service.http_port + worker}/metrics", timeout=SOON_S
        ) as answer:
            return str(answer.read().decode())

    return await asyncio.to_thread(read)


async def test_figures_of_queues_come_from_one_worker_and_lines_from_one_too(service: Service) -> None:
    await service.start(workers=2)
    store, engine = AcdStore(load_floor_plan(service.config)), open_database(service.state / "cordboard.db")
    with engine.begin() as connection:
        store.set_presence(connection, moments.now(), "alice", Presence.PAUSED, "lunch")
    engine.dispose()
    assert 'cordboard_queue_agents{activity="paused",queue="sales"} 1.0' in await metrics(service, 0)
    assert 'cordboard_queue_agents{activity="paused"' not in await metrics(service, 1)
    path = service.state / "queue_log"
    async with asyncio.timeout(SOON_S):
        while not path.exists() or path.read_text().count("\n") < 3:
            await asyncio.sleep(0.05)
    lines = [line.split("|", 1)[1] for line in path.read_text().splitlines()]
    assert lines == [
        "NONE|sales|alice|ADDMEMBER|PAUSED",
        "NONE|NONE|alice|PAUSEALL|lunch",
        "NONE|sales|alice|PAUSE|lunch",
    ]
