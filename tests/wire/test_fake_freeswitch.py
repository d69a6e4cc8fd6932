"""The fake FreeSWITCH against every recording of FreeSWITCH 1.11: told the same, it answers the same.

All recordings are played at the same time, once; each test tells how one went.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest
import pytest_asyncio

from tests.doubles.esl_recordings import NAMES
from tests.doubles.esl_retelling import Retelling, differences

pytestmark = [pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]

AT_ONCE = 42
SECOND_TRIES = 8

JSON = "events as JSON: nobody here asks for them"
NOT_ASYNC = "a socket that is not `async`: our dialplan has none"
NOT_RETOLD = {
    "01b-inbound-filter-divert-nixevent": "narrowing what is listened to, and the log: nobody here does either",
    "03g-outbound-sync-full-digits": NOT_ASYNC,
    "07d-percent-signs-in-values": JSON,
    "08-events-json": JSON,
    "08b-outbound-myevents-json": JSON,
    "08c-events-xml": "events as XML: nobody here asks for them",
    "09f-socket-death-sync-reset-in-playback": NOT_ASYNC,
    "09g-socket-death-sync-fin-idle": NOT_ASYNC,
    "11-callcenter-one-call": "mod_callcenter: it is what we are measured against, and not used",
}
RETOLD = [name for name in NAMES if name not in NOT_RETOLD]
LOOPBACK = [name for name in RETOLD if name.startswith(("03b", "04c"))]  # the fake's channels are of this kind

Told = tuple[Retelling, BaseException | None]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def retellings() -> AsyncIterator[dict[str, Told]]:
    """Each recording as it was and as the fake had it, and what came in the way."""
    told = await _play_all(RETOLD, AT_ONCE)
    differing = [name for name, one in told.items() if _differs(one)]
    told |= await _play_all(differing[:SECOND_TRIES], 1)  # without the crowd they were in
    yield told


async def _play_all(names: Iterable[str], at_once: int) -> dict[str, Told]:
    gate = asyncio.Semaphore(at_once)
    played = {name: _play(Retelling(name), gate) for name in names}
    return dict(zip(played, await asyncio.gather(*played.values()), strict=True))


async def _play(one: Retelling, gate: asyncio.Semaphore) -> Told:
    async with gate:
        try:
            await one.play()
        except (AssertionError, OSError, TimeoutError) as fault:
            return one, fault
    return one, None


def _differs(told: Told) -> bool:
    one, fault = told
    return fault is not None or differences(one.recorded, one.faked) != []


async def test_what_is_left_out_is_there() -> None:
    assert set(NOT_RETOLD) <= set(NAMES)


@pytest.mark.parametrize("name", RETOLD)
async def test_the_fake_says_what_a_real_one_said(retellings: dict[str, Told], name: str) -> None:
    one, fault = retellings[name]
    assert one.recorded.lanes
    assert differences(one.recorded, one.faked) == []
    assert fault is None


@pytest.mark.parametrize("name", LOOPBACK)
async def test_events_have_the_headers_of_real_ones(retellings: dict[str, Told], name: str) -> None:
    one, _ = retellings[name]
    assert one.recorded.names
    assert one.faked.names == one.recorded.names
