"""Scenarios of the library on a real Asterisk, with the web services that they need, judged by what callers hear.

All calls are made at the same time, on one stage. What the web services were asked is looked at too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
import pytest_asyncio

from cordboard.config.yaml_reader import read_yaml
from cordboard.lab.player import Result, play
from cordboard.lab.scenario import parse_scenario
from cordboard.lab.stage import Stage
from tests.doubles.fake_crm import Behaviour, FakeCrm, Request, answers, response

pytestmark = [pytest.mark.live, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="module")]

CONFIG = Path(__file__).parents[2] / "ivr_flows"
SCENARIOS = ("tech_support", "orders", "appointments")

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
async def results(shop: FakeCrm, diary: FakeCrm) -> AsyncIterator[dict[str, Result]]:
    """How the scenarios went."""
    async with Stage(CONFIG, settings=settings("orders", shop) | settings("appointments", diary)) as stage:
        came = await asyncio.gather(*(played(stage, name) for name in SCENARIOS))
        await stage.pbx.wait_for_no_channels()
        yield dict(zip(SCENARIOS, came, strict=True))


async def played(stage: Stage, name: str) -> Result:
    """The result of a scenario of the library."""
    document = read_yaml(CONFIG / "scenarios" / "library" / f"{name}.yaml")
    return await play(parse_scenario(document, stage.book), stage.scenario_stage())


@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_scenario_of_the_library_comes_true(results: dict[str, Result], name: str) -> None:
    result = results[name]
    assert result.passed, "\n".join([*(line.text for line in result.lines), *result.faults])


@pytest.mark.usefixtures("results")
async def test_the_shop_is_asked_once_and_only_for_what_the_caller_keyed_in(shop: FakeCrm) -> None:
    assert [_asked(request) for request in shop.requests] == ["GET /orders/12345674"]


@pytest.mark.usefixtures("results")
async def test_what_callers_decided_is_written_and_who_left_is_noted(diary: FakeCrm) -> None:
    written = {_asked(request): request for request in diary.requests if request.method == "POST"}
    assert set(written) == {"POST /appointments/A-31/confirmation", "POST /unfinished"}
    noted = orjson.loads(written["POST /unfinished"].body)
    assert noted == {"phone": "+442079460155", "progress": "undecided"}
