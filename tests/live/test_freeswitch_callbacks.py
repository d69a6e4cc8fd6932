"""Callbacks and cut-off calls on a real FreeSWITCH: the site of `test_callbacks`, word for word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from cordboard.lab.caller import Caller
from cordboard.lab.freeswitch_stage import FreeswitchStage
from cordboard.lab.rtp import tone
from tests.live.callback_kit import (
    CUSTOMER_HZ,
    FIRST,
    MOBILE,
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
from tests.live.crash_kit import guest
from tests.live.freeswitch_kit import why_none

pytestmark = [pytest.mark.live, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="module")]

SESSION = (("Supported", "timer"), ("Session-Expires", "120;refresher=uac"))
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
    async with one_test(bed, carrier):
        yield bed


async def test_a_customer_who_is_called_back_has_kept_the_place(stage: FreeswitchStage, carrier: Carrier) -> None:
    async with agent_at(stage, "carol") as (carol, desk):
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
    await agent_first_rings_a_busy_customer_again(stage, carrier)


async def test_the_agent_first_is_let_go_when_the_customer_does_not_answer(
    stage: FreeswitchStage, carrier: Carrier
) -> None:
    await agent_first_is_let_go(stage, carrier)


async def test_a_caller_whose_sound_stops_keeps_the_place(stage: FreeswitchStage) -> None:
    await silence_keeps_the_place(stage)


async def test_a_name_full_of_commands_is_a_name_to_all_who_see_it(stage: FreeswitchStage, tmp_path: Path) -> None:
    """From the trunk over the queue, the agent's phone and the desk to the end of the talk."""
    trap = tmp_path / "trap"
    run = f"${{system(touch {trap})}}"
    name = f"Eve {run}%0A%0AEvent-Name: CHANNEL_HANGUP%0A[a={run}]{{b='{run}'}},<c>\\{run}"
    async with agent_at(stage, "carol") as (carol, desk), Caller(ani=SECOND, name=name) as caller:
        await desk.set_presence("available")
        call = await caller.dial("6101", (stage.pbx.host, stage.pbx.sip_port))
        await carol.answer()
        await hear_each_other(call, carol)
        pop = await desk.popped()
        shown = pop.call["caller_name"]
        assert shown.startswith("Eve ") and "Event-Name: CHANNEL_HANGUP" in shown and shown.isprintable()
        await carol.hang_up()
        await hung_up(call)
    assert not trap.exists()
    assert [end for (end,) in rows(stage, "SELECT \"end\" FROM offers WHERE queue = 'customer'")][-1] == "served"


@pytest.mark.soak  # FreeSWITCH takes no session shorter than 120 s, and ends it after nine tenths of that
@pytest.mark.timeout(180)
async def test_a_session_that_is_not_renewed_is_cut_off_and_not_hung_up(stage: FreeswitchStage) -> None:
    async with Caller(ani=FIRST, name="Ida") as caller, asyncio.timeout(150):
        call = caller.place("6104", (stage.pbx.host, stage.pbx.sip_port), SESSION)
        await becomes(stage, places(FIRST), [("waiting", "call")])
        end = await call.ended
        await becomes(stage, places(FIRST), [("away", "cut_off")])
    assert end.by == "pbx" and end.at_s > 90


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
