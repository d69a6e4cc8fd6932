"""Callers who wait and agents who are rung, on a real Asterisk with real SIP phones on both sides: each way a ring
can end, what is heard meanwhile, who is told of it, and how fast.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from cordboard.errors import LabError, SwitchUnavailable
from cordboard.lab.caller import Caller
from cordboard.lab.rtp import tone
from cordboard.lab.sip_phone import SipPhone
from cordboard.telephony.outcomes import Done, HungUp
from cordboard.telephony.ports import AgentLeg, DeviceState
from cordboard.telephony.verbs import Hold, Play
from tests.live.queueing_kit import (
    MUSIC,
    PLACE,
    SPOKEN,
    Bench,
    Line,
    bench_ready,
    longest_silence_s,
    loudest_hz,
    share_of_music,
)

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

AT_ONCE_S = 0.05
MUSIC_GAP_S = 0.1
SAMPLES = 3


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench() -> AsyncIterator[Bench]:
    async with bench_ready() as bench:
        yield bench


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def no_call_is_left(bench: Bench) -> AsyncIterator[None]:
    yield
    await bench.wait_for_no_channels()


# -- how a ring ends --


async def answer(agent: SipPhone, then: str = "") -> None:
    """Pick up, and press a key when the whisper has begun. A key that ends the call is not waited for."""
    await agent.incoming()
    await agent.answer()
    if then:
        await asyncio.sleep(0.1)
        with contextlib.suppress(LabError):
            await agent.press(then)


async def reject(agent: SipPhone, status: int) -> None:
    await agent.incoming()
    await agent.reject(status)


async def leave_whisper(agent: SipPhone) -> None:
    await answer(agent)
    await asyncio.sleep(0.1)
    await agent.hang_up()


async def nothing(agent: SipPhone) -> None:
    await agent.incoming()


Act = Callable[[SipPhone], Awaitable[None]]
REFUSED: list[tuple[str, Act, str, list[str]]] = [
    ("486", lambda agent: reject(agent, 486), "busy", ["ringing", "gone"]),
    ("603", lambda agent: reject(agent, 603), "rejected", ["ringing", "gone"]),
    ("480", lambda agent: reject(agent, 480), "unavailable", ["ringing", "gone"]),
    ("404", lambda agent: reject(agent, 404), "unavailable", ["ringing", "gone"]),
    ("500", lambda agent: reject(agent, 500), "unavailable", ["ringing", "gone"]),
    ("rings-out", nothing, "no_answer", ["ringing", "gone"]),
    ("another-key", lambda agent: answer(agent, "2"), "declined", ["ringing", "answered", "gone"]),
    ("hash", lambda agent: answer(agent, "#"), "declined", ["ringing", "answered", "gone"]),
    ("no-key", answer, "no_key", ["ringing", "answered", "gone"]),
    ("leaves-whisper", leave_whisper, "left_whisper", ["ringing", "answered", "gone"]),
]


@pytest.mark.parametrize(("act", "result", "kinds"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_a_refused_offer_says_why_and_the_caller_waits_on(
    bench: Bench, act: Act, result: str, kinds: list[str]
) -> None:
    async with bench.agent("1001") as agent, bench.caller() as line:
        offer = await line.ring("1001", ring_s=1, whisper=SPOKEN if result == "left_whisper" else None)
        rung, _ = await asyncio.gather(line.rung(), act(agent))
        assert (rung.result, rung.joined_at) == (result, None)
        assert abs(rung.ended_at - time.time()) < 2
        await bench.told.leg(offer, "gone")
        assert bench.told.kinds(offer) == kinds
        assert await line.phone.stay(0.1, PLACE) is None


async def test_a_phone_that_is_not_registered_never_rings(bench: Bench) -> None:
    async with bench.caller() as line:
        offer = await line.ring("1009")
        assert (await line.rung()).result == "unregistered"
        assert bench.told.kinds(offer) == []
    async with bench.agent("1001") as agent, bench.caller() as line:
        await agent.unregister()
        await line.ring("1001")
        assert (await line.rung()).result == "unregistered"


async def test_a_dead_phone_is_no_answer(bench: Bench) -> None:
    async with bench.agent("1002") as agent, bench.caller() as line:
        agent.go_dead()
        offer = await line.ring("1002", ring_s=1)
        assert (await line.rung()).result == "no_answer"
        await bench.told.leg(offer, "gone")


async def not_even_rung(agent: SipPhone) -> None:
    """The event comes before the phone has heard of the call."""


@pytest.mark.parametrize(("kind", "act"), [("ringing", not_even_rung), ("ringing", nothing), ("answered", answer)])
async def test_an_offer_ended_over_the_manager_link_was_withdrawn(bench: Bench, kind: str, act: Act) -> None:
    async with bench.agent("1001") as agent, bench.caller() as line:
        offer = await line.ring("1001", whisper=SPOKEN)
        await act(agent)
        _, event = await bench.told.leg(offer, kind)
        assert await bench.switch.hang_up(event.leg_id)
        assert (await line.rung()).result == "withdrawn"
        await bench.told.leg(offer, "gone")


@pytest.mark.parametrize(("accept_key", "whisper"), [("1", None), ("#", SPOKEN), ("", None), ("", SPOKEN)])
async def test_an_accepted_offer_joins_the_two(bench: Bench, accept_key: str, whisper: object) -> None:
    async with bench.agent("1001") as agent, bench.caller() as line:
        offer = await line.ring("1001", accept_key=accept_key, whisper=whisper)
        await answer(agent, accept_key)
        _, joined = await bench.told.leg(offer, "joined")
        legs = await bench.switch.agent_legs()
        assert legs == [AgentLeg(offer, joined.leg_id, joined.caller_leg_id, joined.at)]
        assert joined.caller_leg_id == line.phone.arrival.call.leg_id
        await agent.hang_up()
        rung = await line.rung()
        assert (rung.result, rung.joined_at) == ("joined", joined.at)
        assert rung.ended_at > joined.at
        assert (await bench.told.leg(offer, "gone"))[1].ended_by == "agent"
        assert bench.told.kinds(offer) == ["ringing", "answered", "joined", "gone"]
        assert await bench.switch.agent_legs() == []


async def test_an_offer_after_a_failed_one_knows_nothing_of_it(bench: Bench) -> None:
    async with bench.agent("1001") as agent, bench.caller() as line:
        await line.ring("1001")
        await asyncio.gather(line.rung(), answer(agent, "2"))
        await line.ring("1001")
        await asyncio.gather(line.rung(), reject(agent, 603))
        await line.ring("1001", ring_s=1)
        rung = await line.rung()
        assert (rung.result, rung.joined_at) == ("no_answer", None)
        await line.ring("1009")
        assert (await line.rung()).result == "unregistered"


# -- what is heard --


async def test_no_gap_is_heard_from_hold_through_failed_rings_to_the_next_worker(bench: Bench) -> None:
    async with bench.agent("1001") as agent, bench.agent("1002"), bench.caller() as line:
        await asyncio.sleep(0.3)
        began_s = line.call.now_s
        assert await line.phone.stay(0.4, PLACE) is None
        await line.ring("1001")
        await asyncio.gather(line.rung(), reject(agent, 603))
        assert await line.phone.stay(0.4, PLACE) is None
        await line.ring("1002", ring_s=1)
        assert (await line.rung()).result == "no_answer"
        assert await line.phone.stay(0.4, PLACE) is None
        await line.phone.hand_over(PLACE)
        await line.next_phone()
        assert await line.phone.perform(Hold(MUSIC), PLACE) == Done()
        assert await line.phone.stay(0.4, PLACE) is None
        assert longest_silence_s(line.call, began_s, line.call.now_s - 0.1) <= MUSIC_GAP_S
        heard = line.call.heard.samples(began_s, line.call.now_s - 0.1)
        assert share_of_music(heard, bench.music) > 0.9  # a piece in which the music begins anew counts as none


async def test_the_two_hear_each_other_and_no_music(bench: Bench) -> None:
    async with bench.agent("1001") as agent, bench.caller() as line:
        agent.speak(tone(1000, 1.0))
        line.call.speak(tone(440, 1.0), repeat=True)
        offer = await line.ring("1001", accept_key="")
        await answer(agent)
        await bench.told.leg(offer, "joined")
        await asyncio.sleep(0.6)
        at_caller, at_agent = line.call.heard, agent.leg.heard
        assert abs(loudest_hz(at_caller.samples(at_caller.end_s - 0.3)) - 1000) < 20
        assert abs(loudest_hz(at_agent.samples(at_agent.end_s - 0.3)) - 440) < 20


async def test_only_the_agent_hears_the_whisper(bench: Bench) -> None:
    async with bench.agent("1001") as agent, bench.caller() as line:
        began_s = line.call.now_s + 0.1
        await line.ring("1001", whisper=SPOKEN)
        await answer(agent)
        await asyncio.sleep(1.0)
        heard = agent.leg.heard
        assert longest_silence_s(agent.leg, heard.end_s - 0.8, heard.end_s) < 0.3
        assert longest_silence_s(line.call, began_s, line.call.now_s - 0.1) <= MUSIC_GAP_S
        await agent.hang_up()
        await line.rung()


# -- callers who leave --


async def test_a_caller_who_leaves_while_waiting_is_noticed_and_told_to_nobody_else(bench: Bench) -> None:
    async with bench.caller() as line:
        staying = asyncio.ensure_future(line.phone.stay(10, PLACE))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await line.call.hang_up()
        assert await staying == HungUp()
        assert time.monotonic() - began < 5
        await bench.wait_for_no_channels()
        assert line.phones.empty()


@pytest.mark.parametrize("kind", ["ringing", "answered"])
async def test_when_the_caller_leaves_the_agents_phone_stops_at_once(bench: Bench, kind: str) -> None:
    took: list[float] = []
    async with bench.agent("1001") as agent:
        for _ in range(SAMPLES):
            async with bench.caller() as line:
                offer = await line.ring("1001", whisper=SPOKEN)
                await (answer(agent) if kind == "answered" else nothing(agent))
                await bench.told.leg(offer, kind)
                began = time.monotonic()
                await line.call.hang_up()
                stopped = await agent.closed()
                assert stopped.closed_at is not None
                took.append(stopped.closed_at - began)
                assert (await line.rung()).result == "caller_left"
                assert line.phone.arrival.ended
                await bench.told.leg(offer, "gone")
                assert line.phone.arrival.call.leg_id in bench.told.hangups
    assert statistics.median(took) < AT_ONCE_S, took


async def test_a_caller_who_ends_the_talk_was_served(bench: Bench) -> None:
    async with bench.agent("1001") as agent, bench.caller() as line:
        offer = await line.ring("1001")
        await answer(agent, "1")
        await bench.told.leg(offer, "joined")
        await line.call.hang_up()
        assert (await line.rung()).result == "joined"
        assert line.phone.arrival.ended
        assert (await bench.told.leg(offer, "gone"))[1].ended_by == "caller"


# -- agents who transfer --


async def talk(bench: Bench, line: Line, agent: SipPhone) -> str:
    """Have caller and agent talk; the offer's id. The event comes before the bridge, which a transfer needs."""
    ami = bench.pbx.ami
    await ami.send("Events", EventMask="call")
    async with ami.listen("BridgeEnter") as entered, asyncio.timeout(5):
        offer = await line.ring("1001", accept_key="")
        await answer(agent)
        await entered.get()
        await entered.get()
    await ami.send("Events", EventMask="off")
    await bench.told.leg(offer, "joined")
    return offer


