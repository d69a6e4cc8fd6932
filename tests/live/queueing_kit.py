"""An Asterisk with our dialplan, and the least that a service does with it: callers who wait, agents who are rung.

Whoever reads a scenario sees each verb. What stands here is only what each of them needs: which phone belongs to
which caller, what the agents' legs have told, and the one thing an observer must do at once (end the agent's leg
when the caller hangs up before they are joined).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import wave
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count

import numpy as np
from numpy.typing import NDArray

from agi_scripts.dialplan.render import render_dialplan, render_manager_user
from agi_scripts.phone import AsteriskPhone
from agi_scripts.server import AgiServer
from agi_scripts.switch import AsteriskSwitch
from cordboard.lab.call import Call
from cordboard.lab.caller import Caller
from cordboard.lab.pbx import LabPbx
from cordboard.lab.ports import find_free_ports
from cordboard.lab.rtp import SAMPLE_RATE_HZ, Samples
from cordboard.lab.sip_phone import SipPhone
from cordboard.telephony.outcomes import AgentRung, Done, HandedOver
from cordboard.telephony.ports import AgentLegEvent, DeviceState, SoundFile
from cordboard.telephony.verbs import Answer, Hold, Prompt, RingAgent

TOKEN = "l1ve-t0ken"
SOUND_S = 1.41
MUSIC = "default"
SPOKEN = Prompt("support", "hello", "en", "Hello world")
SILENCE_BELOW = 100  # of 32,767
FRAME = SAMPLE_RATE_HZ // 50
PIECE = SAMPLE_RATE_HZ // 4
PLACE = "q:1"

DIALPLAN = """\
exten => 7000,1,Answer()
 same => n,Wait(20)
