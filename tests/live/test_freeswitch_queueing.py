"""Callers who wait and agents who are rung, on a real FreeSWITCH with real SIP phones on both sides."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from cordboard.errors import LabError, SwitchUnavailable
from cordboard.lab.sip_phone import SipPhone
from cordboard.telephony.outcomes import AgentRung, Done, HandedOver, HungUp
from cordboard.telephony.ports import DeviceState
from cordboard.telephony.verbs import Hold
from esl_apps.events import EslEvent
from esl_apps.rescue import rescue_callers
from esl_apps.variables import ACCEPT_S
from tests.live.freeswitch_queueing_kit import MUSIC, PLACE, SOON_S, WHISPER, Bench, bench_ready

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench() -> AsyncIterator[Bench]:
    async with bench_ready() as bench:
        yield bench


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def no_call_is_left(bench: Bench) -> AsyncIterator[None]:
    yield
    await bench.pbx.wait_for_no_channels()


async def answer(agent: SipPhone, key: str = "") -> None:
    """Pick up, and press a key once the whisper has begun."""
    await agent.incoming()
    await agent.answer()
    if key:
        await asyncio.sleep(0.2)
        with contextlib.suppress(LabError):  # one that ends the call is not heard to its end
            await agent.press(key)


async def reject(agent: SipPhone, status: int) -> None:
    await agent.incoming()
    await agent.reject(status)


async def refuse(agent: SipPhone) -> None:
    await agent.reject(603)


async def nothing(agent: SipPhone) -> None:
    await agent.incoming()


async def leave_whisper(agent: SipPhone) -> None:
    await answer(agent)
    await asyncio.sleep(0.2)
    await agent.hang_up()


Act = Callable[[SipPhone], Awaitable[None]]
REFUSED: dict[str, tuple[Act, str]] = {
    "486": (lambda agent: reject(agent, 486), "busy"),
    "603": (lambda agent: reject(agent, 603), "rejected"),
    "480": (lambda agent: reject(agent, 480), "unavailable"),
    "404": (lambda agent: reject(agent, 404), "unavailable"),
    "rings-out": (nothing, "no_answer"),
    "another-key": (lambda agent: answer(agent, "2"), "declined"),
    "no-key": (answer, "no_key"),
    "leaves-whisper": (leave_whisper, "left_whisper"),
}


async def test_a_refused_offer_says_why_and_the_caller_waits_on(bench: Bench) -> None:
    async with bench.agent("1001") as agent, bench.caller() as line:
        for act, result in REFUSED.values():
            ringing = line.ring("1001", ring_s=1, whisper=WHISPER)
            await act(agent)
            rung = await ringing
            assert isinstance(rung, AgentRung)
            assert (rung.offer_id, rung.result, rung.joined_at) == (line.offers[-1], result, None)
            assert await line.phone.stay(0.05, PLACE) is None


async def test_an_agent_who_accepts_talks_and_the_caller_comes_back(bench: Bench) -> None:
    async with bench.agent("1001") as agent, bench.caller() as line:
        ringing = line.ring("1001", whisper=WHISPER)
        await answer(agent, "1")
        assert await ringing == HandedOver()
        _, joined = await bench.told.leg(line.offers[-1], "joined", SOON_S)
        await agent.hang_up()
        rung = await line.returned()
        assert (rung.offer_id, rung.result) == (line.offers[-1], "joined")
        assert rung.joined_at is not None and abs(rung.joined_at - joined.at) < 1.0
        assert line.phone.arrival.checkpoint == PLACE
        _, gone = await bench.told.leg(line.offers[-1], "gone", SOON_S)
        assert gone.ended_by == "agent"


async def test_an_agents_phone_passes_the_caller_on_to_where_it_may_dial(bench: Bench) -> None:
    async with bench.agent("1001") as agent, bench.agent("1003") as colleague, bench.caller() as line:
        ringing = line.ring("1001", whisper=WHISPER)
        await answer(agent, "1")
        assert await ringing == HandedOver()
        await bench.told.leg(line.offers[-1], "joined", SOON_S)
        assert await agent.transfer_blind("1003") in (200, 202)
        await colleague.incoming()
        _, gone = await bench.told.leg(line.offers[-1], "gone", SOON_S)
        assert gone.ended_by == "blind_transfer"
        await colleague.answer()
        await colleague.hang_up()
        async with asyncio.timeout(SOON_S):
            assert (await line.call.ended).by == "pbx", "the flow has nothing more to do with them"


async def test_who_is_not_registered_is_told_from_who_does_not_answer(bench: Bench) -> None:
    async with bench.caller() as line:
        rung = await line.ring("1009")
        assert isinstance(rung, AgentRung) and rung.result == "unregistered"


async def test_the_caller_leaves_while_it_rings_and_in_the_whisper(bench: Bench) -> None:
    for until in (nothing, answer):
        async with bench.agent("1002") as agent, bench.caller() as line:
            ringing = line.ring("1002", whisper=WHISPER)
            await until(agent)
            await line.call.hang_up()
            assert isinstance(await ringing, HungUp)
            await agent.closed()


async def test_the_caller_leaves_the_talk_and_the_agents_leg_ends_with_it(bench: Bench) -> None:
    async with bench.agent("1002") as agent, bench.caller() as line:
        ringing = line.ring("1002")
        await answer(agent, "1")
        assert await ringing == HandedOver()
        ends: asyncio.Queue[EslEvent] = asyncio.Queue()
        bench.workers[0].switch.on_left_alone(ends.put_nowait)
        await line.call.hang_up()
        _, gone = await bench.told.leg(line.offers[-1], "gone", SOON_S)
        assert gone.ended_by == "caller"
        async with asyncio.timeout(SOON_S):
            await bench.workers[0].server.take_ended(await ends.get())
        phone = await line.next_phone()
        assert phone.arrival.ended
        assert isinstance(phone.arrival.returned, AgentRung) and phone.arrival.returned.result == "joined"


async def test_of_several_agents_the_first_gets_the_caller_and_the_others_stop(bench: Bench) -> None:
    async with bench.agent("1001") as first, bench.agent("1002") as second, bench.caller() as line:
        ringing = line.ring("1001", "1002", whisper=WHISPER)
        await asyncio.gather(first.incoming(), second.incoming())
        await second.answer()
        await asyncio.sleep(0.2)
        await second.press("1")
        assert await ringing == HandedOver()
        await first.closed()
        _, refused = await bench.told.leg(line.offers[0], "refused", SOON_S)
        assert refused.result == "taken"
        await second.hang_up()
        assert (await line.returned()).offer_id == line.offers[1]


async def test_of_two_agents_who_accept_in_the_same_moment_one_has_the_caller(bench: Bench) -> None:
    """Both go to the joining within one frame, by a command each."""
    async with bench.agent("1001") as first, bench.agent("1002") as second:
        for _ in range(6):  # in one of them at least it is close enough
            async with bench.caller() as line:
                ringing = line.ring("1001", "1002", accept_s=8, whisper=WHISPER)
                await asyncio.gather(answer(first), answer(second))
                offers = line.offers
                await asyncio.gather(*(bench.told.leg(offer, "answered", SOON_S) for offer in offers))
                joins = (f"uuid_transfer offer-{offer} join XML cordboard-agent" for offer in offers)
                await asyncio.gather(*(bench.pbx.command(join) for join in joins))
                assert await ringing == HandedOver()
                lost = [
                    await refusal_of(bench, offer) for offer in offers if "joined" not in bench.told.kinds(offer)
                ]
                assert lost == ["taken"], "no fault of theirs"
                agents = dict(zip(offers, (first, second), strict=True))
                [won] = [offer for offer in offers if "joined" in bench.told.kinds(offer)]
                await agents[won].hang_up()
                rung = await line.returned()
                assert (rung.offer_id, rung.result) == (won, "joined")
                await line.call.hang_up()


async def test_with_neither_whisper_nor_key_who_picks_up_first_has_the_caller(bench: Bench) -> None:
    """The leg goes straight to the joining, and the talk needs no worker from then on."""
    async with bench.agent("1001") as first, bench.agent("1002") as second, bench.caller() as line:
        ringing = line.ring("1001", "1002", accept_key="")
        await asyncio.gather(answer(first), answer(second), return_exceptions=True)  # one may be too late
        assert await ringing == HandedOver()
        agents = dict(zip(line.offers, (first, second), strict=True))
        [won] = [offer for offer in agents if "joined" in bench.told.kinds(offer)]
        [lost] = agents.keys() - {won}
        assert await refusal_of(bench, lost) == "taken"
        await bench.replace_worker()
        await agents[won].hang_up()
        rung = await line.returned()
        assert (rung.offer_id, rung.result) == (won, "joined")
        assert line.phone.arrival.checkpoint == PLACE


async def refusal_of(bench: Bench, offer: str) -> str:
    _, refused = await bench.told.leg(offer, "refused", SOON_S)
    return refused.result


# -- the worker dies --


async def test_the_next_worker_takes_a_ringing_phone_over(bench: Bench) -> None:
    """`test_freeswitch_crash_safety` shows those that are picked up; this one is not, and that takes longer than a
    worker has for its first word.
    """
    async with bench.agent("1003") as agent, bench.caller() as line:
        ringing = line.ring("1003", ring_s=20, whisper=WHISPER)
        await agent.incoming()
        await bench.replace_worker()
        with pytest.raises(SwitchUnavailable):
            await ringing
        await asyncio.sleep(ACCEPT_S + 2.0)  # the caller is with the other worker, which is not told so
        await refuse(agent)
        assert (await line.returned()).result == "rejected"


async def test_the_end_of_a_connection_which_a_call_has_left_ends_nothing(bench: Bench) -> None:
    """As of a worker that was stopped until FreeSWITCH gave its call to another one."""
    async with bench.caller() as line:
        first, leg_id = line.phone, line.phone.arrival.call.leg_id
        await bench.pbx.command(f"uuid_transfer {leg_id} late XML cordboard-call")
        second = await line.next_phone()
        assert await second.perform(Hold(MUSIC), PLACE) == Done()
        await bench.pbx.command(f"uuid_setvar {leg_id} socket_resume true")
        with pytest.raises(SwitchUnavailable):
            await first.perform(Hold(MUSIC), PLACE)
        await first.abandon()
        assert await second.stay(1.0, PLACE) is None


async def test_a_caller_parked_in_silence_is_fetched(bench: Bench) -> None:
    async with bench.caller() as line:
        leg_id = line.phone.arrival.call.leg_id
        await bench.pbx.command(f"uuid_setvar {leg_id} socket_resume false")
        await bench.pbx.command(f"uuid_park {leg_id}")
        line.phone.let_go()
        async with asyncio.timeout(SOON_S):
            while not await rescue_callers(bench.workers[-1].switch, sure_s=0.2):
                pass  # FreeSWITCH lists a channel's state late
        await line.next_phone()
        assert line.phone.arrival.checkpoint == PLACE


async def test_phones_are_known_by_their_state(bench: Bench) -> None:
    switch = bench.workers[-1].switch
    async with bench.agent("1004") as agent, bench.caller() as line:
        states = await switch.device_states()
        for device in ("user/1004", "user/1004@127.0.0.1", "sofia/internal/1004@127.0.0.1"):
            assert states[device] is DeviceState.IDLE
        ringing = line.ring("1004")
        await answer(agent, "1")
        await ringing
        assert (await switch.device_states())["user/1004"] is DeviceState.IN_USE
        [leg] = await switch.agent_legs()
        assert leg.offer_id == line.offers[-1] and leg.joined_at is not None
        assert leg.caller_leg_id == line.phone.arrival.call.leg_id
        await agent.hang_up()
        await line.returned()