async def test_a_blind_transfer_ends_the_agents_part(bench: Bench) -> None:
    async with bench.agent("1001") as agent, bench.caller() as line:
        offer = await talk(bench, line, agent)
        assert await agent.transfer_blind("7000") == 200
        assert (await bench.told.leg(offer, "gone"))[1].ended_by == "blind_transfer"
        assert await bench.switch.agent_legs() == []
        assert line.call.end is None
        assert line.phones.empty()  # the caller is where the agent sent them, and with no worker


async def test_an_attended_transfer_ends_the_agents_part(bench: Bench) -> None:
    async with bench.agent("1001") as agent, bench.agent("1002") as other, bench.caller() as line:
        offer = await talk(bench, line, agent)
        await asyncio.gather(agent.consult("1002"), other.answer_after(0.0))
        assert await agent.transfer_attended() == 200
        gone_at, gone = await bench.told.leg(offer, "gone")
        assert gone.ended_by == "attended_transfer"
        assert await bench.switch.agent_legs() == []
        assert line.call.end is None
        await other.hang_up()
        # Asterisk makes one bridge of two. If it keeps the caller's, the call comes back after the second talk;
        # if the other one, the call ends with it.
        back = asyncio.ensure_future(line.rung())
        await asyncio.wait(
            {back, asyncio.ensure_future(line.call.ended)}, timeout=6.0, return_when="FIRST_COMPLETED"
        )
        assert line.call.end is not None or back.result().result == "joined"
        back.cancel()
        await asyncio.gather(back, return_exceptions=True)
        assert gone_at < time.monotonic()