"""


class HelloWorld:
    """Every prompt is the same file, which Asterisk brings along."""

    def find(self, prompt: Prompt) -> SoundFile | None:
        return SoundFile("/usr/share/asterisk/sounds/en/hello-world", SOUND_S)


@dataclass
class Told:
    """What the manager link has told, with when it came (`time.monotonic()`)."""

    legs: list[tuple[float, AgentLegEvent]] = field(default_factory=list)
    devices: list[tuple[str, DeviceState]] = field(default_factory=list)
    hangups: list[str] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def kinds(self, offer_id: str) -> list[str]:
        return [event.kind for _, event in self.legs if event.offer_id == offer_id]

    async def leg(self, offer_id: str, kind: str, longest_s: float = 4.0) -> tuple[float, AgentLegEvent]:
        """The event of an offer, and when it came."""
        async with asyncio.timeout(longest_s):
            while True:
                found = [one for one in self.legs if (one[1].offer_id, one[1].kind) == (offer_id, kind)]
                if found:
                    return found[0]
                await self._changed.wait()

    def note_leg(self, event: AgentLegEvent) -> None:
        self.legs.append((time.monotonic(), event))
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


@dataclass
class Line:
    """One caller, from dialling on. `phone` is the call as the latest worker has it."""

    bench: Bench
    call: Call
    phones: asyncio.Queue[AsteriskPhone]
    phone: AsteriskPhone
    offers: list[str] = field(default_factory=list)

    async def hold(self) -> None:
        assert await self.phone.perform(Hold(MUSIC), PLACE) == Done()

    async def next_phone(self, longest_s: float = 6.0) -> AsteriskPhone:
        """The call at whichever worker it came to."""
        async with asyncio.timeout(longest_s):
            self.phone = await self.phones.get()
        return self.phone

    async def ring(self, extension: str, **more: object) -> str:
        """Ring an agent's phone; the offer's id."""
        offer_id = f"offer-{next(self.bench.numbers)}"
        settings: dict[str, object] = {"ring_s": 4, "music": MUSIC, "accept_s": 0.8}
        verb = RingAgent(offer_id, f"PJSIP/{extension}", **settings | more)  # type: ignore[arg-type]
        assert await self.phone.perform(verb, PLACE) == HandedOver()
        self.offers.append(offer_id)
        return offer_id

    async def rung(self) -> AgentRung:
        """What came of the ring."""
        returned = (await self.next_phone()).arrival.returned
        assert isinstance(returned, AgentRung)
        assert returned.offer_id == self.offers[-1]
        return returned


class Bench:
    """The Asterisk under test, two workers, and what is heard on the manager link."""

    def __init__(self, pbx: LabPbx, switch: AsteriskSwitch) -> None:
        self.pbx = pbx
        self.switch = switch
        self.told = Told()
        self.numbers = count(1)
        with wave.open(str(pbx.music_sound)) as sound:
            self.music = np.frombuffer(sound.readframes(sound.getnframes()), dtype=np.int16)
        self._phones: dict[str, asyncio.Queue[AsteriskPhone]] = defaultdict(asyncio.Queue)
        self._unjoined: dict[str, str] = {}  # agent's leg to caller's
        self._ending: set[asyncio.Task[bool]] = set()
        switch.on_agent_leg(self._note_leg)
        switch.on_device_state(lambda device, state: self.told.devices.append((device, state)))
        switch.on_caller_hangup(self._note_hangup)

    async def serve(self, phone: AsteriskPhone) -> None:
        self._phones[phone.arrival.call.ani].put_nowait(phone)
        if not phone.arrival.ended:
            await asyncio.Event().wait()

    @contextlib.asynccontextmanager
    async def caller(self) -> AsyncIterator[Line]:
        """A caller who has been answered and waits with music."""
        ani = f"4420794{next(self.numbers):05d}"
        async with Caller(ani=ani, name="Ada", host="127.0.0.2") as caller:
            call = caller.place("5000", (self.pbx.host, self.pbx.sip_port))
            phones = self._phones[ani]
            async with asyncio.timeout(5):
                phone = await phones.get()
            assert await phone.perform(Answer(), PLACE) == Done()
            line = Line(self, call, phones, phone)
            await line.hold()
            yield line

    def agent(self, extension: str) -> SipPhone:
        """A phone that registers on entry."""
        return SipPhone(extension, self.pbx)

    async def wait_for_no_channels(self) -> None:
        """Wait until every channel has ended; asked for, as the event of a hang-up comes before that."""
        async with asyncio.timeout(5):
            while await self.pbx.channels():
                await asyncio.sleep(0.01)

    def _note_leg(self, event: AgentLegEvent) -> None:
        self.told.note_leg(event)
        if event.kind in ("ringing", "answered"):
            self._unjoined[event.leg_id] = event.caller_leg_id
        else:
            self._unjoined.pop(event.leg_id, None)
        if event.kind == "joined":
            self._end_unjoined(event.caller_leg_id)

    def _note_hangup(self, leg_id: str) -> None:
        self.told.hangups.append(leg_id)
        self._end_unjoined(leg_id)

    def _end_unjoined(self, caller_leg_id: str) -> None:
        for leg_id in [leg for leg, caller in self._unjoined.items() if caller == caller_leg_id]:
            del self._unjoined[leg_id]
            task = asyncio.ensure_future(self.switch.hang_up(leg_id))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


@contextlib.asynccontextmanager
async def bench_ready() -> AsyncIterator[Bench]:
    """Asterisk, the switch link and two workers."""
    first = find_free_ports(2)
    ports = (first, first + 1)
    addresses = [f"127.0.0.1:{port}" for port in ports]
    files = {
        "cordboard.conf": render_dialplan(addresses, "operators,s,1", 1.0, token=TOKEN),
        "manager.d/cordboard.conf": render_manager_user("cordboard", "s3cret"),
    }
    async with LabPbx(extra_files=files, extra_dialplan=DIALPLAN) as pbx, contextlib.AsyncExitStack() as stack:
        switch = AsteriskSwitch(pbx.host, pbx.ami_port, "cordboard", "s3cret", token=TOKEN)
        bench = Bench(pbx, switch)
        await switch.connect()
        stack.push_async_callback(switch.aclose)
        for port in ports:
            server = AgiServer("127.0.0.1", port, bench.serve, HelloWorld(), token=TOKEN)
            await server.start()
            stack.push_async_callback(server.aclose)
        await switch.wait_connected(5)
        yield bench


def longest_silence_s(call: Call, start_s: float, upto_s: float) -> float:
    """The longest stretch without sound, in steps of 20 ms."""
    frames = _frames(call.heard.samples(start_s, upto_s))
    longest = run = 0
    for is_silent in np.abs(frames).max(axis=1) < SILENCE_BELOW:
        run = run + 1 if is_silent else 0
        longest = max(longest, run)
    return longest / 50


def share_of_music(heard: Samples, music: Samples) -> float:
    """How much of what was heard is this music, wherever in it: by pieces of a quarter of a second, 0.0 to 1.0."""
    pieces = heard[: len(heard) // PIECE * PIECE].reshape(-1, PIECE).astype(float)
    return float(np.mean([_best_match(piece, music.astype(float)) > 0.9 for piece in pieces]))


def _best_match(piece: NDArray[np.float64], music: NDArray[np.float64]) -> float:
    """The highest normalised correlation; 1.0 if the piece is in the music as it is."""
    size = len(music) + len(piece)
    product = np.fft.irfft(np.fft.rfft(music, size) * np.conj(np.fft.rfft(piece, size)), size)[: -2 * len(piece)]
    energy = np.cumsum(np.concatenate([[0.0], music**2]))
    of_stretch = energy[len(piece) :][: len(product)] - energy[: len(product)]
    return float((product / np.sqrt(of_stretch * (piece @ piece) + 1.0)).max())


def loudest_hz(samples: Samples) -> float:
    """The frequency with the most energy; 0.0 for silence."""
    if np.abs(samples).max(initial=0) < SILENCE_BELOW:
        return 0.0
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * SAMPLE_RATE_HZ / len(samples))


def _frames(samples: Samples) -> Samples:
    return samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
