"""A FreeSWITCH with our dialplan, and the least that a service does with it: callers wait, agents are rung.

What `queueing_kit` is for Asterisk. A worker here is a server of calls with a link of its own; one that "dies"
loses all its connections at once, which to FreeSWITCH is what the end of a process is.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count

from cordboard.lab.call import Call
from cordboard.lab.caller import Caller
from cordboard.lab.freeswitch import LabFreeswitch
from cordboard.lab.ports import find_free_ports
from cordboard.lab.sip_phone import SipPhone
from cordboard.telephony.outcomes import AgentRung, Done
from cordboard.telephony.ports import Phone, SoundFile
from cordboard.telephony.verbs import AgentPhone, Answer, Hold, Prompt, RingAgent
from esl_apps.calls import CallServer
from esl_apps.dialplan.render import CORE, DIALPLAN, render_core_settings, render_dialplan
from esl_apps.hub import EslHub
from esl_apps.switch import FreeswitchSwitch
from tests.live.freeswitch_kit import freeswitch_running
from tests.live.queueing_kit import Told

TOKEN = "l1ve-t0ken"
MUSIC = "music"
PLACE = "q:1"
WHISPER = Prompt("support", "hello", "en", "A call for support.")
SOON_S = 10.0


class OneSound:
    """Every prompt is the same file."""

    def __init__(self, path: str) -> None:
        self._path = path

    def find(self, prompt: Prompt) -> SoundFile | None:
        return SoundFile(self._path, 1.0)


class Worker:
    """One process, as far as FreeSWITCH can tell."""

    def __init__(self, bench: Bench, port: int) -> None:
        pbx = bench.pbx
        self.port = port
        self.hub = EslHub()
        self.switch = FreeswitchSwitch(pbx.host, pbx.esl_port, pbx.esl_secret, hub=self.hub)
        self.server = CallServer(
            "127.0.0.1",
            port,
            bench.serve,
            OneSound(str(pbx.safe_destination_sound).removesuffix(".wav")),
            hub=self.hub,
            token=TOKEN,
            ringing=self.switch,
        )

    async def start(self) -> None:
        """Listen, and connect."""
        await self.hub.start()
        await self.server.start()
        await self.switch.connect()
        await self.switch.wait_connected(SOON_S)

    async def die(self) -> None:
        """Lose every connection, without a word."""
        await asyncio.gather(self.switch.aclose(), self.server.aclose())
        await self.hub.aclose()


@dataclass
class Line:
    """One caller, from dialling on. `phone` is the call as the latest worker has it."""

    bench: Bench
    call: Call
    phones: asyncio.Queue[Phone]
    phone: Phone
    offers: list[str] = field(default_factory=list)

    async def next_phone(self) -> Phone:
        """The call at whichever worker it came to."""
        async with asyncio.timeout(SOON_S):
            self.phone = await self.phones.get()
        return self.phone

    async def returned(self) -> AgentRung:
        """What came of the ring, as the call brings it to the next worker."""
        outcome = (await self.next_phone()).arrival.returned
        assert isinstance(outcome, AgentRung)
        return outcome

    def ring(self, *extensions: str, **more: object) -> asyncio.Task[object]:
        """Ring one phone or several; what comes of it."""
        phones = [AgentPhone(f"o{next(self.bench.numbers)}", f"user/{extension}") for extension in extensions]
        self.offers += [phone.offer_id for phone in phones]
        settings: dict[str, object] = {"ring_s": 3, "music": MUSIC, "accept_s": 1.5, "accept_key": "1"}
        first = phones[0]
        verb = RingAgent(first.offer_id, first.device, also=tuple(phones[1:]), **settings | more)  # type: ignore[arg-type]
        return asyncio.ensure_future(self.phone.perform(verb, PLACE))


class Bench:
    """The FreeSWITCH under test, its workers, and what is heard of agents' legs."""

    def __init__(self, pbx: LabFreeswitch, ports: tuple[int, ...]) -> None:
        self.pbx = pbx
        self.ports = ports
        self.told = Told()
        self.numbers = count(1)
        self.workers: list[Worker] = []
        self._phones: dict[str, asyncio.Queue[Phone]] = defaultdict(asyncio.Queue)

    async def begin(self, port: int) -> Worker:
        """One more worker."""
        worker = Worker(self, port)
        worker.switch.on_agent_leg(self.told.note_leg)
        await worker.start()
        self.workers.append(worker)
        return worker

    async def replace_worker(self) -> None:
        """The worker dies, and one on the other port is there already."""
        worker = self.workers.pop()
        other = next(port for port in self.ports if port != worker.port)
        await self.begin(other)
        await worker.die()

    async def serve(self, phone: Phone) -> None:
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
            async with asyncio.timeout(SOON_S):
                phone = await phones.get()
            assert await phone.perform(Answer(), PLACE) == Done()
            assert await phone.perform(Hold(MUSIC), PLACE) == Done()
            line = Line(self, call, phones, phone)
            try:
                yield line
            finally:
                line.phone.let_go()

    def agent(self, extension: str) -> SipPhone:
        """A phone that registers on entry."""
        return SipPhone(extension, self.pbx)


@contextlib.asynccontextmanager
async def bench_ready() -> AsyncIterator[Bench]:
    """FreeSWITCH, and one worker of two that its dialplan knows."""
    first = find_free_ports(2)
    ports = (first, first + 1)
    dialplan = render_dialplan([f"127.0.0.1:{port}" for port in ports], "operators,operators", 10.0, token=TOKEN)
    files = {DIALPLAN: dialplan, CORE: render_core_settings()}
    async with freeswitch_running(extra_files=files, log_level="debug") as pbx:
        bench = Bench(pbx, ports)
        await bench.begin(ports[0])
        try:
            yield bench
        finally:
            for worker in bench.workers:
                await worker.die()
