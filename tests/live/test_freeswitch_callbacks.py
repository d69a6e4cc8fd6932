"""Callbacks and cut-off calls on a real FreeSWITCH: the site of `test_callbacks`, word for word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cordboard.lab.caller import Caller
from cordboard.lab.freeswitch_stage import FreeswitchStage
from cordboard.lab.rtp import tone
from tests.live.callback_kit import (
    CUSTOMER_HZ,
    FIRST,
    LONG_S,
    MOBILE,
    SECOND,
    SITE,
    SOON_S,
    THIRD,
    Carrier,
    agent_at,
    ask_to_be_called,
    becomes,
    hear_each_other,
    hung_up,
    places,
    promises,
    rows,
)
from tests.live.crash_kit import guest
from tests.live.freeswitch_kit import why_none

pytestmark = [pytest.mark.live, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="module")]

TRUNK = "sofia/internal/{{number}}@{address}"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def carrier() -> AsyncIterator[Carrier]:
    if reason := why_none():
        pytest.skip(reason)
    async with Caller(ani="+442079460999", host="127.0.0.8") as party:
        yield Carrier(party, TRUNK)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bed(carrier: Carrier) -> AsyncIterator[FreeswitchStage]:
    """One test bed for all tests here."""
    async with FreeswitchStage(SITE, workers=2, settings={"CORDBOARD_OUTSIDE__DEVICE": carrier.device}) as bed:
        yield bed


@pytest_asyncio.fixture(loop_scope="module")
async def stage(bed: FreeswitchStage, carrier: Carrier) -> AsyncIterator[FreeswitchStage]:
    bed.journal.entries = [entry for entry in bed.journal.entries if entry["event"] == "worker_ready"]
    yield bed
    await carrier.hang_up()
    await bed.pbx.wait_for_no_channels(SOON_S)
    assert not [entry for entry in bed.journal.entries if entry["level"] in ("error", "critical")]


async def test_a_customer_who_is_called_back_has_kept_the_place(stage: FreeswitchStage, carrier: Carrier) -> None:
    async with agent_at(stage, "carol") as (carol, desk):
        async with guest(stage, "6101", ani=FIRST) as first, guest(stage, "6101", ani=SECOND, host="127.0.0.3"):
            await becomes(stage, "SELECT COUNT(*) FROM queue_entries WHERE state = 'waiting'", [(2,)])
            await first.call.press("1")
            await first.hears("lines/offer")
            await first.call.press("1")
            await first.hears("lines/booked")
            await first.call.hang_up()
            positions = "SELECT kind FROM queue_entries WHERE state IN ('away', 'waiting') ORDER BY entered_at"
            await becomes(stage, positions, [("callback",), ("call",)])
        await desk.set_presence("available")
        customer = await carrier.called()
        await carol.answer()
        await hear_each_other(customer, carol)
        assert rows(stage, "SELECT kind FROM queue_entries WHERE state = 'talking'") == [("callback",)]
        await carol.hang_up()
        await hung_up(customer)
        await becomes(stage, promises("customer"), [("done", "served", 1)])


async def test_machines_are_not_kept_and_a_person_is(stage: FreeswitchStage, carrier: Carrier) -> None:
    async with agent_at(stage, "mary") as (mary, desk):
        for number in (FIRST, SECOND, THIRD):  # one after another, so that they are called in this order
            await ask_to_be_called(stage, number, "6102")
        await desk.set_presence("available")
        machine = await carrier.called()
        machine.speak(tone(CUSTOMER_HZ, 0.5), repeat=True)  # speaks and speaks
        async with asyncio.timeout(SOON_S):
            await machine.ended
        async with stage.pbx.esl.listen("CHANNEL_ANSWER") as answers, asyncio.timeout(SOON_S):
            impatient = await carrier.called()
            await answers.get()
            await impatient.hang_up()  # before anything is decided
        person = await carrier.called()
        person.speak(tone(CUSTOMER_HZ, 0.4), repeat=False)  # "Hello?"
        await mary.answer()
        await hear_each_other(person, mary)
        await mary.hang_up()
        await hung_up(person)
        ends = [("failed", "machine", 1), ("failed", "hung up", 1), ("done", "served", 1)]
        await becomes(stage, promises("machine"), ends)


async def test_the_agent_first_hears_it_ring_and_a_customer_who_is_busy_is_rung_again(
    stage: FreeswitchStage, carrier: Carrier
) -> None:
    async with agent_at(stage, "anna") as (anna, desk):
        await ask_to_be_called(stage, FIRST, "6103")
        carrier.answer(status=486)
        await desk.set_presence("available")
        await anna.answer()
        await carrier.called()
        await becomes(stage, promises("agent"), [("waiting", "busy", 1)])
        carrier.answer()
        await anna.incoming(SOON_S)  # some seconds later
        await anna.answer()
        customer = await carrier.called()
        await hear_each_other(customer, anna)
        await anna.hang_up()
        await hung_up(customer)
        await becomes(stage, promises("agent"), [("done", "served", 2)])
        ends = "SELECT \"end\" FROM offers WHERE queue = 'agent' ORDER BY made_at"
        assert rows(stage, ends) == [("caller_left",), ("served",)], "no fault of the agent's"


async def test_the_agent_first_is_let_go_when_the_customer_does_not_answer(
    stage: FreeswitchStage, carrier: Carrier
) -> None:
    async with agent_at(stage, "adam") as (adam, desk):
        await ask_to_be_called(stage, FIRST, "6105")
        carrier.answer(ring_s=LONG_S)
        await desk.set_presence("available")
        await adam.answer()
        customer = await carrier.called()
        await adam.closed(SOON_S)
        async with asyncio.timeout(SOON_S):
            end = await customer.ended
        assert not customer.is_answered and end.by == "pbx" and end.at_s > 4, "it rang for its time"
        await becomes(stage, promises("unanswered"), [("failed", "no_answer", 1)])
        agent = "SELECT activity, presence, rona_in_a_row FROM agent_states WHERE agent = 'adam'"
        await becomes(stage, agent, [("idle", "available", 0)])
        assert rows(stage, "SELECT \"end\" FROM offers WHERE queue = 'unanswered'") == [("caller_left",)]


async def test_a_caller_whose_sound_stops_keeps_the_place(stage: FreeswitchStage) -> None:
    async with guest(stage, "6104", ani=THIRD, host=MOBILE) as caller:
        await becomes(stage, places(THIRD), [("waiting", "call")])
        caller.call.fall_silent()
        async with asyncio.timeout(SOON_S):
            assert (await caller.call.ended).by == "pbx"
        await becomes(stage, places(THIRD), [("away", "cut_off")])
    async with guest(stage, "6104", ani=THIRD):
        await becomes(stage, places(THIRD), [("waiting", "cut_off")])
    await becomes(stage, f"{places(THIRD)} AND left_because = 'abandoned'", [("left", "hung_up")])


async def test_a_talk_whose_sound_stops_goes_on_with_the_same_agent(
    stage: FreeswitchStage, carrier: Carrier
) -> None:
    async with agent_at(stage, "cora") as (cora, desk), agent_at(stage, "cindy") as (_, other):
        await desk.set_presence("available")
        async with guest(stage, "6104", ani=SECOND, host=MOBILE) as caller:
            await cora.answer()
            await hear_each_other(caller.call, cora)
            await other.set_presence("available")
            caller.call.fall_silent()
            async with asyncio.timeout(SOON_S):
                assert (await caller.call.ended).by == "pbx"
        customer = await carrier.called()
        await cora.answer()
        await hear_each_other(customer, cora)
        await cora.hang_up()
        await hung_up(customer)
        await becomes(stage, promises("cut"), [("done", "served", 1)])
