"""What the desk is told of the flows: from real files, a real state folder and a real database."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from cordboard.bootstrap import flow_pictures
from cordboard.bootstrap.configuration import Configuration, load_configuration
from cordboard.bootstrap.flow_lines import FAULTS_SHOWN, NUMBERS_SHOWN
from cordboard.bootstrap.live_flows import LiveFlows
from cordboard.bootstrap.publishing import refusal_file
from cordboard.bootstrap.revisions import Cause, Revisions
from cordboard.config.findings import Finding
from cordboard.desk.flow_page import Fault, FlowPage
from cordboard.desk.ports import NoPicture, NoSuchFlow
from cordboard.errors import StoreUnavailable
from cordboard.store.database import open_database, open_for_reading
from cordboard.store.tables import call_steps, traced_calls
from cordboard.store.time_limit import TookTooLong, time_limit
from cordboard.telephony.call_id import id_at

HELLO = """\
flow: hello
languages: [en]
prompts: {hello: {en: "hello"}}
nodes:
  hello: {play: hello, next: sub}
  sub: {subflow: ask, next: bye}
  bye: {hangup: normal}
"""
ASK = """\
flow: ask
languages: [en]
params: {}
nodes:
  over: {goto: {flow: other}}
"""
OTHER = (
    HELLO.replace("flow: hello", "flow: other")
    .replace("next: sub", "next: bye")
    .replace("  sub: {subflow: ask, next: bye}\n", "")
)
NUMBERS = "default: hello\nnumbers: {" + ", ".join(f'"{5000 + n}": other' for n in range(20)) + "}\n"


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    folder = tmp_path / "config"
    (folder / "flows").mkdir(parents=True)
    for name, written in (("hello", HELLO), ("ask", ASK), ("other", OTHER)):
        (folder / "flows" / f"{name}.yaml").write_text(written)
    (folder / "numbers.yaml").write_text(NUMBERS)
    (folder / "cordboard.yaml").write_text(f"state: {tmp_path / 'state'}\n")
    return load_configuration(folder, need_secrets=False)


@pytest.fixture
async def flows(configuration: Configuration) -> AsyncIterator[LiveFlows]:
    open_database(configuration.database).dispose()
    flows = LiveFlows(configuration)
    yield flows
    await flows.aclose()


def refuse(configuration: Configuration, *findings: Finding, **more: object) -> None:
    told = [finding.as_json() for finding in findings]
    refusal = {"at": 1_000.0, "by": "watch", "message": "", "findings": told} | more
    refusal_file(configuration.state).write_text(json.dumps(refusal))


def call(configuration: Configuration, flow: str, at: float, *ways: tuple[str, str]) -> None:
    """A call that has been traced."""
    engine = open_database(configuration.database)
    call_id = f"{id_at(at)[:16]}{time.time_ns() % 10**10:010d}"
    row = {"flow": flow, "revision": "r", "switch": "asterisk", "leg_id": "l", "dnis": "5000", "started_at": at}
    row |= {"call_id": call_id, "result": "", "ani": "", "caller_name": "", "is_erased": False}
    record = json.dumps({"passed": [[flow, node, way, {}] for node, way in ways]})
    step = {"call_id": call_id, "number": 1, "at": at, "kind": "advance", "flow": flow, "revision": "r"}
    step |= {"node": "", "verb": "", "outcome": "", "record": record}
    with engine.begin() as connection:
        connection.execute(insert(traced_calls), row)
        connection.execute(insert(call_steps), step)
    engine.dispose()


async def changed(flows: LiveFlows) -> FlowPage:
    """The page after it says that it has changed."""
    event = asyncio.Event()
    flows.on_changed(event.set)
    flows.page()
    async with asyncio.timeout(5):
        await event.wait()
    return flows.page()


async def test_each_flow_tells_what_leads_to_it(flows: LiveFlows) -> None:
    ask, hello, other = flows.page().flows
    assert (ask.numbers, ask.is_default, ask.reached_from) == ((), False, ("hello",))
    assert (hello.numbers, hello.is_default, hello.reached_from) == ((), True, ())
    assert (len(other.numbers), other.numbers_count, other.reached_from) == (NUMBERS_SHOWN, 20, ("ask",))
    assert (hello.nodes, hello.since_at, hello.by) == (3, None, "")


async def test_a_revision_tells_since_when_it_is_live_and_why(
    flows: LiveFlows, configuration: Configuration
) -> None:
    revisions, began = Revisions(configuration.state), time.time()
    revisions.go_live(configuration.house.flows, Cause("start"))
    flows.use(configuration)
    assert {line.by for line in flows.page().flows} == {"start"}
    others = {name: flow for name, flow in configuration.house.flows.items() if name != "hello"}
    revisions.go_live(others, Cause("watch"))
    revisions.go_live(configuration.house.flows, Cause("rollback", "was better\u202e", "ursula"))
    flows.use(configuration)
    _, hello, other = flows.page().flows
    assert (hello.by, hello.who, hello.message, other.by) == ("rollback", "ursula", "was better", "start")
    assert hello.since_at is not None and other.since_at is not None
    assert began <= other.since_at <= hello.since_at


async def test_a_refusal_is_shown_for_as_long_as_its_file_is_there(
    flows: LiveFlows, configuration: Configuration
) -> None:
    assert flows.page().refusal is None
    file = str(configuration.directory / "flows" / "hello.yaml")
    refuse(configuration, Finding(file, 6, 38, "unknown-node", "no `by`", "one\u202e\ntwo"))
    shown = flows.page().refusal
    assert shown is not None
    assert shown.faults == (Fault("flows/hello.yaml:6:38", "unknown-node", "no `by`", "one\ntwo"),)
    refuse(configuration, *[Finding("elsewhere.yaml", n, 1, "x", "y") for n in range(1, FAULTS_SHOWN + 9)])
    shown = flows.page().refusal
    assert shown is not None
    assert (len(shown.faults), shown.faults_count) == (FAULTS_SHOWN, FAULTS_SHOWN + 8)
    refuse(configuration, message="3 prompts cannot be played")
    shown = flows.page().refusal
    assert shown is not None
    assert (shown.message, shown.faults) == ("3 prompts cannot be played", ())
    refusal_file(configuration.state).unlink()
    assert flows.page().refusal is None


async def test_a_refusal_is_read_once_however_often_pages_look(
    flows: LiveFlows, configuration: Configuration
) -> None:
    refuse(configuration)
    assert flows.page().refusal is flows.page().refusal


async def test_calls_of_today_are_counted_by_flow(flows: LiveFlows, configuration: Configuration) -> None:
    now = time.time()
    call(configuration, "hello", now)
    call(configuration, "hello", now)
    call(configuration, "hello", now - 86_400)
    assert [line.calls_today for line in flows.page().flows] == [None] * 3
    assert [line.calls_today for line in (await changed(flows)).flows] == [0, 2, 0]


async def test_where_calls_are_not_traced_nothing_is_counted(configuration: Configuration) -> None:
    (configuration.directory / "cordboard.yaml").write_text(
        f"state: {configuration.state}\ntrace: {{keep_days: 0}}\n"
    )
    flows = LiveFlows(load_configuration(configuration.directory, need_secrets=False))
    page = flows.page()
    assert (page.is_traced, {line.calls_today for line in page.flows}) == (False, {None})
    await flows.aclose()


async def test_a_picture_shows_the_calls_of_the_time_that_is_asked_for(
    flows: LiveFlows, configuration: Configuration
) -> None:
    now = time.time()
    call(configuration, "hello", now, ("hello", "next"))
    call(configuration, "hello", now - 2 * 3600, ("hello", "next"))
    assert "×" not in await flows.picture("hello", None)
    assert "×1<" in await flows.picture("hello", 1)
    assert "×2<" in await flows.picture("hello", 3)
    with pytest.raises(NoSuchFlow):
        await flows.picture("nobody", None)


async def test_without_a_database_there_is_a_picture_without_counts(
    flows: LiveFlows, configuration: Configuration
) -> None:
    for file in configuration.state.glob("cordboard.db*"):
        file.unlink()
    assert "<svg" in await flows.picture("hello", None)
    with pytest.raises(StoreUnavailable):
        await flows.picture("hello", 24)


async def test_a_flow_too_large_to_be_drawn_says_how_it_can_be(
    flows: LiveFlows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow_pictures, "NODES_MAX", 2)
    with pytest.raises(NoPicture, match=r"3 nodes.*cordboard graph hello"):
        await flows.picture("hello", None)


async def test_a_drawing_that_takes_too_long_is_not_waited_for(
    flows: LiveFlows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow_pictures, "PICTURE_S", 0.0)
    with pytest.raises(NoPicture) as refused:
        await flows.picture("hello", None)
    assert refused.value.passes


ENDLESS = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
LONG = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT count(*) FROM n"
)


def test_a_question_that_takes_too_long_ends_and_the_next_one_is_answered(configuration: Configuration) -> None:
    open_database(configuration.database).dispose()
    engine = open_for_reading(configuration.database)
    with engine.connect() as connection:
        with pytest.raises(TookTooLong), time_limit(connection, 0.05):
            connection.execute(ENDLESS)
        assert connection.execute(LONG).scalar_one() == 100_000  # nothing is left of the limit
        with time_limit(connection, 60.0):
            assert connection.execute(LONG).scalar_one() == 100_000
    engine.dispose()
