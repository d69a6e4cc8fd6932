"""What Asterisk's edge alone has, on a real one: workers that leave, the dialplan's safe destination, names that
are attacks, what our manager user may. What all edges have in common is in `tests/contract`.

Callers are Local channels whose other half plays the caller's part in a few lines of dialplan; what callers hear
over SIP and RTP is the matter of the scenarios.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from agi_scripts.dialplan.render import render_dialplan, render_manager_user
from agi_scripts.phone import AsteriskPhone
from agi_scripts.server import AgiServer
from agi_scripts.switch import AsteriskSwitch
from cordboard.errors import SwitchUnavailable
from cordboard.lab.pbx import LabPbx
from cordboard.lab.ports import find_free_ports
from cordboard.telephony.hangup_causes import HangupCause
from cordboard.telephony.outcomes import (
    Done,
    Failed,
    HandedOver,
    HungUp,
)
from cordboard.telephony.ports import SoundFile
from cordboard.telephony.verbs import (
    Answer,
    Dial,
    Extension,
    Gather,
    Hangup,
    Play,
    Prompt,
    Verb,
    VoicemailBox,
)

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

SOUND = "/usr/share/asterisk/sounds/en/hello-world"
SOUND_S = 1.41
PATIENCE_S = 1.0

# Halves of callers, and agents. `forged` is reached like a trunk: its caller's name and number are attacks.
DIALPLAN = """\
exten => listens,1,Wait(60)
exten => busy-agent,1,Busy()
exten => patient-agent,1,Answer()
 same => n,Wait(60)
exten => ringing-agent,1,Ringing()
 same => n,Wait(60)
exten => forged,1,Set(CALLERID(name)=${URIDECODE(${FORGED_NAME})})
 same => n,Set(CALLERID(num)=${URIDECODE(${FORGED_NUMBER})})
 same => n,Set(CALLERID(dnid)=${URIDECODE(${FORGED_NUMBER})})
 same => n,Goto(cordboard,5000,1)
"""


def prompt(name: str) -> Prompt:
    return Prompt("support", name, "en", name)


HELLO = prompt("hello")


class Recordings:
    """One file that Asterisk has, and one that it has not."""

    def find(self, prompt: Prompt) -> SoundFile | None:
        return SoundFile(SOUND if prompt == HELLO else "/nowhere/at-all", SOUND_S)


class Worker:
    """A worker whose part a test writes: each phone that arrives is taken by the next one who asks."""

    def __init__(self) -> None:
        self.phones: asyncio.Queue[AsteriskPhone] = asyncio.Queue()
        self.released = asyncio.Event()

    async def serve(self, phone: AsteriskPhone) -> None:
        self.phones.put_nowait(phone)
        await self.released.wait()

    async def next_phone(self, longest_s: float = 4.0) -> AsteriskPhone:
        async with asyncio.timeout(longest_s):
            return await self.phones.get()


class Bench:
    """The Asterisk under test and its switch link."""

    def __init__(self, pbx: LabPbx, switch: AsteriskSwitch, ports: tuple[int, int], root: Path) -> None:
        self.pbx = pbx
        self.switch = switch
        self.ports = ports
        self.root = root
        self._numbers = count(1)

    async def call(self, to: str = "5000@cordboard", **variables: str) -> str:
        """A caller dials in and listens; its leg id."""
        leg = f"caller-{next(self._numbers)}"
        await self.pbx.ami.send(
            "Originate",
            Channel=f"Local/{to}/n",
            Context="lab-extra",
            Exten="listens",
            Priority="1",
            CallerID='"Ada" <442079460123>',
            Async="true",
            ChannelId=leg,
            OtherChannelId=f"{leg}-2",
            Variable=",".join(f"__{name}={value}" for name, value in variables.items()),
        )
        return leg

    @asynccontextmanager
    async def worker(self, number: int = 0) -> AsyncIterator[Worker]:
        """A worker on the first or second address."""
        worker = Worker()
        port = self.ports[number]
        server = AgiServer("127.0.0.1", port, worker.serve, Recordings(), recordings_root=self.root)
        await server.start()
        try:
            yield worker
        finally:
            worker.released.set()
            await server.aclose()

    async def wait_application(self, leg: str, application: str) -> None:
        """Wait until a leg's other half (the one in our dialplan) is where no worker holds it."""
        async with asyncio.timeout(5):
            while application not in await self._applications(f"{leg}-2"):
                await asyncio.sleep(0.02)

    async def _applications(self, unique_id: str) -> list[str]:
        return [one.application for one in await self.pbx.channels() if one.unique_id == unique_id]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    first = find_free_ports(2)
    ports = (first, first + 1)
    root = tmp_path_factory.mktemp("recordings")
    root.chmod(0o777)
    files = {
        "cordboard.conf": render_dialplan([f"127.0.0.1:{port}" for port in ports], "operators,s,1", PATIENCE_S),
        "manager.d/cordboard.conf": render_manager_user("cordboard", "s3cret"),
    }
    async with LabPbx(mounts=[root], extra_files=files, extra_dialplan=DIALPLAN) as pbx:
        switch = AsteriskSwitch(pbx.host, pbx.ami_port, "cordboard", "s3cret")
        await switch.connect()
        await switch.wait_connected(5)
        yield Bench(pbx, switch, ports, root)
        await switch.aclose()


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def no_call_is_left(bench: Bench) -> AsyncIterator[None]:
    yield
    for leg in await bench.switch.list_legs():
        await bench.switch.hang_up(leg.leg_id)
    await bench.pbx.wait_for_no_channels()