# -- workers who let go, or hang --


async def test_letting_go_stops_an_announcement_and_brings_the_call_back_at_once(bench: Bench) -> None:
    took: list[float] = []
    async with bench.caller() as line:
        for _ in range(SAMPLES):
            playing = asyncio.ensure_future(line.phone.perform(Play((SPOKEN, SPOKEN)), PLACE))
            await asyncio.sleep(0.3)
            began = time.monotonic()
            line.phone.let_go()
            with pytest.raises(SwitchUnavailable):
                await playing
            await line.next_phone()
            took.append(time.monotonic() - began)
            assert line.phone.arrival.checkpoint == PLACE
        stopped_s = line.call.now_s
        assert await line.phone.stay(0.5, PLACE) is None
        assert longest_silence_s(line.call, stopped_s, line.call.now_s) > 0.3
    assert statistics.median(took) < AT_ONCE_S, took


async def test_letting_go_while_the_music_plays_leaves_the_music_playing(bench: Bench) -> None:
    async with bench.caller() as line:
        assert await line.phone.stay(0.3, PLACE) is None
        began_s = line.call.now_s
        line.phone.let_go()
        await line.next_phone(1.0)
        assert await line.phone.stay(0.3, PLACE) is None
        assert longest_silence_s(line.call, began_s, line.call.now_s - 0.1) <= MUSIC_GAP_S


