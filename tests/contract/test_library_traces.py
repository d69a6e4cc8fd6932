"""The flow library leaves one trace, whether it is simulated or runs on Asterisk or FreeSWITCH.

So many of its tests are played that all comes of every node; on real switches so many that all comes of every verb
of every flow. Those of an edge are played at the same time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from tests.contract.edges import Edge
from tests.contract.library import Walk, few_of, trace_on, walks
from tests.contract.test_phones import EDGES, REAL

pytestmark = [pytest.mark.timeout(150), pytest.mark.asyncio(loop_scope="module")]

LIBRARY = Path(__file__).parents[2] / "ivr_flows"
AT_ONCE = {"asterisk": 20, "freeswitch": 20, "fake_freeswitch": 48}  # a fake has no sound to work on
SECOND_TRIES = 12
LONGEST_S = 90.0  # of one call
FLOWS = sorted(file.stem for file in (LIBRARY / "tests").glob("*.yaml"))

Made = list[str] | BaseException


@pytest.fixture(scope="module")
def all_walks() -> list[Walk]:
    return walks(LIBRARY)


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=[*REAL, "fake_freeswitch"])
async def traces(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, all_walks: list[Walk]
) -> AsyncIterator[list[tuple[Walk, Made]]]:
    """Each walk with the trace that it left on an edge, or with what went wrong."""
    root = tmp_path_factory.mktemp(request.param)
    chosen = all_walks if request.param == "fake_freeswitch" else few_of(all_walks)
    played = sorted(chosen, key=lambda walk: -len(walk.outcomes))  # the long ones do not begin last
    async with EDGES[request.param](root) as edge:
        made = await _traces(edge, played, AT_ONCE[request.param])
        differs = [n for n, walk in enumerate(played) if made[n] != walk.records]
        alone = await _traces(edge, [played[n] for n in differs[:SECOND_TRIES]], 1)  # without the crowd
        for n, again in zip(differs, alone, strict=False):
            made[n] = again
        await edge.hang_up_all()
        yield list(zip(played, made, strict=True))


async def _traces(edge: Edge, played: Sequence[Walk], at_once: int) -> list[Made]:
    gate = asyncio.Semaphore(at_once)
    return await asyncio.gather(*(_trace(edge, walk, gate) for walk in played), return_exceptions=True)


async def _trace(edge: Edge, walk: Walk, gate: asyncio.Semaphore) -> list[str]:
    async with gate, asyncio.timeout(LONGEST_S):
        return await trace_on(edge, walk)


@pytest.mark.parametrize("flow", FLOWS)
async def test_a_flow_leaves_the_same_trace(traces: list[tuple[Walk, Made]], flow: str) -> None:
    of_flow = [(walk, made) for walk, made in traces if walk.test.flow.name == flow]
    assert of_flow
    for walk, made in of_flow:
        if isinstance(made, BaseException):
            raise AssertionError(walk.name) from made
        assert made == walk.records, walk.name
