"""What the contract suite asks of a switch and its edge: callers who dial in, press keys and leave, and phones.

One class for each edge is in the other files of this folder. A worker's part is written by the test.
"""

from __future__ import annotations

import asyncio
import math
import struct
import wave
from collections import defaultdict
from pathlib import Path
from typing import Literal, Protocol

from cordboard.service.observer import ObservedSwitch
from cordboard.telephony.capabilities import SwitchName
from cordboard.telephony.ports import AgentLegEvent, Phone, SoundFile
from cordboard.telephony.verbs import Prompt

HELLO = Prompt("support", "hello", "en", "hello")
MISSING = Prompt("support", "missing", "en", "missing")
HELLO_S = 1.2
SHORT_S = 0.2

Part = Literal["answers", "patient", "busy", "rings", "rejects", "absent", "accepts", "stays", "declines", "leaves"]
"""What a phone does that is rung: "answers" talks for 0.6 s and leaves, "patient" does not leave, "absent" has
never been there. An agent's: "accepts" and "stays" press 1 after 0.6 s, and the first leaves 0.6 s later;
"declines" presses 2; "leaves" hangs up after 0.3 s.
"""


class Recordings:
    """A file for every prompt but one; that of `HELLO` lasts long enough for keys, all others hardly."""

    def __init__(self, root: Path) -> None:
        self._root = root
        write_tone(root / "hello.wav", HELLO_S)
        write_tone(root / "short.wav", SHORT_S)

    def find(self, prompt: Prompt) -> SoundFile | None:
        """As a phone asks."""
        if prompt == MISSING:
            return SoundFile("/nowhere/at-all", SHORT_S)
        name, lasts_s = ("hello", HELLO_S) if prompt == HELLO else ("short", SHORT_S)
        return SoundFile(str(self._root / name), lasts_s)


def write_tone(path: Path, lasts_s: float) -> None:
    """A telephone's WAV file."""
    frames = [struct.pack("<h", int(8000 * math.sin(n * 0.4))) for n in range(int(lasts_s * 8000))]
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"".join(frames))


class Worker:
    """Takes the phones that an edge brings."""

    def __init__(self) -> None:
        self._phones: defaultdict[str, asyncio.Queue[Phone]] = defaultdict(asyncio.Queue)
        self._released = asyncio.Event()

    async def serve(self, phone: Phone) -> None:
        """What the edge calls for each."""
        self._phones[phone.arrival.call.leg_id].put_nowait(phone)
        if not phone.arrival.ended:
            await self._released.wait()

    async def phone(self, leg_id: str, within_s: float = 15.0) -> Phone:
        """The phone of a caller, each time that it arrives."""
        async with asyncio.timeout(within_s):
            return await self._phones[leg_id].get()

    def release(self) -> None:
        """Let go of all of them."""
        self._released.set()


class AgentLegs:
    """What a switch tells of agents' legs, by offer."""

    def __init__(self, switch: ObservedSwitch) -> None:
        self._told: defaultdict[str, list[AgentLegEvent]] = defaultdict(list)
        self._news = asyncio.Event()
        switch.on_agent_leg(self._note)

    def kinds(self, offer_id: str) -> list[str]:
        """What was told of an offer, but for that its phone rings: a phone which refuses need not."""
        return [event.kind for event in self._told[offer_id] if event.kind != "ringing"]

    async def all_of(self, offer_id: str) -> list[str]:
        """The same, once its leg has ended. Raises TimeoutError."""
        await self.until(offer_id, "gone", "refused")
        return self.kinds(offer_id)

    async def until(self, offer_id: str, *kinds: str, within_s: float = 15.0) -> None:
        """Until one of these was told. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while not set(kinds) & {event.kind for event in self._told[offer_id]}:
                await self._news.wait()

    def _note(self, event: AgentLegEvent) -> None:
        self._told[event.offer_id].append(event)
        news, self._news = self._news, asyncio.Event()
        news.set()


class CallingParty(Protocol):
    """A caller who has dialled in. leg_id: as in their `Call`."""

    leg_id: str

    async def press(self, keys: str) -> None:
        """One key after the other, 0.15 s apart."""

    async def hang_up(self) -> None:
        """Leave."""

    async def is_safe(self) -> bool:
        """Whether they are at the safe destination."""


class Edge(Protocol):
    """A switch, and our edge for it."""

    worker: Worker
    switch_name: SwitchName
    switch: ObservedSwitch
    legs: AgentLegs
    recordings_root: Path
    music: str

    async def call(self) -> CallingParty:
        """Somebody dials in."""

    def device(self, part: Part) -> str:
        """What to dial for a phone that plays this part."""

    async def hang_up_all(self) -> None:
        """At the end: let go of all calls that are left, end them, and wait until they are gone."""