async def test_an_offer_made_while_the_caller_stays_rings_at_once(bench: Bench) -> None:
    took: list[float] = []
    async with bench.agent("1001") as agent, bench.caller() as line:
        for _ in range(SAMPLES):
            staying = asyncio.ensure_future(line.phone.stay(10, PLACE))
            await asyncio.sleep(0.1)
            staying.cancel()
            await asyncio.gather(staying, return_exceptions=True)
            began = time.monotonic()
            await line.ring("1001")
            took.append((await agent.incoming()).began_at - began)
            await reject(agent, 486)
            await line.rung()
    assert statistics.median(took) < AT_ONCE_S, took


async def test_an_agent_who_picks_up_is_joined_at_once(bench: Bench) -> None:
    took: list[float] = []
    async with bench.agent("1001") as agent, bench.caller() as line:
        for _ in range(SAMPLES):
            offer = await line.ring("1001", accept_key="")
            await agent.incoming()
            began = time.monotonic()
            await agent.answer()
            joined_at, _ = await bench.told.leg(offer, "joined")
            took.append(joined_at - began)
            await agent.hang_up()
            await line.rung()
    assert statistics.median(took) < AT_ONCE_S, took


async def be_taken_from_a_worker_that_hangs(line: Line) -> None:
    hung = line.phone
    assert await hung.stay(0.05, PLACE) is None  # and then nothing, like a process that was stopped
    began, began_s = time.monotonic(), line.call.now_s + 0.3
    await line.next_phone(12.0)
    assert 9.0 < time.monotonic() - began < 16.0
    assert line.phone.arrival.checkpoint == PLACE
    assert line.phone.arrival.call == hung.arrival.call
    with pytest.raises(SwitchUnavailable):
        await hung.stay(1.0, PLACE)
    assert await line.phone.stay(0.2, PLACE) is None
    assert longest_silence_s(line.call, began_s, line.call.now_s - 0.1) <= 2 * MUSIC_GAP_S


async def stay_with_a_worker_that_works(line: Line) -> None:
    assert await line.phone.stay(11.0, PLACE) is None
    assert line.phones.empty()
    assert await line.phone.perform(Hold(MUSIC), PLACE) == Done()


async def test_the_timer_takes_waiting_callers_from_a_worker_that_hangs_and_from_no_other(bench: Bench) -> None:
    async with bench.caller() as one, bench.caller() as other:
        await asyncio.gather(be_taken_from_a_worker_that_hangs(one), stay_with_a_worker_that_works(other))


# -- what else the manager link tells --


async def test_devices_tell_their_state(bench: Bench) -> None:
    async with bench.agent("1003") as agent, bench.caller() as line:
        await line.ring("1003", ring_s=1)
        await agent.incoming()
        await agent.reject()
        await line.rung()
        await agent.unregister()
        while ("PJSIP/1003", DeviceState.UNAVAILABLE) not in bench.told.devices:
            await asyncio.sleep(0.02)
    states = [state for device, state in bench.told.devices if device == "PJSIP/1003"]
    assert states[0] is DeviceState.IDLE
    assert {DeviceState.RINGING, DeviceState.BUSY} & set(states)
    assert states[-1] is DeviceState.UNAVAILABLE


HOSTILE = [
    "1\r\nUniqueid: forged",
    "1\r\nActionID: 7\r\nActionID: 8",
    "1\r\n\r\nEvent: UserEvent\r\nUserEvent: CordboardAgent\r\nKind: gone\r\nOffer: forged\r\nLeg: 1\r\n\r\n",
    "1\r\nEvent: UserEvent\r\nUserEvent: CordboardAgent",
]


@pytest.mark.parametrize("number", HOSTILE)
async def test_a_number_that_is_an_attack_forges_no_event_and_breaks_no_link(bench: Bench, number: str) -> None:
    before = len(bench.told.legs)
    async with Caller(ani=number, host="127.0.0.3") as caller:
        call = await caller.dial("7000", (bench.pbx.host, bench.pbx.sip_port))
        await bench.switch.agent_legs()
        await call.hang_up()
    await bench.wait_for_no_channels()
    await bench.switch.list_legs()
    assert bench.switch.is_connected
    assert bench.told.legs[before:] == []
    assert "forged" not in bench.told.hangups