async def test_what_cannot_be_played_is_told_by_its_name(bench: Bench) -> None:
    async with bench.worker() as worker:
        await bench.call()
        phone = await worker.next_phone()
        await phone.perform(Answer(), "cp:1")
        outcome = await phone.perform(Play((prompt("missing"),)), "cp:2")
        assert outcome == Failed("Asterisk could not play prompt support/missing")


# -- dial and voicemail, which no worker holds --


async def test_a_conversation_does_not_need_a_worker_and_a_hang_up_in_it_is_told(bench: Bench) -> None:
    async with bench.worker() as first:
        leg = await bench.call()
        phone = await first.next_phone()
        await phone.perform(Answer(), "cp:1")
        dial = Dial((Extension("1", "Local/patient-agent@lab-extra/n"),), 1)
        assert await phone.perform(dial, "cp:2") == HandedOver()
        await bench.wait_application(leg, "Dial")
    async with bench.worker(1) as second:
        assert len(await bench.switch.list_legs()) == 4
        await bench.switch.hang_up(leg)
        arrival = (await second.next_phone()).arrival
    assert (arrival.ended, arrival.checkpoint) == (True, "cp:2")
    assert arrival.call.call_id == phone.arrival.call.call_id


async def test_voicemail_is_the_switchs_own(bench: Bench) -> None:
    async with bench.worker() as worker:
        leg = await bench.call()
        phone = await worker.next_phone()
        await phone.perform(Answer(), "cp:1")
        assert await phone.perform(VoicemailBox("100@default"), "cp:2") == HandedOver()
        await bench.wait_application(leg, "VoiceMail")


# -- callers who leave --


async def test_who_held_the_call_knows_that_the_caller_left_and_nobody_is_told_again(bench: Bench) -> None:
    async with bench.worker() as worker:
        leg = await bench.call()
        phone = await worker.next_phone()
        await phone.perform(Answer(), "cp:1")
        performing = asyncio.ensure_future(phone.perform(Play((HELLO, HELLO)), "cp:2"))
        await asyncio.sleep(0.2)
        await bench.switch.hang_up(leg)
        assert await performing == HungUp()
        await bench.pbx.wait_for_no_channels()
        assert worker.phones.empty()


