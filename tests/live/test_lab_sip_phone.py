"""The lab's own phone with a real Asterisk: registration, refusals, both ways of transfer, tones both ways."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

from cordboard.lab.call import Call
from cordboard.lab.caller import Caller
from cordboard.lab.hearing import tone_share
from cordboard.lab.pbx import LabPbx
from cordboard.lab.rtp import tone
from cordboard.lab.sip_phone import SipPhone

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

DEADLINE_S = 5.0
DIALPLAN = """
exten => 7001,1,Answer()
 same => n,Dial(PJSIP/1003,15,m(default)g)
 same => n,Set(CALLERID(name)=${DIALSTATUS} ${HANGUPCAUSE})
 same => n,Dial(PJSIP/1004,15)
 same => n,Hangup()
exten => 7002,1,Answer()
 same => n,Dial(PJSIP/1005,15)
 same => n,Hangup()
"""


@pytest.fixture
async def pbx() -> AsyncIterator[LabPbx]:
    async with LabPbx(extra_dialplan=DIALPLAN) as pbx:
        yield pbx


@pytest.fixture
async def alice(pbx: LabPbx) -> AsyncIterator[SipPhone]:
    async with SipPhone("1003", pbx) as phone:
        yield phone


@pytest.fixture
async def ada(pbx: LabPbx, alice: SipPhone) -> AsyncIterator[Call]:
    """A caller in conversation with Alice."""
    async with Caller(ani="+442079460123") as caller:
        call = await caller.dial("7001", (pbx.host, pbx.sip_port))
        await alice.answer()
        yield call
    await pbx.wait_for_no_channels()


async def hears(call: Call, frequency_hz: float) -> None:
    """Wait for half a second of a tone."""
    arrived = asyncio.Event()
    call.media.on_audio = arrived.set
    async with asyncio.timeout(DEADLINE_S):
        while tone_share(call.heard.samples(max(0.0, call.heard.end_s - 0.5)), frequency_hz) < 0.9:
            arrived.clear()
            await arrived.wait()


async def test_a_caller_and_a_phone_hear_each_other(alice: SipPhone, ada: Call) -> None:
    alice.speak(tone(700, 0.5))
    ada.speak(tone(1100, 0.5), repeat=True)
    await hears(ada, 700)
    await hears(alice.leg, 1100)
    assert tone_share(alice.leg.heard.samples(), 700) < 0.1
    assert len(np.frombuffer(alice.heard(), dtype="<i2")) == len(alice.leg.heard.samples())


async def test_the_end_of_the_caller_reaches_the_phone_at_once(alice: SipPhone, ada: Call) -> None:
    ended_at = time.monotonic()
    await ada.hang_up()
    call = await alice.closed()
    assert call.reason == "BYE"
    assert call.closed_at is not None and call.closed_at - ended_at < 0.05


@pytest.mark.parametrize(("status", "told"), [(486, "BUSY 17"), (480, "NOANSWER 19"), (603, "CHANUNAVAIL 21")])
async def test_asterisk_takes_each_refusal_for_what_it_is(
    pbx: LabPbx, alice: SipPhone, status: int, told: str
) -> None:
    names: list[str] = []
    async with SipPhone("1004", pbx) as bob, Caller(ani="+442079460123") as caller:
        receive = bob._party.on_invite
        assert receive is not None
        bob._party.on_invite = lambda invite, peer: (names.append(invite.header("from")), receive(invite, peer))[1]
        await caller.dial("7001", (pbx.host, pbx.sip_port))
        await alice.reject(status)
        await bob.incoming()
        assert f'"{told}"' in names[0]


async def test_a_blind_transfer_takes_the_phone_out_and_joins_the_others(
    pbx: LabPbx, alice: SipPhone, ada: Call
) -> None:
    async with SipPhone("1005", pbx) as carol:
        carol.speak(tone(900, 0.5))
        alice.speak(tone(700, 0.5))
        await hears(ada, 700)  # who is answered is not joined yet: until then Asterisk refuses with 400
        assert await alice.transfer_blind("7002") == 200
        await carol.answer()
        await hears(ada, 900)
        assert (await alice.closed()).closed_at is not None
        assert len(await pbx.channels()) == 2


async def test_an_attended_transfer_joins_the_caller_with_the_one_consulted(
    pbx: LabPbx, alice: SipPhone, ada: Call
) -> None:
    async with SipPhone("1005", pbx) as carol:
        carol.speak(tone(900, 0.5))
        answering = asyncio.create_task(carol.answer_after(0.1))
        await alice.consult("1005")
        await answering
        await hears(alice.leg, 900)
        assert await alice.transfer_attended() == 200
        await hears(ada, 900)
        assert all(call.closed_at for call in alice.calls)
        assert len(await pbx.channels()) == 2


async def test_a_caller_on_hold_hears_music_until_taken_back(pbx: LabPbx, alice: SipPhone, ada: Call) -> None:
    alice.speak(tone(700, 0.5))
    await hears(ada, 700)
    await alice.hold()
    held_s = ada.now_s
    async with asyncio.timeout(DEADLINE_S):
        while ada.heard.end_s < held_s + 1.0:
            await asyncio.sleep(0.05)
    on_hold = ada.heard.samples(held_s + 0.3, held_s + 1.0)
    assert abs(on_hold).mean() > 500 and tone_share(on_hold, 700) < 0.3
    await alice.hold(is_on=False)
    await hears(ada, 700)


async def test_a_phone_unregisters_and_a_dead_one_does_not(pbx: LabPbx) -> None:
    async with SipPhone("1006", pbx) as phone:
        assert "1006/sip:" in await pbx.command("pjsip show contacts")
        await phone.unregister()
        assert "1006/sip:" not in await pbx.command("pjsip show contacts")
        await phone.registered()
        phone.go_dead()
    assert "1006/sip:" in await pbx.command("pjsip show contacts")


async def test_a_wrong_secret_is_not_let_in(pbx: LabPbx) -> None:
    phone = SipPhone("1003", pbx, secret="wrong")
    with pytest.raises(Exception, match="1003 was not let in: 401"):
        await phone.__aenter__()
