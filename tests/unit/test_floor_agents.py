"""Agents who are taken out of the configuration are logged out, and come back so; those who stay are left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from cordboard.acd.model import Presence
from tests.doubles.acd_kit import Machine, Process, machine
from tests.doubles.floor_kit import PLAN, FloorKit

PRESENCES = "select agent, presence from agent_states order by agent"
WITHOUT_ALICE = replace(PLAN, agents={"bob": PLAN.agents["bob"]})


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What is logged."""
    with structlog.testing.capture_logs() as entries:
        monkeypatch.setattr("cordboard.service.floor.log", structlog.get_logger())
        yield entries


async def presences(place: Machine, process: Process, *wanted: tuple[str, str]) -> None:
    """Wait until agents are so; the floor says when something has changed."""
    changed = asyncio.Event()
    process.floor.bell.on_changed(changed.set)
    async with asyncio.timeout(3):
        while tuple(place.rows(PRESENCES)) != wanted:
            await changed.wait()
            changed.clear()


async def test_an_agent_who_is_put_back_has_to_log_in(tmp_path: Path, told: list[Any]) -> None:
    async with machine(tmp_path) as place:
        process = place.start("worker-0")
        await place.ready(process, "alice", "bob")
        process.floor.use(replace(place.plan, agents={"bob": place.plan.agents["bob"]}))
        await presences(place, process, ("alice", "logged_out"), ("bob", "available"))
        process.floor.use(place.plan)
        process.floor.use(place.plan)
        await process.floor.agents.set_presence("bob", Presence.LOGGED_OUT)  # written behind those
        await presences(place, process, ("alice", "logged_out"), ("bob", "logged_out"))
    assert [(entry["event"], entry["agent"]) for entry in told] == [("agent_removed", "alice")]


async def test_one_who_was_taken_out_while_nothing_ran_is_logged_out_at_the_start(tmp_path: Path) -> None:
    async with machine(tmp_path) as place:
        await place.ready(place.start("worker-0"), "alice", "bob")
        place.plan = replace(place.plan, agents={"alice": place.plan.agents["alice"]})
        await presences(place, place.start("worker-1"), ("alice", "available"), ("bob", "logged_out"))


def test_the_talk_of_one_who_is_taken_out_goes_on(tmp_path: Path) -> None:
    kit = FloorKit(tmp_path / "cordboard.db")
    kit.presence("alice")
    offer = kit.enter("c1").offer
    assert offer is not None
    kit.leg("answered", offer.offer_id)
    kit.leg("joined", offer.offer_id)
    kit.pass_time(1)
    kit.store.plan = WITHOUT_ALICE
    removed, changes = kit.do(lambda c: kit.store.log_out_unknown(c, kit.now))
    assert (removed, changes.changed) == (["alice"], True)
    assert (kit.agents()["alice"].presence, kit.agents()["alice"].activity) == ("logged_out", "talking")
    assert kit.do(lambda c: kit.store.log_out_unknown(c, kit.now))[0] == []
    assert [row.data["presence"] for row in kit.ledger("presence_changed")] == ["available", "logged_out"]
    kit.close()
