"""The lab's phones: they register, ring, talk, press keys, refuse, and are heard."""

import asyncio
import wave

import numpy as np
import pytest

from cordboard.errors import LabError
from cordboard.lab.baresip import BaresipPhone
from cordboard.lab.pbx import LabPbx

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]


@pytest.fixture
async def pbx():
    async with LabPbx() as pbx:
        yield pbx


@pytest.fixture
async def phones(pbx):
    async with BaresipPhone("1001", pbx) as alice, BaresipPhone("1002", pbx) as bob:
        yield alice, bob
    await pbx.wait_for_no_channels()


def similarity(heard: bytes, wav) -> float:
    """The highest normalised correlation of what was heard with half a second of a file; 1.0 is the same."""
    with wave.open(str(wav)) as sound:
        said = np.frombuffer(sound.readframes(6000), dtype="<i2").astype(float)[2000:]
    received = np.frombuffer(heard, dtype="<i2").astype(float)
    windows = np.lib.stride_tricks.sliding_window_view(received, len(said))[:8000]
    norms = np.linalg.norm(windows, axis=1) * np.linalg.norm(said)
    return float(np.max(windows @ said / np.maximum(norms, 1.0)))


async def talk(alice, bob):
    await alice.dial("1002")
    await bob.incoming()
    await bob.answer()
    await alice.established()


async def test_two_phones_talk_and_each_hears_what_the_other_said(phones, pbx):
    alice, bob = phones
    await talk(alice, bob)
    assert bob.call.number == "1001"
    await asyncio.sleep(1.5)  # a second and a half of talk
    assert similarity(alice.heard(), bob.said) > 0.95
    assert similarity(bob.heard(), alice.said) > 0.95
    assert similarity(bob.heard(), bob.said) < 0.5
    assert len(await pbx.channels()) == 2
    await bob.hang_up()
    call = await alice.closed()
    with wave.open(str(call.recording)) as recording:
        assert recording.getnframes() > 8000


async def test_keys_reach_the_other_phone_once_and_in_order(phones):
    alice, bob = phones
    await talk(alice, bob)
    for key in "1*#0":
        await alice.press(key)
        await asyncio.sleep(0.3)  # baresip sends a key for 0.1 to 0.2 s and drops one that comes meanwhile
    await alice.hang_up()
    assert (await bob.closed()).keys == "1*#0"


async def test_a_refused_call_is_busy(phones):
    alice, bob = phones
    await alice.dial("1002")
    await bob.incoming()
    await bob.reject()
    assert "486" in (await alice.closed()).reason
    with pytest.raises(LabError, match="ended unanswered: 486"):
        await alice.established()


async def test_a_phone_rings_as_long_as_it_is_told_to(phones):
    alice, bob = phones
    answering = asyncio.create_task(bob.answer_after(0.5))
    await alice.dial("1002")
    call = await alice.established()
    assert 0.5 <= call.established_at - call.began_at < 1.0
    await answering
    await alice.hang_up()
    await bob.closed()


async def test_each_call_has_a_recording_of_its_own(phones):
    alice, bob = phones
    for _ in range(2):
        await talk(alice, bob)
        await asyncio.sleep(0.2)
        await alice.hang_up()
        await bob.closed()
    first, second = (call.recording for call in bob.calls)
    assert first != second
    assert first.exists()
    assert second.exists()


async def test_a_phone_that_is_switched_off_unregisters_and_one_without_power_does_not(pbx):
    async with BaresipPhone("1001", pbx):
        assert "1001/sip:" in await pbx.command("pjsip show contacts")
    assert "1001/sip:" not in await pbx.command("pjsip show contacts")
    async with BaresipPhone("1001", pbx) as phone:
        await phone.kill()
        assert "1001/sip:" in await pbx.command("pjsip show contacts")


async def test_a_wrong_password_is_not_let_in(pbx):
    phone = BaresipPhone("1001", pbx, secret="wrong")
    with pytest.raises(LabError, match="not let in: 401"):
        await phone.__aenter__()
    assert phone._process.returncode is not None


async def test_waiting_has_a_deadline_and_a_dead_phone_is_noticed_at_once(pbx):
    async with BaresipPhone("1001", pbx) as phone:
        with pytest.raises(LabError, match=r"waited 0\.1 s for an incoming call"):
            await phone.incoming(timeout_s=0.1)
        waiting = asyncio.create_task(phone.incoming(timeout_s=60))
        await asyncio.sleep(0)
        phone._process.kill()
        async with asyncio.timeout(5):
            with pytest.raises(LabError, match="has ended"):
                await waiting


async def test_the_safe_destination_is_recognisable(pbx):
    async with BaresipPhone("1001", pbx) as phone:
        await phone.dial("5000")
        await phone.established()
        await phone.closed()
        assert similarity(phone.heard(), pbx.safe_destination_sound) > 0.95
        assert similarity(phone.heard(), pbx.music_sound) < 0.5
