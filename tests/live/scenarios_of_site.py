"""All scenarios of a site at once, on one test bed: for live tests whose scenarios do not disturb each other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from cordboard.lab.player import play
from cordboard.lab.scenario import load_scenario
from cordboard.lab.stage import Stage


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
