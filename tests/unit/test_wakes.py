"""Wakes between processes: they arrive, they add up to one, and a process that is not there is no fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from cordboard.service.wakes import Wakes

Open = Callable[[str], tuple[Wakes, asyncio.Event, list[int]]]


@pytest.fixture
async def open_wakes(tmp_path: Path) -> AsyncIterator[Open]:
    opened: list[Wakes] = []
    folder = tmp_path / ("long" * 40)  # a UNIX socket's own path could not be that long

    def open_one(name: str) -> tuple[Wakes, asyncio.Event, list[int]]:
        woken, count = asyncio.Event(), [0]

        def on_wake() -> None:
            count[0] += 1
            woken.set()

        wakes = Wakes(folder, name, on_wake)
        wakes.listen()
        opened.append(wakes)
        return wakes, woken, count

    yield open_one
    for wakes in opened:
        wakes.close()


async def test_a_wake_arrives(open_wakes: Open) -> None:
    one, *_ = open_wakes("worker-0")
    _, woken, _ = open_wakes("worker-1")
    one.wake({"worker-1"})
    await asyncio.wait_for(woken.wait(), 1)


async def test_many_wakes_at_once_are_one(open_wakes: Open) -> None:
    one, *_ = open_wakes("worker-0")
    _, woken, count = open_wakes("desk")
    for _ in range(10_000):  # far more than the socket holds: the rest are dropped, not waited for
        one.wake({"desk"})
    await asyncio.wait_for(woken.wait(), 1)
    await asyncio.sleep(0)
    assert count == [1]


async def test_a_process_that_is_not_there_wakes_nobody_and_breaks_nothing(open_wakes: Open) -> None:
    one, *_ = open_wakes("worker-0")
    _, woken, _ = open_wakes("worker-2")
    one.wake(["worker-1", "worker-2"])
    await asyncio.wait_for(woken.wait(), 1)


async def test_one_that_does_not_listen_yet_takes_nothing_away(open_wakes: Open, tmp_path: Path) -> None:
    one, *_ = open_wakes("worker-0")
    _, woken, _ = open_wakes("worker-1")
    second = Wakes(tmp_path / ("long" * 40), "worker-1", lambda: None)  # it will find its ports taken
    one.wake({"worker-1"})
    await asyncio.wait_for(woken.wait(), 1)
    second.close()


async def test_a_successor_takes_the_place_of_a_killed_process(open_wakes: Open) -> None:
    one, *_ = open_wakes("worker-0")
    open_wakes("worker-1")
    _, woken, _ = open_wakes("worker-1")
    one.wake({"worker-1"})
    await asyncio.wait_for(woken.wait(), 1)
