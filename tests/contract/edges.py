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

from cordboard.telephony.ports import Phone, SoundFile
from cordboard.telephony.verbs import Prompt

HELLO = Prompt("support", "hello", "en", "hello")
MISSING = Prompt("support", "missing", "en", "missing")
HELLO_S = 1.2
SHORT_S = 0.2

Part = Literal["answers", "patient", "busy", "rings", "rejects", "absent"]
"""What a phone does that is dialled: "answers" talks for 0.6 s and leaves, "patient" does not leave, "absent" has
never been there.
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
        await self._released.wait()

    async def phone(self, leg_id: str, within_s: float = 15.0) -> Phone:
        """The phone of a caller, each time that it arrives."""
        async with asyncio.timeout(within_s):
            return await self._phones[leg_id].get()

    def release(self) -> None:
        """Let go of all of them."""
        self._released.set()


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
    recordings_root: Path
    music: str

    async def call(self) -> CallingParty:
        """Somebody dials in."""

    def device(self, part: Part) -> str:
        """What to dial for a phone that plays this part."""

    async def hang_up_all(self) -> None:
        """At the end: let go of all calls that are left, end them, and wait until they are gone."""
