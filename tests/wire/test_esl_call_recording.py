"""The recording of a call on FreeSWITCH: silence while secret digits are gathered, whoever has the call then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cordboard.lab.ports import find_free_ports
from cordboard.telephony.outcomes import Done, Gathered
from cordboard.telephony.ports import Phone
from cordboard.telephony.verbs import Answer, Gather, RecordCall, Say
from esl_apps.dialplan.render import render_dialplan
from esl_apps.hub import EslHub
from esl_apps.switch import FreeswitchSwitch
from tests.contract.edges import Worker
from tests.contract.freeswitch_worker import SAFE, serving
from tests.doubles.fake_freeswitch import FakeFreeswitch
from tests.doubles.fake_freeswitch.channel import Channel
from tests.doubles.fake_freeswitch.xml_dialplan import XmlDialplan

SECRET = Gather((), max_digits=4, first_digit_s=60.0, inter_digit_s=60.0, secret=True)


class Recording(dict[str, str]):
    """What `uuid_record` made of the one recording of a channel, in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.was: list[str] = []
        self._changed = asyncio.Event()

    def __setitem__(self, path: str, state: str) -> None:
        super().__setitem__(path, state)
        self.was.append(state)
        self._changed.set()

    async def until(self, *states: str) -> None:
        """Raises TimeoutError."""
        async with asyncio.timeout(10):
            while self.was != list(states):
                self._changed.clear()
                await self._changed.wait()


class House:
    """A worker, and a caller whose calls it gets."""

    def __init__(self, channel: Channel, worker: Worker) -> None:
        self.channel = channel
        self.recording = Recording()
        channel.recordings = self.recording
        self._worker = worker

    async def phone(self) -> Phone:
        """The call, each time that it comes to a worker."""
        return await self._worker.phone(self.channel.leg_id)

    async def recorded(self, *more: RecordCall) -> Phone:
        """A call that is recorded, and whatever else."""
        phone = await self.phone()
        for verb in (Answer(), RecordCall("start", "both"), *more):
            assert await phone.perform(verb, "cp:1") == Done()
        return phone


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    worker, hub, port = Worker(), EslHub(), find_free_ports(1)
    dialplan = XmlDialplan(render_dialplan([f"127.0.0.1:{port}"], f"{SAFE},s", 1.0))
    await hub.start()
    try:
        async with FakeFreeswitch(dialplan=dialplan) as fake:
            switch = FreeswitchSwitch("127.0.0.1", fake.port, "s3cret", hub=hub)
            async with serving(worker, switch, hub, port, tmp_path):
                yield House(fake.call(context="cordboard"), worker)
    finally:
        await hub.aclose()


async def test_secret_digits_are_silence_and_then_it_goes_on(house: House) -> None:
    phone = await house.recorded()
    asking = asyncio.ensure_future(phone.perform(SECRET, "cp:2"))
    await house.recording.until("on", "masked")
    house.channel.press("1234")
    assert await asking == Gathered("1234", "full")
    assert house.recording.was == ["on", "masked", "on"]


async def test_what_the_flow_has_paused_stays_paused_behind_a_secret(house: House) -> None:
    phone = await house.recorded(RecordCall("pause"))
    asking = asyncio.ensure_future(phone.perform(SECRET, "cp:2"))
    await house.recording.until("on", "masked", "masked")
    house.channel.press("1234")
    assert await asking == Gathered("1234", "full")
    assert await phone.perform(Say("number", "1", "en"), "cp:3") == Done()
    assert house.recording.was[-1] == "masked"


@pytest.mark.parametrize(("verb", "goes_on"), [(Say("number", "1", "en"), True), (SECRET, False)])
async def test_who_takes_a_call_over_out_of_a_secret_records_on_unless_it_asks_again(
    house: House, verb: Say | Gather, goes_on: bool
) -> None:
    phone = await house.recorded()
    lost = asyncio.ensure_future(phone.perform(SECRET, "cp:2"))
    await house.recording.until("on", "masked")
    phone.let_go()
    await asyncio.wait([lost])
    asking = asyncio.ensure_future((await house.phone()).perform(verb, "cp:2"))
    await house.recording.until("on", "masked", "on" if goes_on else "masked")
    asking.cancel()
