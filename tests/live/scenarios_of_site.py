"""Many scenarios on one test bed, for live tests: all at once where they do not disturb each other (`play_all`), or
beside each other as far as they have no caller, phone or agent in common (`play_apart`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from cordboard.lab.player import Result, play
from cordboard.lab.scenario import Scenario, load_scenario
from cordboard.lab.scenario_expectations import NoChannelsLeft
from cordboard.lab.stage import Stage

AT_A_TIME = 4  # as many voices as a process can listen to on two cores


async def play_all(stage: Stage, files: Sequence[Path], within_s: float) -> dict[str, tuple[str, ...]]:
    """Every scenario's faults, by the name of its file. What happened in one that has any is printed."""

    async def faults(file: Path) -> tuple[str, ...]:
        scenario = load_scenario(file, stage.book)
        lines: list[str] = []
        result = await play(scenario, stage.scenario_stage(), lambda line: lines.append(line.as_json()))
        if result.faults:
            print(file.stem, *lines, sep="\n")
        return result.faults

    async with asyncio.timeout(within_s):
        found = await asyncio.gather(*map(faults, files))
    await stage.pbx.wait_for_no_channels()
    return {file.stem: one for file, one in zip(files, found, strict=True)}


async def play_apart(
    stage: Stage,
    files: Mapping[str, Path],
    afterwards: Callable[[str, Result], Awaitable[None]] | None = None,
) -> dict[str, Result]:
    """How each scenario went. afterwards: called for each while its callers, phones and agents are still its own.

    That no channel is left is looked at once, when all have ended: until then the others have some. What has not
    come true beside others is played once more, alone.
    """
    turns = Turns(AT_A_TIME)

    async def played(name: str) -> Result:
        scenario = load_scenario(files[name], stage.book)
        others = tuple(one for one in scenario.expectations if not isinstance(one, NoChannelsLeft))
        async with turns.take(parts_of(stage, scenario)):
            result = await play(replace(scenario, expectations=others), stage.scenario_stage())
            if afterwards is not None:
                await afterwards(name, result)
            return result

    results = dict(zip(files, await asyncio.gather(*map(played, files)), strict=True))
    for name in [name for name, result in results.items() if not result.passed]:
        print(name, told(results[name]), sep="\n")
        results[name] = await played(name)
    await stage.pbx.wait_for_no_channels()
    return results


def parts_of(stage: Stage, scenario: Scenario) -> frozenset[str]:
    """The callers' numbers and the extensions that a scenario has for itself."""
    agents = stage.configuration.plan.agents
    phones = {agents[name].device.rpartition("/")[2] for name in scenario.agents}
    return frozenset({*(caller.part.ani for caller in scenario.callers), *scenario.phones, *phones})


class Turns:
    """Lets in who has nothing in common with those who are inside; most: how many may be inside."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside: list[frozenset[str]] = []
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def take(self, parts: frozenset[str]) -> AsyncIterator[None]:
        """Wait until these parts are nobody else's."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._is_free(parts))
            self._inside.append(parts)
        try:
            yield
        finally:
            async with self._changed:
                self._inside.remove(parts)
                self._changed.notify_all()

    def _is_free(self, parts: frozenset[str]) -> bool:
        return len(self._inside) < self._most and not any(parts & others for others in self._inside)


def is_torn(result: Result) -> bool:
    """Whether a prompt came in pieces: a switch sends late where the machine has too much else to do.

    Such a scenario is played again. What cuts prompts by itself does it then as well.
    """
    return any("cut after" in fault or "without its first" in fault for fault in result.faults)


def told(result: Result) -> str:
    """All that happened to its own callers, and what was wrong with it."""
    lines = [line for line in result.lines if line.who]
    return "\n".join([*(f"{line.at_s:6.2f} {line.who} {line.text}" for line in lines), *result.faults])
