"""Scenarios with agents, on our configuration: the real service, its desk, an Asterisk, phones of both kinds.

What is true passes; what is wrong fails, and tells what was there instead. All are played on one stage, one after
the other, so each also shows that the one before has left its agents free.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cordboard.config.yaml_reader import parse_yaml
from cordboard.errors import LabError
from cordboard.lab.player import Result, play
from cordboard.lab.scenario import parse_scenario
from cordboard.lab.stage import Stage

pytestmark = [pytest.mark.live, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

CONFIG = Path(__file__).parents[2] / "ivr_flows"

CALLER = """
scenario: a test
callers:
  - ani: "+442079460155"
    name: Charles Babbage
    dials: "5002"
    language: en
    flow: sales
    does: [{hears: welcome}, STEPS]
agents:
AGENTS
expect:
  - {no_channels_left: true}
  - {no_errors_logged: true}
"""
SERVES = (
    "  alice: {ready_at_s: 2.2, answers_after_s: 0.1, accepts_after_s: 0.2, disposition: sold, disposes_after_s: 0}"
)
JOINS = "{joined: alice, within_s: 12}, {hangs_up_after_s: 0.2}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with Stage(CONFIG, workers=2) as stage:
        yield stage


async def played(stage: Stage, steps: str, agents: str, *expect: str) -> Result:
    """The result of a scenario, with its time line on the screen of a failed test."""
    text = CALLER.replace("STEPS", steps).replace("AGENTS", agents) + "".join(f"  - {{{one}}}\n" for one in expect)
    scenario = parse_scenario(parse_yaml(text.encode(), "scenario.yaml"), stage.book)
    return await asyncio.wait_for(
        play(scenario, stage.scenario_stage(), lambda line: print(line.as_json())), timeout=60
    )


async def test_each_way_of_not_taking_a_call_is_told_by_its_name(stage: Stage) -> None:
    """The caller is back at the head and served by the next agent, whatever the first one did."""
    for does, ended in [
        ("busy", "busy"),
        ("rejects", "rejected"),
        ("unavailable", "unavailable"),
        ("declines", "declined"),
    ]:
        bob = f"  bob: {{does: {does}, answers_after_s: 0.1}}\n"
        result = await played(
            stage,
            JOINS,
            bob + SERVES,
            f"offers: bob, ended: {ended}",
            "kpi: sales, offered: 1, answered: 1, rona: 1",
        )
        assert result.passed, (does, result.faults)


@pytest.mark.parametrize("phone", ["baresip", "lab"])
async def test_either_phone_is_heard_and_hears(stage: Stage, phone: str) -> None:
    result = await played(stage, JOINS, SERVES.replace("{", f"{{phone: {phone}, "), "offers: alice, ended: served")
    assert result.passed, result.faults
    assert [line.text for line in result.lines if line.kind == "joined"] == [
        "talks with alice; they hear each other"
    ]


async def test_who_is_sent_on_without_asking_talks_with_the_other(stage: Stage) -> None:
    agents = SERVES.replace("{", "{talks_s: 1, transfers_to: {blind: 1004}, ")
    agents += "\n  bob: {ready_at_s: null, answers_after_s: 0.2, accepts: null}"
    result = await played(
        stage,
        "{joined: alice}, {joined: bob, within_s: 5}, {hangs_up_after_s: 0}",
        agents,
        "offers: alice, ended: served",
        "offers: bob, ended: served, times: 0",
    )
    assert result.passed, result.faults


async def test_a_caller_who_gives_up_while_the_phone_rings_is_abandoned(stage: Stage) -> None:
    result = await played(
        stage,
        "{hears_music: true}, {hangs_up_after_s: 0.1}",
        "  alice: {does: ignores}",
        "offers: alice, ended: caller_left",
        "kpi: sales, offered: 1, answered: 0, abandoned: 1, rona: 0",
    )
    assert result.passed, result.faults


async def test_an_agent_without_a_phone_gets_no_offer(stage: Stage) -> None:
    result = await played(
        stage,
        "{hears_music: true}, {hangs_up_after_s: 1}",
        "  alice: {does: unregisters}",
        "kpi: sales, offered: 1, answered: 0, abandoned: 1, rona: 0",
        "ledger: [entered_queue, left_queue]",
    )
    assert result.passed, result.faults


async def test_what_is_wrong_fails_and_tells_what_was_there(stage: Stage) -> None:
    result = await played(
        stage,
        "{hears_music: true}, {joined: alice, within_s: 1}",
        "  alice: {does: ignores}",
        "offers: alice, ended: served, within_s: 0",
        "pop: alice, caller_name: Ada Lovelace, within_s: 0",
        "kpi: sales, answered: 1, within_s: 0",
    )
    assert [fault.partition(" ")[0] for fault in result.faults] == ["Charles", "expected", "expected", "expected"]
    assert "expected to be joined with alice within 1 s, heard a sound" in result.faults[0]
    assert "that ended served, there were: caller_left 1" in result.faults[1]
    assert 'it showed [{"caller_name": "Charles Babbage"}]' in result.faults[2]
    assert result.faults[3] == "expected of sales: answered 1, it is 0"


async def test_music_is_not_taken_for_a_talk_and_a_talk_not_for_music(stage: Stage) -> None:
    on_hold = await played(stage, "{hears_music: false, for_s: 2}", "  alice: {does: ignores}")
    assert on_hold.faults == ("Charles Babbage: expected no music on hold for 2 s, heard it",)
    talking = await played(stage, "{joined: alice}, {hears_music: true, within_s: 1}", SERVES)
    assert talking.faults[0].startswith("Charles Babbage: expected the music on hold within 1 s")


async def test_an_agent_whose_desk_refuses_is_a_fault(stage: Stage) -> None:
    result = await played(stage, JOINS, SERVES.replace("sold", "bought"))
    (fault,) = result.faults
    assert fault.startswith("alice: the desk refused POST /offers/") and "'bought' is no disposition" in fault


async def test_an_agent_who_is_none_is_told(stage: Stage) -> None:
    with pytest.raises(LabError, match=r"zoe is no agent of this configuration; agents\.yaml has: alice, bob"):
        await played(stage, JOINS.replace("alice", "zoe"), SERVES.replace("alice", "zoe"))


async def test_a_seat_at_the_desk_is_given_to_agents_only(stage: Stage) -> None:
    async with stage.desk("bob") as desk:
        assert desk.page is not None and desk.page["me"]["agent"] == "bob"
    with pytest.raises(LabError, match="zoe is no agent"):
        stage.desk("zoe")
