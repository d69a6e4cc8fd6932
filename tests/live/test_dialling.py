"""Ring groups, screening, outside numbers and transfers on a real Asterisk: who rings, and who hears whom then."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cordboard.errors import LabError
from cordboard.lab.call import Call
from cordboard.lab.caller import AnswerPlan, Caller
from cordboard.lab.hearing import Sound, tone_share
from cordboard.lab.rtp import tone
from cordboard.lab.sip_phone import SipPhone
from cordboard.lab.stage import Stage
from tests.live.crash_kit import ANI, Guest, guest

pytestmark = [pytest.mark.live, pytest.mark.timeout(60), pytest.mark.asyncio(loop_scope="module")]

SITE = Path(__file__).parent / "dial_site"
CALLER_HZ, CALLED_HZ = 1100.0, 700.0
DEADLINE_S = 5.0
# What is behind the transfers of the site: a place that says what it knows of the call in its caller id's stead.
DIALPLAN = """\
exten => 7100,1,UserEvent(Arrived,Call: [${CORDBOARD_CALL}],Place: [${CORDBOARD_CP}],Number: ${CALLERID(num)})
 same => n,Playback(${LAB_SOUNDS}/safe-destination)
 same => n,Hangup()
"""


class Carrier:
    """The party that plays the telephone network behind the lab's trunk."""

    def __init__(self, party: Caller) -> None:
        self.party = party
        self.calls: list[Call] = []
        self.came = asyncio.Event()
        party.answer_calls(AnswerPlan(ring_s=0.2, on_call=self._take))

    @property
    def device(self) -> str:
        host, port = self.party.address
        return f"PJSIP/trunk/sip:{{number}}@{host}:{port}"

    def _take(self, call: Call) -> None:
        self.calls.append(call)
        self.came.set()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def carrier() -> AsyncIterator[Carrier]:
    async with Caller(ani="+442079460999", host="127.0.0.9") as party:
        yield Carrier(party)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bed(carrier: Carrier) -> AsyncIterator[Stage]:
    """One test bed for all tests here."""
    async with Stage(
        SITE, workers=2, dialplan=DIALPLAN, settings={"CORDBOARD_OUTSIDE__DEVICE": carrier.device}
    ) as bed:
        yield bed


@pytest_asyncio.fixture(loop_scope="module")
async def stage(bed: Stage) -> AsyncIterator[Stage]:
    bed.journal.entries = [entry for entry in bed.journal.entries if entry["event"] == "worker_ready"]
    yield bed
    await bed.pbx.wait_for_no_channels()
    assert not [entry for entry in bed.journal.entries if entry["level"] in ("error", "critical")]


@pytest_asyncio.fixture(loop_scope="module")
async def alice(stage: Stage) -> AsyncIterator[SipPhone]:
    async with SipPhone("1001", stage.pbx) as phone:
        yield phone


@pytest_asyncio.fixture(loop_scope="module")
async def bob(stage: Stage) -> AsyncIterator[SipPhone]:
    async with SipPhone("1002", stage.pbx) as phone:
        yield phone


async def hear_each_other(caller: Call, called: Call) -> None:
    caller.speak(tone(CALLER_HZ, 0.5), repeat=True)
    called.speak(tone(CALLED_HZ, 0.5), repeat=True)
    await hears(caller, CALLED_HZ)
    await hears(called, CALLER_HZ)


async def hears(call: Call, frequency_hz: float) -> None:
    """Wait for half a second of a tone."""
    arrived = asyncio.Event()
    call.media.on_audio = arrived.set
    async with asyncio.timeout(DEADLINE_S):
        while tone_share(call.heard.samples(max(0.0, call.heard.end_s - 0.5)), frequency_hz) < 0.9:
            arrived.clear()
            await arrived.wait()


async def hears_digits(called: Guest) -> None:
    """Wait for sounds that are no prompt of ours."""
    until_s = called.call.now_s + DEADLINE_S
    while not any(isinstance(event, Sound) for event in called.listener.events):
        assert await called.listener.changed(until_s), called.listener.events


# -- ring groups --


async def test_of_a_group_that_rings_at_once_whoever_picks_up_first_has_the_call(
    stage: Stage, alice: SipPhone, bob: SipPhone
) -> None:
    async with guest(stage, "6100") as caller:
        first = await alice.incoming()
        await bob.answer()
        assert (await alice.closed()).reason == "CANCEL", "the other phone rings no more"
        assert first.established_at is None
        await hear_each_other(caller.call, bob.leg)
        await bob.hang_up()
        await caller.hears("together/talked")


async def test_a_group_that_nobody_of_takes_a_call_goes_the_other_way(
    stage: Stage, alice: SipPhone, bob: SipPhone
) -> None:
    async with guest(stage, "6100") as caller:
        await alice.reject(486)
        await bob.reject(486)
        await caller.hears("together/alone")


async def test_in_turn_the_second_phone_rings_when_the_first_has_had_its_time(
    stage: Stage, alice: SipPhone, bob: SipPhone
) -> None:
    async with guest(stage, "6101") as caller:
        rung = await alice.incoming()
        assert not bob.calls
        await bob.answer()
        assert rung.closed_at is not None and rung.closed_at - rung.began_at > 1.5
        await hear_each_other(caller.call, bob.leg)
        await bob.hang_up()
        await caller.hears("in_turn/talked")


