"""Agents who have a telephone and nothing else, on a real Asterisk: the shipped agents' line, keyed by phones.

One volunteer goes through a whole day on it; each test is the next hour of that day.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cordboard.bootstrap.agent_pins import keep_pin
from cordboard.lab.caller import Caller
from cordboard.lab.journal import Entry
from cordboard.lab.sip_phone import SipPhone
from cordboard.lab.stage import Stage
from tests.live.test_queueing import becomes, rows

pytestmark = [pytest.mark.live, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

SHIPPED = Path(__file__).parents[2] / "ivr_flows"
CODE, PIN = "2109", "301758"
WITHIN_S = 15.0
FAYE = "select presence, presence_reason from agent_states where agent = 'faye'"
GUS = FAYE.replace("faye", "gus")
FILES = {
    "cordboard.yaml": 'workers: 2\nzone: UTC\nextensions: {10XX: "PJSIP/{extension}"}\n',
    "numbers.yaml": 'numbers: {"5090": agent_line, "5091": by_number}\ndefault: give\n',
    "agents.yaml": """
agents:
  faye: {name: Faye Cole, device: PJSIP/1009, queues: [volunteers], code: 2109}
  gus: {name: Gus Hall, device: PJSIP/1002, queues: [volunteers], numbers: [1002]}
""",
    "queues.yaml": """
queues:
  volunteers:
    wrap_up: {mode: mandatory}
    accept: {key: 1, whisper: {en: Press 1.}}
    rona: {causes: {busy: {then: pause, after: 1, return_after_s: 2}}}
    dispositions: [pledged, did not pledge, call back]
""",
    "flows/give.yaml": """
flow: give
languages: [en]
on_failure: bye
prompts: {}
nodes:
  wait: {queue: volunteers, next: bye, otherwise: bye}
  bye: {hangup: normal}
""",
    "flows/by_number.yaml": """
flow: by_number
languages: [en]
on_failure: bye
prompts: {}
nodes:
  log_in: {as_agent: log_in, by: ani, next: ready}
  ready: {as_agent: ready, next: bye}
  bye: {hangup: normal}
""",
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    site = tmp_path_factory.mktemp("phone_agents")
    site.chmod(0o755)
    (site / "flows").mkdir()
    for name, text in FILES.items():
        (site / name).write_text(text)
    shutil.copy(SHIPPED / "flows" / "agent_line.yaml", site / "flows")
    async with Stage(site, workers=2) as stage:
        await asyncio.to_thread(keep_pin, stage.configuration.database, "faye", PIN)
        yield stage


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def phone(stage: Stage) -> AsyncIterator[SipPhone]:
    """Faye's telephone."""
    async with SipPhone("1009", stage.pbx) as phone:
        yield phone


async def calls_in(stage: Stage, phone: SipPhone, *keyed: tuple[str, str]) -> None:
    """Dial the agents' line; at each node press keys. The flow hangs up when it is done."""
    begin = len(stage.journal.entries)
    await phone.dial("5090")
    for node, keys in keyed:
        begin = await reaches(stage, begin, node)
        for key in keys:
            await phone.press(key)
    await phone.closed(WITHIN_S)


async def reaches(stage: Stage, begin: int, node: str) -> int:
    """Wait until the call is at a node; the place behind that in the log. begin: where in the log to look from."""

    def found() -> list[Entry]:
        entries = stage.journal.entries
        return [
            {"place": number + 1} for number in range(begin, len(entries)) if entries[number].get("node") == node
        ]

    return int((await stage.journal.wait_until(found, WITHIN_S))[0]["place"])


IS_FAYE = (("ask_code", CODE), ("ask_pin", PIN))


async def test_a_wrong_pin_opens_nothing_and_the_right_one_makes_ready(stage: Stage, phone: SipPhone) -> None:
    await calls_in(stage, phone, ("ask_code", CODE), ("ask_pin", "111222"), *IS_FAYE, ("what_now", "1"))
    await becomes(stage, FAYE, [("available", "")], WITHIN_S)
    assert [entry["reason"] for entry in stage.journal.find("agent_refused")] == ["unknown"]


async def test_takes_a_call_says_what_came_of_it_and_stops(stage: Stage, phone: SipPhone) -> None:
    async with Caller(ani="+442079460123", name="Ada") as caller:
        call = await caller.dial("6000", (stage.pbx.host, stage.pbx.sip_port))
        await phone.answer_after(0.1, WITHIN_S)
        await becomes(stage, "select state from offers", [("answered",)], WITHIN_S)
        await phone.press("1")
        await becomes(stage, "select state from offers", [("talking",)], WITHIN_S)
        await call.hang_up()
    await phone.closed(WITHIN_S)
    await becomes(stage, "select activity from agent_states", [("wrap_up",)], WITHIN_S)
    await calls_in(stage, phone, *IS_FAYE, ("what_came_of_it", "1"), ("what_now", "9"))
    await becomes(stage, "select disposition, activity from offers, agent_states", [("pledged", "idle")], WITHIN_S)
    await becomes(stage, FAYE, [("logged_out", "")], WITHIN_S)


async def test_a_listed_number_is_enough_where_the_flow_says_so(stage: Stage, phone: SipPhone) -> None:
    async with SipPhone("1002", stage.pbx) as gus:
        await gus.dial("5091")
        await gus.closed(WITHIN_S)
        await becomes(stage, GUS, [("available", "")], WITHIN_S)
        await a_busy_phone_pauses_for_the_time_that_the_queue_says(stage, gus)
    await phone.dial("5091")  # no agent's number: the flow fails, and hangs up
    await phone.closed(WITHIN_S)
    assert [entry["agent"] for entry in stage.journal.find("agent_called_in")] == ["faye", "faye", "gus"]


async def a_busy_phone_pauses_for_the_time_that_the_queue_says(stage: Stage, gus: SipPhone) -> None:
    async with Caller(ani="+442079460124", name="Bea") as caller:
        await caller.dial("6000", (stage.pbx.host, stage.pbx.sip_port))
        await gus.reject(486)
        await becomes(stage, GUS, [("paused", "rona")], WITHIN_S)
        await gus.incoming(WITHIN_S)  # two seconds later, by itself
        await becomes(stage, GUS, [("available", "")], WITHIN_S)


async def test_the_command_line_decides_for_an_agent_while_the_service_runs(stage: Stage) -> None:
    command = [sys.executable, "-m", "cordboard", "agent", "set", "-c", str(stage.config), "gus", "paused"]
    environment = {**os.environ, "CORDBOARD_STATE": str(stage.state)}
    process = await asyncio.create_subprocess_exec(*command, "--reason", "lunch", env=environment)
    assert await asyncio.wait_for(process.wait(), 60) == 0
    assert rows(stage, f"{GUS} and forced_by = 'the command line'") == [("paused", "lunch")]


async def test_nothing_went_wrong_and_no_code_or_pin_is_in_the_log(stage: Stage) -> None:
    entries = [entry for entry in stage.journal.entries if entry.get("level") in ("error", "critical")]
    assert [entry["event"] for entry in entries] == ["flow_fault"], "the number that is no agent's"
    assert not any(secret in str(stage.journal.entries) for secret in (PIN, "111222"))
