"""Every scenario we ship on a real Asterisk, with the web services that they need, judged by what callers hear.

They are played on one stage, beside each other as far as they can be. What the web services were asked is looked at
too. Those of the demo are not among them: `cordboard demo` plays them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
import pytest_asyncio

from cordboard.lab.player import Result
from cordboard.lab.stage import Stage
from tests.doubles.fake_crm import Behaviour, FakeCrm, Request, answers, response
from tests.live.scenarios_of_site import play_apart, told

pytestmark = [pytest.mark.live, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

CONFIG = Path(__file__).parents[2] / "ivr_flows"
FOLDERS = (CONFIG / "scenarios", CONFIG / "scenarios" / "library")
SCENARIOS = {file.stem: file for folder in FOLDERS for file in sorted(folder.glob("*.yaml"))}

SHOP = {"GET /orders/12345674": answers({"state": "open", "total": 80.5})}
DIARY = {
    "GET /appointments?phone=%2B442079460144": answers({"id": "A-31", "starts": "2026-11-26T15:30:00"}),
    "GET /appointments?phone=%2B442079460155": answers({"id": "A-32", "starts": "2026-11-27T09:00:00"}),
    "POST /appointments/A-31/confirmation": response(204),
    "POST /unfinished": response(202),
}


def service(pages: dict[str, Behaviour]) -> FakeCrm:
    """A web service that knows these pages and no others."""

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        await pages.get(_asked(request), response(404))(request, writer)

    return FakeCrm(behave)


def _asked(request: Request) -> str:
    return f"{request.method} {request.target}"


def settings(name: str, double: FakeCrm) -> dict[str, str]:
    """Where a service of cordboard.yaml is in these tests."""
    prefix = f"CORDBOARD_HTTP__{name.upper()}__"
    return {f"{prefix}URL": double.url, f"{prefix}PRIVATE": "true", f"{prefix}ALLOW_PLAIN_HTTP": "true"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop() -> AsyncIterator[FakeCrm]:
    async with service(SHOP) as double:
        yield double


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def diary() -> AsyncIterator[FakeCrm]:
    async with service(DIARY) as double:
        yield double


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(shop: FakeCrm, diary: FakeCrm) -> AsyncIterator[Stage]:
    there = settings("orders", shop) | settings("appointments", diary)
    async with Stage(CONFIG, workers=2, settings=there) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def results(stage: Stage) -> dict[str, Result]:
    """How the scenarios went."""
    return await play_apart(stage, SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_scenario_comes_true(results: dict[str, Result], name: str) -> None:
    assert results[name].passed, told(results[name])


@pytest.mark.usefixtures("results")
async def test_the_shop_is_asked_once_and_only_for_what_the_caller_keyed_in(stage: Stage, shop: FakeCrm) -> None:
    calls = stage.journal.find("call_arrived", dnis="5011")
    assert [_asked(request) for request in shop.requests] == ["GET /orders/12345674"] * len(calls)


@pytest.mark.usefixtures("results")
async def test_what_callers_decided_is_written_and_who_left_is_noted(diary: FakeCrm) -> None:
    written = {_asked(request): request for request in diary.requests if request.method == "POST"}
    assert set(written) == {"POST /appointments/A-31/confirmation", "POST /unfinished"}
    noted = orjson.loads(written["POST /unfinished"].body)
    assert noted == {"phone": "+442079460155", "progress": "undecided"}