async def test_in_turn_the_reason_is_that_of_who_came_closest(stage: Stage, alice: SipPhone, bob: SipPhone) -> None:
    async with guest(stage, "6101") as caller:
        await alice.incoming()
        await alice.closed()
        await bob.reject(486)
        await caller.hears("in_turn/missed")


# -- screening --


async def test_who_presses_1_is_joined(stage: Stage, alice: SipPhone) -> None:
    async with guest(stage, "6102", ani="2468") as caller:
        await alice.answer()
        heard = Guest(stage, alice.leg)
        await heard.hears("screened/a_call_for.1", whole=True)
        await hears_digits(heard)
        await alice.press("1")
        await hear_each_other(caller.call, alice.leg)
        await alice.hang_up()
        await caller.hears("screened/talked")


@pytest.mark.parametrize("key", ["2", "hang up"])
async def test_who_does_not_accept_is_never_joined(stage: Stage, alice: SipPhone, key: str) -> None:
    async with guest(stage, "6102") as caller:
        caller.call.speak(tone(CALLER_HZ, 0.5), repeat=True)
        await alice.answer()
        await Guest(stage, alice.leg).hears("screened/a_call_for.1")
        with contextlib.suppress(LabError):  # the key is not up again before the call is over
            await (alice.hang_up() if key == "hang up" else alice.press(key))
        await caller.hears("screened/rejected")
        assert tone_share(alice.leg.heard.samples(), CALLER_HZ) < 0.1


async def test_in_a_screened_group_the_others_ring_until_one_accepts(
    stage: Stage, alice: SipPhone, bob: SipPhone
) -> None:
    """A mobile's voicemail picks up at once and presses nothing."""
    async with guest(stage, "6103") as caller:
        await alice.answer()
        await Guest(stage, alice.leg).hears("screened_group/a_call_for", whole=True)
        await bob.answer()
        await Guest(stage, bob.leg).hears("screened_group/a_call_for")
        await bob.press("1")
        assert (await asyncio.wait_for(alice.leg.ended, DEADLINE_S)).by == "pbx"
        await hear_each_other(caller.call, bob.leg)
        await bob.hang_up()
        await caller.hears("screened_group/talked")


# -- numbers outside --


async def test_a_number_outside_is_called_with_our_number(stage: Stage, carrier: Carrier) -> None:
    carrier.came.clear()
    async with guest(stage, "6104") as caller:
        await caller.hears("outside/which")
        await caller.call.press("02079460123", tone_ms=60, gap_ms=60)
        async with asyncio.timeout(DEADLINE_S):
            await carrier.came.wait()
        called = carrier.calls[-1]
        assert called.dialog.remote.startswith("<sip:+442079460100@"), "that is whom it sees calling"
        await called.progressed()
        await hear_each_other(caller.call, called)
        await called.hang_up()
        await caller.hears("outside/talked")


async def test_a_number_that_the_policy_does_not_allow_is_not_called(stage: Stage, carrier: Carrier) -> None:
    before = len(carrier.calls)
    async with guest(stage, "6104") as caller:
        await caller.hears("outside/which")
        await caller.call.press("0053712345678", tone_ms=60, gap_ms=60)
        await caller.hears("outside/refused")
    assert len(carrier.calls) == before


# -- transfers --


async def test_a_call_that_is_transferred_is_the_dialplans_alone(stage: Stage) -> None:
    await stage.pbx.ami.send("Events", EventMask="user")
    async with stage.pbx.ami.listen("UserEvent") as events, guest(stage, "6105") as caller:
        await caller.hears("lab/operators", 10)
        arrived = next(event for event in iter(events.get_nowait, None) if event.get("UserEvent") == "Arrived")
        assert (arrived["Call"], arrived["Place"], arrived["Number"]) == ("[]", "[]", ANI)
    call_id = (await stage.wait_event("call_ended", result="transferred"))["call_id"]
    await stage.pbx.wait_for_no_channels()
    told = [entry["event"] for entry in stage.journal.entries if entry.get("call_id") == call_id]
    assert told[-1] == "call_ended" and told.count("call_ended") == 1, "nobody is told of what became of it"


async def test_a_call_is_transferred_to_an_extension(stage: Stage, alice: SipPhone) -> None:
    async with Caller(ani=ANI) as party:
        call = party.place("6106", (stage.pbx.host, stage.pbx.sip_port))
        await alice.answer()
        await call.progressed()
        await stage.wait_event("call_ended", result="transferred")
        await hear_each_other(call, alice.leg)
        await alice.hang_up()
        await call.ended


async def test_whoever_does_not_answer_a_transfer_leaves_the_caller_to_the_safe_destination(
    stage: Stage, alice: SipPhone
) -> None:
    async with Caller(ani=ANI) as party:
        call = party.place("6106", (stage.pbx.host, stage.pbx.sip_port))
        await alice.reject(486)
        await call.progressed()
        await Guest(stage, call).hears("lab/operators")


async def test_a_transfer_to_a_place_that_is_not_there_stays_with_the_flow(stage: Stage) -> None:
    async with guest(stage, "6107") as caller:
        await caller.hears("nowhere/sorry")
