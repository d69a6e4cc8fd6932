"""Callbacks and cut-off calls on a real Asterisk: whose phone rings when, whose place it is, who hears whom."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from cordboard.lab.call import Call
from cordboard.lab.caller import Caller
from cordboard.lab.rtp import tone
from cordboard.lab.stage import Stage
from tests.live.callback_kit import (
    CUSTOMER_HZ,
    FIRST,
    SECOND,
    SITE,
    SOON_S,
    THIRD,
    Carrier,
    agent_at,
    agent_first_is_let_go,
    agent_first_rings_a_busy_customer_again,
    ask_to_be_called,
    becomes,
    hear_each_other,
    hung_up,
    one_test,
    places,
    promises,
    rows,
    silence_keeps_the_place,
)
from tests.live.crash_kit import guest, strike

pytestmark = [pytest.mark.live, pytest.mark.timeout(60), pytest.mark.asyncio(loop_scope="module")]

RTP_TIMEOUT = 44


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def carrier() -> AsyncIterator[Carrier]:
    async with Caller(ani="+442079460999", host="127.0.0.8") as party:
        yield Carrier(party)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bed(carrier: Carrier) -> AsyncIterator[Stage]:
    """One test bed for all tests here."""
    async with Stage(SITE, workers=2, settings={"CORDBOARD_OUTSIDE__DEVICE": carrier.device}) as bed:
        yield bed


@pytest_asyncio.fixture(loop_scope="module")
async def stage(bed: Stage, carrier: Carrier) -> AsyncIterator[Stage]:
    async with one_test(bed, carrier):
        yield bed


async def cut(stage: Stage, number: str, call: Call) -> None:
    """End a caller's leg as Asterisk does when no sound has come for too long."""
    (channel,) = [one.name for one in await stage.pbx.channels() if number.removeprefix("+") in one.caller]
    await stage.pbx.ami.send("Hangup", Channel=channel, Cause=str(RTP_TIMEOUT))
    async with asyncio.timeout(SOON_S):
        await call.ended


async def test_a_customer_who_is_called_back_has_kept_the_place(stage: Stage, carrier: Carrier) -> None:
    async with agent_at(stage, "carol") as (carol, desk):
        await desk.set_presence("available")
        async with guest(stage, "6101", ani=THIRD):
            await carol.answer()  # and is busy
            waiting = "SELECT COUNT(*) FROM queue_entries WHERE state = 'waiting'"
            async with guest(stage, "6101", ani=FIRST) as first, AsyncExitStack() as calls:
                await becomes(stage, waiting, [(1,)])
                await calls.enter_async_context(guest(stage, "6101", ani=SECOND, host="127.0.0.3"))
                await becomes(stage, waiting, [(2,)])
                await first.call.press("1")
                await first.hears("lines/offer")
                await first.call.press("1")
                await first.hears("lines/booked")
                await first.call.hang_up()
                await carol.hang_up()
                customer = await carrier.called()  # while she still writes her notes
                await carol.answer()
                await hear_each_other(customer, carol)
                joined = "SELECT kind FROM queue_entries WHERE state = 'talking'"
                assert rows(stage, joined) == [("callback",)], "who came second waits still"
                await carol.hang_up()
                await hung_up(customer)
                await carol.answer()
        await becomes(stage, promises("customer"), [("done", "served", 1)])


async def test_an_answering_machine_is_not_kept_and_a_person_is(stage: Stage, carrier: Carrier) -> None:
    async with agent_at(stage, "mary") as (mary, desk):
        await ask_to_be_called(stage, FIRST, "6102")
        await ask_to_be_called(stage, SECOND, "6102")
        await desk.set_presence("available")
        machine = await carrier.called()
        machine.speak(tone(CUSTOMER_HZ, 0.5), repeat=True)  # speaks and speaks
        async with asyncio.timeout(SOON_S):
            await machine.ended
        person = await carrier.called()
        person.speak(tone(CUSTOMER_HZ, 0.4), repeat=False)  # "Hello?"
        await mary.answer()
        await hear_each_other(person, mary)
        await mary.hang_up()
        await hung_up(person)
        await becomes(stage, promises("machine"), [("failed", "machine", 1), ("done", "served", 1)])


async def test_the_agent_first_hears_it_ring_and_a_customer_who_is_busy_is_rung_again(
    stage: Stage, carrier: Carrier
) -> None:
    await agent_first_rings_a_busy_customer_again(stage, carrier)


async def test_the_agent_first_is_let_go_when_the_customer_does_not_answer(stage: Stage, carrier: Carrier) -> None:
    await agent_first_is_let_go(stage, carrier)


async def test_who_was_cut_off_while_waiting_has_the_place_on_calling_again(stage: Stage) -> None:
    entry = places(FIRST)
    async with guest(stage, "6104", ani=FIRST) as caller:
        await becomes(stage, entry, [("waiting", "call")])
        await cut(stage, FIRST, caller.call)
        await becomes(stage, entry, [("away", "cut_off")])
    async with guest(stage, "6104", ani=FIRST):
        await becomes(stage, entry, [("waiting", "cut_off")])
    await becomes(stage, f"{entry} AND left_because = 'abandoned'", [("left", "hung_up")])


async def test_a_caller_whose_sound_stops_is_cut_off_by_asterisk_itself(stage: Stage) -> None:
    await silence_keeps_the_place(stage)


async def test_a_talk_that_was_cut_off_goes_on_with_the_same_agent(stage: Stage, carrier: Carrier) -> None:
    async with agent_at(stage, "cora") as (cora, desk), agent_at(stage, "cindy") as (_, other):
        await desk.set_presence("available")
        async with guest(stage, "6104", ani=SECOND) as caller:
            await cora.answer()
            await hear_each_other(caller.call, cora)
            await other.set_presence("available")
            cut_at = asyncio.get_running_loop().time()
            await cut(stage, SECOND, caller.call)
        customer = await carrier.called()
        assert asyncio.get_running_loop().time() - cut_at < 10.0
        await cora.answer()
        await hear_each_other(customer, cora)
        await cora.hang_up()
        await hung_up(customer)
        await becomes(stage, promises("cut"), [("done", "served", 1)])


async def test_the_phone_that_rings_when_the_dialling_worker_dies_rings_once(
    stage: Stage, carrier: Carrier
) -> None:
    carrier.answer(ring_s=2.0)
    async with agent_at(stage, "carol") as (carol, desk):
        async with guest(stage, "6101", ani=SECOND) as caller:
            await becomes(stage, "SELECT COUNT(*) FROM queue_entries WHERE state = 'waiting'", [(1,)])
            await caller.call.press("1")
            await caller.hears("lines/offer")
            await caller.call.press("1")
            await caller.hears("lines/booked")
        await desk.set_presence("available")
        customer = await carrier.called()
        dialled = await stage.wait_event("callback_dialled")
        strike(stage.worker_pids()[dialled["worker"]], signal.SIGKILL)
        await carol.incoming(SOON_S)
        await carol.answer()
        await hear_each_other(customer, carol)
        await carol.hang_up()
        await hung_up(customer)
        about = f"{promises('customer')} DESC LIMIT 1"
        await becomes(stage, about, [("done", "served", 1)])
        assert carrier.calls.empty()
