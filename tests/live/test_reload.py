"""A running service and a changed configuration: good ones are loaded, bad ones are told of and left alone."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cordboard.bootstrap.call_traces import read_trace
from cordboard.bootstrap.floor_files import FloorFiles
from cordboard.bootstrap.replaying import flows_for
from cordboard.flows.replay import Difference, first_difference
from cordboard.lab.hearing import Began
from cordboard.lab.stage import Stage
from cordboard.store.reader import StoreReader
from cordboard.store.traces import last_calls
from tests.live.crash_kit import all_workers_ready, guest, holder, strike

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

SITE = Path(__file__).parent / "site"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    shutil.copytree(SITE, tmp_path / "site")
    async with Stage(tmp_path / "site", workers=2) as stage:
        yield stage
        await stage.pbx.wait_for_no_channels()


def edit(stage: Stage, old: str, new: str, file: str = "flows/quick.yaml") -> None:
    path = stage.config / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


async def test_new_calls_get_the_new_flow_and_a_live_call_keeps_its_own(stage: Stage) -> None:
    async with guest(stage, "6001") as old:
        await old.hears("one")
        edit(stage, "next: two}", "next: three}")
        os.kill(stage.service.pid, signal.SIGHUP)
        await stage.journal.wait_until(lambda: stage.journal.find("configuration_loaded")[1:], 10)
        await old.hears("two")
    async with guest(stage, "6001", host="127.0.0.3") as new:
        await new.hears("one")
        await new.hears("three")


CHOICE = """\
flow: choice
languages: [en]
prompts:
  question: {en: "Press one for the old shop."}
  old_shop: {en: "This is the old shop, come in."}
  new_shop: {en: "Here we sell other things now."}
nodes:
  main: {menu: question, keys: {1: shop, 2: other}, no_input: {then: bye}, no_match: {then: bye}}
  shop: {play: old_shop, next: bye}
  other: {play: new_shop, next: bye}
  bye: {hangup: normal}
"""


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Stage]:
    """A menu behind 6003."""
    shutil.copytree(SITE, tmp_path / "site")
    (tmp_path / "site" / "flows" / "choice.yaml").write_text(CHOICE)
    numbers = tmp_path / "site" / "numbers.yaml"
    numbers.write_text(numbers.read_text().replace("{", '{"6003": choice, ', 1))
    async with Stage(tmp_path / "site", workers=2) as stage:
        yield stage
        await stage.pbx.wait_for_no_channels()


async def test_a_call_in_a_menu_goes_on_as_it_began_though_file_and_workers_are_others(shop: Stage) -> None:
    """A saved file is live at once; the worker that has the call is killed, and the one that takes it over began
    after the change: the caller hears what the old text says.
    """
    async with guest(shop, "6003") as caller:
        await caller.hears("choice/question", whole=True)
        edit(shop, "{1: shop", "{1: other", "flows/choice.yaml")
        await shop.journal.wait_until(lambda: shop.journal.find("configuration_loaded")[1:], 10)
        has_it = await holder(shop)
        (other,) = (pid for pid in shop.worker_pids() if pid != has_it)
        strike(other, signal.SIGKILL)
        await shop.journal.wait_until(lambda: shop.journal.find("worker_ready")[2:], 20)
        strike(has_it, signal.SIGKILL)
        await caller.hears("choice/question", after=1, whole=True)
        await caller.call.press("1")
        await caller.hears("old_shop")
        await caller.call.ended
    await shop.wait_event("revision_recalled", flow="choice")
    assert not caller.events(Began, "new_shop")
    call_id = (await shop.wait_event("call_ended"))["call_id"]
    assert await replayed(shop, call_id) is None
    async with guest(shop, "6003", host="127.0.0.3") as later:
        await later.hears("choice/question", whole=True)
        await later.call.press("1")
        await later.hears("new_shop")


async def replayed(stage: Stage, call_id: str) -> Difference | None:
    """Where a replay of a call that has ended differs from its trace."""
    files = FloorFiles(stage.configuration.plan, "UTC", stage.state, stage.config, stage.configuration.database)
    reader = StoreReader(files.database)
    try:
        async with asyncio.timeout(10):
            while not (await reader.ask(lambda connection: last_calls(connection, 1)))[0].result:
                await asyncio.sleep(0.05)  # what is written soon is written by now, or almost
    finally:
        reader.close()
    found = read_trace(files, call_id)
    flow_of = flows_for(stage.config, stage.state, found, "")
    return first_difference(found.traced.call, found.steps, flow_of)


async def test_a_bad_file_is_told_of_with_its_place_and_changes_nothing(stage: Stage) -> None:
    edit(stage, "next: two}", "next: tow}")
    os.kill(stage.service.pid, signal.SIGHUP)
    refused = await stage.wait_event("configuration_refused")
    assert (Path(refused["file"]).name, refused["line"], refused["hint"]) == (
        "quick.yaml",
        12,
        "did you mean `two`?",
    )
    assert not stage.journal.find("configuration_loaded")
    strike(stage.worker_pids()[0], signal.SIGKILL)  # it comes back with what is running, not with what is on disk
    await stage.journal.wait_until(lambda: stage.journal.find("worker_ready")[2:], 20)
    assert all_workers_ready(stage)
    for number in range(4):
        async with guest(stage, "6001", host=f"127.0.0.{2 + number}") as caller:
            await caller.hears("two")


async def test_health_readiness_and_metrics_of_each_worker(stage: Stage) -> None:
    async with guest(stage, "6001") as caller:
        await caller.call.ended
    await stage.wait_event("call_ended")
    for number in range(2):
        base = f"http://127.0.0.1:{stage.http_port + number}"
        assert _get(f"{base}/healthz") == '{"alive":true}'
        assert '"ready":true' in _get(f"{base}/readyz")
    metrics = "".join(_get(f"http://127.0.0.1:{stage.http_port + number}/metrics") for number in range(2))
    assert 'cordboard_calls_total{result="finished"} 1.0' in metrics
    assert "cordboard_ami_connected 1.0" in metrics


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())