async def test_the_cause_of_a_hangup_reaches_an_unanswered_caller(bench: Bench) -> None:
    async with bench.worker() as worker:
        await bench.pbx.ami.send("Events", EventMask="on")
        async with bench.pbx.ami.listen("Hangup") as hangups, asyncio.timeout(5):
            leg = await bench.call()
            phone = await worker.next_phone()
            await phone.perform(Hangup(HangupCause.BUSY), "cp:1")
            while (event := await hangups.get())["Uniqueid"] != leg:
                pass
        assert event["Cause"] == "17"


# -- workers who leave --

# Not Say: Asterisk speaks a value to its end before it looks whether anyone is still there.
LONG: list[Verb] = [
    Play((HELLO, HELLO)),
    Gather((HELLO,), max_digits=3, first_digit_s=5.0, inter_digit_s=0.4),
    Gather((), max_digits=3, first_digit_s=5.0, inter_digit_s=0.4),
]


@pytest.mark.parametrize("verb", LONG)
async def test_a_worker_that_dies_in_a_verb_costs_milliseconds(bench: Bench, verb: Verb) -> None:
    async with bench.worker(0) as first, bench.worker(1) as second:
        await bench.call()
        workers = {asyncio.ensure_future(one.next_phone()) for one in (first, second)}
        done, pending = await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
        phone = done.pop().result()
        await phone.perform(Answer(), "cp:1")
        performing = asyncio.ensure_future(phone.perform(verb, "cp:2"))
        await asyncio.sleep(0.2)
        began = time.monotonic()
        phone._link._transport.abort()  # type: ignore[union-attr]
        with pytest.raises(SwitchUnavailable):
            await performing
        other = await pending.pop()
        assert time.monotonic() - began < 2.5
        assert other.arrival.checkpoint == "cp:2"
        assert other.arrival.call == phone.arrival.call
        assert await other.perform(Hangup(), "cp:3") == HungUp()


async def test_a_worker_that_hangs_loses_the_call_and_learns_it_was_no_hang_up(bench: Bench) -> None:
    async with bench.worker(0) as first, bench.worker(1) as second:
        await bench.call()
        workers = {asyncio.ensure_future(one.next_phone(8.0)) for one in (first, second)}
        done, pending = await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
        phone = done.pop().result()
        await phone.perform(Answer(), "cp:1")  # arms five seconds, and then the service does nothing
        began = time.monotonic()
        other = await pending.pop()
        assert 4.0 < time.monotonic() - began < 7.5
        assert other.arrival.checkpoint == "cp:1"
        with pytest.raises(SwitchUnavailable):
            await phone.perform(Play((HELLO,)), "cp:2")
        assert await other.perform(Play((HELLO,)), "cp:2") == Done()


async def test_a_worker_that_accepts_and_never_answers_costs_three_seconds_once(bench: Bench) -> None:
    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(keep_silent, "127.0.0.1", bench.ports[0])
    async with silent, bench.worker(1) as worker:
        for _ in range(6):  # the first address is random: about half of these meet the silent one
            began = time.monotonic()
            leg = await bench.call()
            phone = await worker.next_phone(6.0)
            if time.monotonic() - began > 2.5:
                break
            await bench.switch.hang_up(leg)
        assert 2.5 < time.monotonic() - began < 5.5
        assert await phone.perform(Answer(), "cp:1") == Done()


async def test_an_abandoned_call_goes_to_the_safe_destination(bench: Bench) -> None:
    async with bench.worker() as worker:
        leg = await bench.call()
        phone = await worker.next_phone()
        await phone.abandon()
        await bench.wait_application(leg, "Playback")


async def test_without_workers_a_call_goes_to_the_safe_destination(bench: Bench) -> None:
    began = time.monotonic()
    leg = await bench.call()
    await bench.wait_application(leg, "Playback")
    assert PATIENCE_S - 0.2 < time.monotonic() - began < PATIENCE_S + 4.0


