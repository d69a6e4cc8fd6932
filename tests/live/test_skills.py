"""Callers who ask for skills, with real calls: who is rung, when that is relaxed, and what admins read of it.

Every scenario has a queue and agents of its own (skills_site), so they are played side by side on one test bed.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from cordboard.lab.stage import Stage
from tests.live.scenarios_of_site import play_all

pytestmark = [pytest.mark.live, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

SITE = Path(__file__).parent / "skills_site"
SCENARIOS = sorted((SITE / "scenarios").glob("*.yaml"))
RELAXED_AFTER_S = 3.0


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with Stage(SITE, workers=2) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def results(stage: Stage) -> dict[str, tuple[str, ...]]:
    """Every scenario's faults, by name: all are played at once."""
    return await play_all(stage, SCENARIOS, 90)


def told(stage: Stage, queue: str, kind: str) -> list[tuple[float, dict[str, Any]]]:
    """What the ledger says of a queue: when, and what."""
    with contextlib.closing(sqlite3.connect(stage.configuration.database)) as connection:
        rows = connection.execute(
            "SELECT at, data FROM ledger WHERE queue = ? AND kind = ? ORDER BY seq", (queue, kind)
        )
        return [(at, json.loads(data)) for at, data in rows]


@pytest.mark.parametrize("name", [file.stem for file in SCENARIOS])
async def test_scenario(results: dict[str, tuple[str, ...]], name: str) -> None:
    assert not results[name]


async def test_nobody_is_rung_before_the_requirement_is_relaxed(
    stage: Stage, results: dict[str, tuple[str, ...]]
) -> None:
    assert results
    ((entered_at, entered),) = told(stage, "relaxing", "entered_queue")
    ((made_at, made),) = told(stage, "relaxing", "offer_made")
    assert entered["asks"] == "spanish 4"
    assert made_at - entered_at >= RELAXED_AFTER_S - 0.05  # two clocks
    assert [data["asks"] for _, data in told(stage, "relaxing", "needs_relaxed")] == ["spanish 1"]
    assert "ben has spanish 1, asked for 1" in made["reason"]
    assert "relaxed after 3 s: asked for spanish 4 before" in made["reason"]


async def test_the_reasons_of_the_others_are_told(stage: Stage, results: dict[str, tuple[str, ...]]) -> None:
    assert results
    ((_, preferred),) = told(stage, "choosing", "offer_made")
    assert "dora has spanish 4, preferred at 3" in preferred["reason"]
    ((_, kept),) = told(stage, "knowing", "offer_made")
    assert "finn is the one to be tried first until 60 s" in kept["reason"]
