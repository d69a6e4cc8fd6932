"""The queues of `queue_site` on FreeSWITCH, through the whole service: the same files, the same scenarios."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cordboard.lab.freeswitch_stage import FreeswitchStage
from tests.live.freeswitch_kit import why_none
from tests.live.scenarios_of_site import play_all

pytestmark = [pytest.mark.live, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

SITE = Path(__file__).parent / "queue_site"
SCENARIOS = sorted((SITE / "scenarios").glob("*.yaml"))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage() -> AsyncIterator[FreeswitchStage]:
    if reason := why_none():
        pytest.skip(reason)
    async with FreeswitchStage(SITE, workers=2) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def results(stage: FreeswitchStage) -> dict[str, tuple[str, ...]]:
    """Every scenario's faults, by name: all are played at once."""
    return await play_all(stage, SCENARIOS, 150)


@pytest.mark.parametrize("name", [file.stem for file in SCENARIOS])
async def test_scenario(results: dict[str, tuple[str, ...]], name: str) -> None:
    assert not results[name]


async def test_the_service_logged_no_error_in_all_of_them(
    stage: FreeswitchStage, results: dict[str, tuple[str, ...]]
) -> None:
    assert results
    assert not [entry for entry in stage.journal.entries if entry.get("level") in ("error", "critical")]
