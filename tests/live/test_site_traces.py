"""The scenarios of the flow library through the whole service on Asterisk and on FreeSWITCH: all come true on both,
and leave equal traces. Real callers, agents' phones, queue, screen-pops, the customers' directory, web services.

It takes some minutes, so it is a soak test; `test_every_node` has every kind of node in less. Scenarios are played
one after the other, as several have the same agents.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from cordboard.lab.player import Result, play
from cordboard.lab.scenario import Scenario, load_scenario
from cordboard.lab.stage import Stage
from cordboard.lab.stages import stage_on
from cordboard.telephony.capabilities import SwitchName
from tests.contract.stored_traces import Traces, settled_traces
from tests.live.freeswitch_kit import why_none
from tests.live.test_library_flows import DIARY, SHOP, service, settings

pytestmark = [
    pytest.mark.live,
    pytest.mark.soak,
    pytest.mark.timeout(1_200),
    pytest.mark.asyncio(loop_scope="module"),
]

CONFIG = Path(__file__).parents[2] / "ivr_flows"
FOLDERS = (CONFIG / "scenarios", CONFIG / "scenarios" / "library")
FILES = {file.stem: file for folder in FOLDERS for file in sorted(folder.glob("*.yaml"))}
SWITCHES: tuple[SwitchName, ...] = ("asterisk", "freeswitch")
TRIES = 3  # sound comes in pieces where a machine has too much else to do


@dataclass
class Played:
    """A scenario on a switch."""

    result: Result
    traces: Traces


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def played() -> AsyncIterator[dict[tuple[SwitchName, str], Played]]:
    """Every scenario on every switch."""
    if reason := why_none():
        pytest.skip(reason)
    found: dict[tuple[SwitchName, str], Played] = {}
    for switch in SWITCHES:
        async with AsyncExitStack() as stack:
            shop = await stack.enter_async_context(service(SHOP))
            diary = await stack.enter_async_context(service(DIARY))
            there = settings("orders", shop) | settings("appointments", diary)
            stage = await stack.enter_async_context(stage_on(switch)(CONFIG, settings=there))
            for name, file in FILES.items():
                found[switch, name] = await _play(stage, load_scenario(file, stage.book))
    yield found


async def _play(stage: Stage, scenario: Scenario) -> Played:
    for _ in range(TRIES):
        result = await play(scenario, stage.scenario_stage())
        if result.passed:
            break
    return Played(result, await settled_traces(stage.configuration.database, result))


@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("name", FILES)
async def test_a_scenario_comes_true(
    played: dict[tuple[SwitchName, str], Played], name: str, switch: SwitchName
) -> None:
    result = played[switch, name].result
    assert result.passed, "\n".join([*(line.as_json() for line in result.lines), *result.faults])


@pytest.mark.parametrize("name", FILES)
async def test_both_switches_leave_the_same_traces(played: dict[tuple[SwitchName, str], Played], name: str) -> None:
    on_asterisk = played["asterisk", name].traces
    assert on_asterisk
    assert played["freeswitch", name].traces == on_asterisk
