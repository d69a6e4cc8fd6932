"""Whom a real app_queue rings, in all its strategies: what our own is compared with in `test_compat_scripts`."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.doubles.queue_scripts import SCRIPTS
from tests.live.app_queue_kit import Playing, app_queues

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]


async def play(playing: Playing) -> list[tuple[str, str]]:
    """Each step, and whom it has rung; whom it was to ring, if it was one of those."""
    rung: list[tuple[str, str]] = []
    for step in playing.script.steps:
        try:
            got = await playing.does(step.does, step.rung)
        except TimeoutError:
            got = "nobody in time"
        rung.append((step.does, step.rung if got in step.rung.split("|") else got))
        if rung[-1][1] != step.rung:
            break  # what follows is of another story
    return rung


async def test_app_queue_rings_whom_the_scripts_say() -> None:
    """All at once; each in queues of its own."""
    scripts = dict(enumerate(SCRIPTS, 10))
    async with app_queues(scripts) as playing:
        told = await asyncio.gather(*(play(one) for one in playing.values()))
    assert {script.name: rung for script, rung in zip(SCRIPTS, told, strict=True)} == {
        script.name: [(step.does, step.rung) for step in script.steps] for script in SCRIPTS
    }


def test_every_strategy_is_in_a_script() -> None:
    assert {script.strategy for script in SCRIPTS} == set(
        re.findall("[a-z]+", "ringall leastrecent fewestcalls random rrmemory rrordered linear wrandom")
    )
