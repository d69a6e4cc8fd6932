"""Several agents who are rung at once, on a real Asterisk with real SIP phones: each has to accept for itself, the
first who does has the caller, the others stop, and what came of every phone is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cordboard.errors import LabError
from cordboard.lab.rtp import tone
from cordboard.lab.sip_phone import SipPhone
from cordboard.telephony.outcomes import AgentRung
from cordboard.telephony.ports import AgentLeg
from cordboard.telephony.verbs import MAX_TARGETS, AgentPhone
from tests.live.queueing_kit import MUSIC, PLACE, SPOKEN, Bench, Line, bench_ready, longest_silence_s, loudest_hz

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

SOON_S = 5.0  # on a machine that has other things to do
LONG_S = 30.0  # as long as that it would be, if nothing put an end to it
SAMPLES = 3


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench() -> AsyncIterator[Bench]:
    async with bench_ready() as bench:
        yield bench


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def no_call_is_left(bench: Bench) -> AsyncIterator[None]:
    yield
    await bench.wait_for_no_channels()


async def ring(line: Line, *extensions: str, **more: object) -> list[str]:
    """Ring these phones at once; their offers' ids, in that order."""
    first, *others = extensions
    also = tuple(AgentPhone(f"{first}-{line.bench.numbers.__next__()}", f"PJSIP/{other}") for other in others)
    offer = await line.ring(first, also=also, **more)
    return [offer, *(phone.offer_id for phone in also)]


async def rung(line: Line) -> tuple[AgentRung, dict[str, str]]:
    """What came of it: of who was joined (or the first), and of every offer."""
    returned = (await line.next_phone(10.0)).arrival.returned
    assert isinstance(returned, AgentRung)
    return returned, {one.offer_id: one.result for one in (returned, *returned.others)}


async def pick_up(agent: SipPhone, key: str = "") -> None:
    await agent.incoming()
    await agent.answer()
    if key:
        await asyncio.sleep(0.1)
        with contextlib.suppress(LabError):
            await agent.press(key)


async def test_who_accepts_first_has_the_caller_and_the_others_stop_ringing_at_once(bench: Bench) -> None:
    took: list[float] = []
    async with bench.agent("1001") as alice, bench.agent("1002") as bob, bench.agent("1003") as carol:
        for _ in range(SAMPLES):
            async with bench.caller() as line:
                offers = await ring(line, "1001", "1002", "1003", ring_s=LONG_S)
                await asyncio.gather(alice.incoming(), carol.incoming())
                await pick_up(bob, "1")
                joined_at, event = await bench.told.leg(offers[1], "joined")
                for other in (alice, carol):
                    stopped = await other.closed()
                    assert stopped.closed_at is not None
                    took.append(stopped.closed_at - joined_at)
                legs = await bench.switch.agent_legs()
                assert legs == [
                    AgentLeg(offers[1], event.leg_id, line.phone.arrival.call.leg_id, legs[0].joined_at)
                ]
                await bob.hang_up()
                first, results = await rung(line)
                assert (first.offer_id, first.joined_at) == (offers[1], event.at)
                assert results == {offers[0]: "taken", offers[1]: "joined", offers[2]: "taken"}
                assert await line.phone.stay(0.1, PLACE) is None, "the caller is back, and waits"
    assert statistics.median(took) < SOON_S, took


async def test_a_mailbox_that_picks_up_does_not_win_and_does_not_stop_the_others(bench: Bench) -> None:
    async with bench.agent("1001") as mailbox, bench.agent("1002") as bob, bench.caller() as line:
        offers = await ring(line, "1001", "1002", whisper=SPOKEN, accept_s=LONG_S, ring_s=LONG_S)
        await pick_up(mailbox)
        await bench.told.leg(offers[0], "answered")
        await asyncio.sleep(0.5)
        began = time.monotonic()
        await pick_up(bob, "1")
        await bench.told.leg(offers[1], "joined")
        await mailbox.closed()
        assert time.monotonic() - began < SOON_S, "who listens to the whisper is not kept until its end"
        await bob.hang_up()
        _, results = await rung(line)
        assert results == {offers[0]: "taken", offers[1]: "joined"}
        assert "joined" not in bench.told.kinds(offers[0])


async def test_each_phone_has_its_own_accept_step(bench: Bench) -> None:
    async with bench.agent("1001") as alice, bench.agent("1002") as bob, bench.caller() as line:
        offers = await ring(line, "1001", "1002", ring_s=10)
        await pick_up(alice, "2")
        _, refused = await bench.told.leg(offers[0], "refused")
        assert refused.result == "declined"
        await pick_up(bob)
        _, refused = await bench.told.leg(offers[1], "refused")
        assert refused.result == "no_key"
        _, results = await rung(line)
        assert results == {offers[0]: "declined", offers[1]: "no_key"}


