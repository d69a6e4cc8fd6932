"""The scenarios of the flow library through the whole service on Asterisk and on FreeSWITCH: all come true on both,
and leave equal traces. Real callers, agents' phones, queue, screen-pops, the customers' directory, web services.

It takes some minutes, so it is a soak test: `test_library_flows` has the same on Asterisk, `test_every_node` every
kind of node on both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio

from cordboard.lab.player import Result
from cordboard.lab.stages import stage_on
from cordboard.telephony.capabilities import SwitchName
from tests.contract.stored_traces import Traces, settled_traces
from tests.live.freeswitch_kit import why_none
from tests.live.scenarios_of_site import play_apart, told
from tests.live.test_library_flows import CONFIG, DIARY, SCENARIOS, SHOP, service, settings

pytestmark = [
    pytest.mark.live,
    pytest.mark.soak,
    pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="module"),
]

SWITCHES: tuple[SwitchName, ...] = ("asterisk", "freeswitch")


@dataclass
class Played:
    """The scenarios on a switch, by name: how they went, and what they left."""

    results: dict[str, Result]
    traces: dict[str, Traces]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def played() -> AsyncIterator[dict[SwitchName, Played]]:
    """Every scenario on every switch."""
    if reason := why_none():
        pytest.skip(reason)
    yield {switch: await play_on(switch) for switch in SWITCHES}


async def play_on(switch: SwitchName) -> Played:
    """Every scenario on one switch."""
    traces: dict[str, Traces] = {}
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(service(SHOP))
        diary = await stack.enter_async_context(service(DIARY))
        there = settings("orders", shop) | settings("appointments", diary)
        stage = await stack.enter_async_context(stage_on(switch)(CONFIG, settings=there))

        async def keep_traces(name: str, result: Result) -> None:
            traces[name] = await settled_traces(stage.configuration.database, result)

        return Played(await play_apart(stage, SCENARIOS, keep_traces), traces)


@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_scenario_comes_true(played: dict[SwitchName, Played], name: str, switch: SwitchName) -> None:
    result = played[switch].results[name]
    assert result.passed, told(result)


@pytest.mark.parametrize("name", SCENARIOS)
async def test_both_switches_leave_the_same_traces(played: dict[SwitchName, Played], name: str) -> None:
    on_asterisk, on_freeswitch = (played[switch].traces[name] for switch in SWITCHES)
    assert on_asterisk
    assert set(on_freeswitch) == set(on_asterisk)
    for call, steps in on_asterisk.items():
        assert on_freeswitch[call] == steps, call