async def test_a_call_that_gets_nowhere_goes_to_the_safe_destination(bench: Bench) -> None:
    async with bench.worker() as worker:
        leg = await bench.call()
        for _ in range(30):
            taking = asyncio.ensure_future(worker.next_phone(0.5))
            await asyncio.wait([taking])
            if taking.exception():
                break
            phone = taking.result()
            await phone.perform(Answer(), "cp:1")
            phone._link._transport.abort()  # type: ignore[union-attr]
        assert taking.exception() is not None
        await bench.wait_application(leg, "Playback")


# -- names that are attacks --

NAMES = [
    "hangup",
    "(x",
    "x)",
    "%0A%0Aagi_arg_1: FORGED",
    "%0D%0AHANGUP",
    "%22%3B EXEC System %22id",
    "(x) endpos%3D0",
    "$%7BSHELL(id)%7D",
    "$%5B1%2B1%5D",
    "a%2Cb&c|d%5C",
    "%E2%98%8E%EF%B8%8F",
    "%FF%FE",
    "%01%1B[31m",
    "'",
]


@pytest.mark.parametrize("name", NAMES)
async def test_no_name_and_no_number_changes_the_path_of_a_call(bench: Bench, name: str) -> None:
    async with bench.worker() as worker:
        await bench.call(to="forged@lab-extra", FORGED_NAME=name, FORGED_NUMBER=name)
        phone = await worker.next_phone()
        assert (phone.arrival.call.dnis, phone.arrival.checkpoint) == ("5000", "")
        assert re.fullmatch(r"[+*#0-9A-Za-z]*", phone.arrival.call.ani)
        assert "\n" not in phone.arrival.call.caller_name
        assert await phone.perform(Answer(), "cp:1") == Done()
        assert await phone.perform(Hangup(), "cp:2") == HungUp()


# -- the switch --


async def test_the_switch_originates_lists_redirects_and_hangs_up(bench: Bench) -> None:
    switch = bench.switch
    place = {"context": "lab-extra", "extension": "listens"}
    device = "Local/patient-agent@lab-extra/n"
    assert await switch.originate("leg-1", device, ring_s=2, variables={"CORDBOARD_CALL": "X"}, **place) is None
    legs = {leg.leg_id: leg for leg in await switch.list_legs()}
    assert legs["leg-1"].call_id == "X"
    assert await switch.redirect("leg-1", context="operators", extension="s")
    assert await switch.hang_up("leg-1")
    assert not await switch.hang_up("leg-1-never")
    assert not await switch.redirect("leg-1-never", context="operators", extension="s")


ENDS = [
    ("Local/busy-agent@lab-extra/n", HangupCause.BUSY),
    ("Local/ringing-agent@lab-extra/n", HangupCause.NO_ANSWER),
    ("PJSIP/9999", HangupCause.UNKNOWN),
]


@pytest.mark.parametrize(("device", "cause"), ENDS)
async def test_an_originate_that_fails_says_why(bench: Bench, device: str, cause: HangupCause) -> None:
    place = {"context": "lab-extra", "extension": "listens"}
    assert await bench.switch.originate("leg-2", device, ring_s=0.5, **place) is cause


@pytest.mark.parametrize(
    "action",
    [
        {"Action": "Command", "Command": "core show channels"},
        {"Action": "GetConfig", "Filename": "manager.conf"},
        {"Action": "UpdateConfig", "SrcFilename": "a", "DstFilename": "a"},
        {"Action": "CoreShowChannels"},
        {"Action": "ModuleLoad", "LoadType": "reload"},
        {"Action": "DBGet", "Family": "a", "Key": "b"},
        {"Action": "MixMonitor", "Channel": "x"},
        {"Action": "Originate", "Channel": "Local/s@operators", "Application": "System", "Data": "id"},
    ],
    ids=lambda action: action["Action"],
)
async def test_our_manager_user_may_not(bench: Bench, action: dict[str, str]) -> None:
    answer = await bench.switch.link.send(action)
    assert answer[0].response == "Error"