async def test_of_two_who_press_in_the_same_moment_one_is_joined(bench: Bench) -> None:
    async with bench.agent("1001") as alice, bench.agent("1002") as bob:
        for _ in range(SAMPLES):
            async with bench.caller() as line:
                offers = await ring(line, "1001", "1002", accept_s=5)
                await asyncio.gather(pick_up(alice), pick_up(bob))
                for offer in offers:
                    await bench.told.leg(offer, "answered")
                await asyncio.sleep(0.1)
                with contextlib.suppress(LabError):
                    await asyncio.gather(alice.press("1"), bob.press("1"))
                stopped = {asyncio.ensure_future(alice.closed()): 0, asyncio.ensure_future(bob.closed()): 1}
                (first, *_), others = await asyncio.wait(stopped, timeout=10.0, return_when="FIRST_COMPLETED")
                (going_on,) = others
                going_on.cancel()
                await bench.told.leg(offers[stopped[going_on]], "joined")
                assert "joined" not in bench.told.kinds(offers[stopped[first]])
                await (alice, bob)[stopped[going_on]].hang_up()
                _, results = await rung(line)
                assert results[offers[stopped[going_on]]] == "joined"
                assert sorted(results.values()) == ["joined", "taken"]


async def test_a_phone_that_refuses_says_so_at_once_while_the_others_ring_on(bench: Bench) -> None:
    async with bench.agent("1001") as alice, bench.agent("1002") as bob, bench.caller() as line:
        offers = await ring(line, "1001", "1002", "1009", ring_s=3)
        await bob.incoming()
        await (await alice.incoming(), alice)[1].reject(603)
        for offer, result in ((offers[0], "rejected"), (offers[2], "unregistered")):
            _, refused = await bench.told.leg(offer, "refused")
            assert (refused.result, refused.leg_id) == (result, "")
        assert line.phones.empty(), "the call is with no worker, as somebody is rung still"
        first, results = await rung(line)
        assert first.joined_at is None
        assert results == dict(zip(offers, ("rejected", "no_answer", "unregistered"), strict=True))
        assert longest_silence_s(line.call, line.call.now_s - 1.0, line.call.now_s - 0.1) < 0.2, "music goes on"


async def test_when_the_caller_leaves_all_phones_stop(bench: Bench) -> None:
    async with bench.agent("1001") as alice, bench.agent("1002") as bob, bench.caller() as line:
        offers = await ring(line, "1001", "1002", whisper=SPOKEN, accept_s=LONG_S, ring_s=LONG_S)
        await bob.incoming()
        await pick_up(alice)
        await bench.told.leg(offers[0], "answered")
        began = time.monotonic()
        await line.call.hang_up()
        await asyncio.gather(alice.closed(), bob.closed())
        assert time.monotonic() - began < SOON_S
        first, results = await rung(line)
        assert set(results.values()) == {"caller_left"}
        assert first.joined_at is None and line.phone.arrival.ended


async def test_without_a_key_who_picks_up_first_talks_and_both_are_heard(bench: Bench) -> None:
    async with bench.agent("1001") as alice, bench.agent("1002") as bob, bench.caller() as line:
        alice.speak(tone(1000, 1.0))
        line.call.speak(tone(440, 1.0), repeat=True)
        offers = await ring(line, "1001", "1002", accept_key="", music=MUSIC)
        await bob.incoming()
        await pick_up(alice)
        await bench.told.leg(offers[0], "joined")
        await bob.closed()
        await asyncio.sleep(0.6)
        at_caller, at_agent = line.call.heard, alice.leg.heard
        assert abs(loudest_hz(at_caller.samples(at_caller.end_s - 0.3)) - 1000) < 20
        assert abs(loudest_hz(at_agent.samples(at_agent.end_s - 0.3)) - 440) < 20
        await line.call.hang_up()
        first, results = await rung(line)
        assert (first.result, results[offers[1]]) == ("joined", "taken")


async def test_as_many_phones_as_are_rung_at_once_all_say_what_came_of_them(bench: Bench) -> None:
    async with bench.caller() as line:
        offers = await ring(line, *["1009"] * MAX_TARGETS)
        _, results = await rung(line)
        assert results == dict.fromkeys(offers, "unregistered")
