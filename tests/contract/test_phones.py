"""One suite for the phones of all edges: Asterisk and FreeSWITCH, real, and FreeSWITCH's edge on the fake.

The cases of an edge are played at the same time, once; each test tells how its case went. The simulator has no
part in these: it rings nobody, and what comes of a verb is given there. That flows go on alike is in
`test_library_traces`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio

from tests.contract.agent_cases import AGENT_CASES
from tests.contract.asterisk_edge import asterisk_edge
from tests.contract.cases import CASES, Case
from tests.contract.edges import Edge
from tests.contract.fake_freeswitch_edge import fake_freeswitch_edge
from tests.contract.freeswitch_edge import freeswitch_edge
from tests.contract.queue_cases import QUEUE_CASES

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

ALL_CASES = CASES | AGENT_CASES | QUEUE_CASES
AT_ONCE = 16
SECOND_TRIES = 8
LONGEST_S = 40.0  # of one case

EDGES: dict[str, Callable[[Path], AbstractAsyncContextManager[Edge]]] = {
    "asterisk": asterisk_edge,
    "freeswitch": freeswitch_edge,
    "fake_freeswitch": fake_freeswitch_edge,
}
REAL = [pytest.param(name, marks=pytest.mark.live) for name in ("asterisk", "freeswitch")]


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=[*REAL, "fake_freeswitch"])
async def results(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, BaseException | None]]:
    """How each case went: None, or what went wrong."""
    root = tmp_path_factory.mktemp(request.param)
    async with EDGES[request.param](root) as edge:
        went = await _play_all(edge, ALL_CASES, AT_ONCE)
        failed = [name for name, fault in went.items() if fault is not None]
        went |= await _play_all(edge, failed[:SECOND_TRIES], 1)  # without the crowd they were in
        await edge.hang_up_all()
        yield went


async def _play_all(edge: Edge, names: Iterable[str], at_once: int) -> dict[str, BaseException | None]:
    gate = asyncio.Semaphore(at_once)
    played = {name: _play(ALL_CASES[name], edge, gate) for name in names}
    return dict(zip(played, await asyncio.gather(*played.values(), return_exceptions=True), strict=True))


async def _play(case: Case, edge: Edge, gate: asyncio.Semaphore) -> None:
    async with gate, asyncio.timeout(LONGEST_S):
        await case(edge)


@pytest.mark.parametrize("name", ALL_CASES)
async def test_every_phone(results: dict[str, BaseException | None], name: str) -> None:
    if (fault := results[name]) is not None:
        raise fault
