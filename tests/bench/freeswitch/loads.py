"""Where calls come from: a real FreeSWITCH where there is one, else the tests' fake, which speaks as one does.

A load places calls at a steady rate, whether or not earlier ones have ended, and says how long each took. On the
real one a call is a `null` channel: it plays and waits in frames of 20 ms as any other, and has no peer.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from cordboard.errors import LabError
from cordboard.lab.esl import LabEsl, LabEvent
from cordboard.lab.freeswitch import LabFreeswitch
from cordboard.lab.freeswitch_sources import NoFreeswitch, find_freeswitch
from tests.bench.freeswitch.script import DONE, LAST_EVENT, PLACE
from tests.doubles.fake_freeswitch import FakeFreeswitch

LONGEST_S = 30.0  # of one call; it lasts about half a second
_VERSION = re.compile(r"FreeSWITCH \(Version (\S+)")


@dataclass(frozen=True, slots=True)
class Burst:
    """Calls that were placed. took_ms: of each that went through the whole script; failures: of the others, by how
    they ended.
    """

    took_ms: list[float]
    failures: Counter[str]
    late_ms: float


class Load(Protocol):
    """What places calls. is_live: on a real FreeSWITCH; pid: of that, 0 where it is none of ours to measure."""

    is_live: bool
    version: str

    @property
    def pid(self) -> int: ...

    async def place(self, port: int, rate: int, calls: int) -> Burst:
        """So many calls to the program that listens there."""


class LiveLoad:
    """Calls on a real FreeSWITCH."""

    is_live = True

    def __init__(self, pbx: LabFreeswitch, esl: LabEsl, ends: asyncio.Queue[LabEvent], version: str) -> None:
        self.version = version
        self._pbx = pbx
        self._esl = esl
        self._ends = ends

    @property
    def pid(self) -> int:
        return self._pbx.pid()

    async def place(self, port: int, rate: int, calls: int) -> Burst:
        """By `bgapi originate`."""
        began: dict[str, float] = {}

        async def dial() -> None:
            leg_id = str(uuid.uuid4())
            began[leg_id] = time.monotonic()
            socket = f"'&socket(127.0.0.1:{port} async full)'"  # quoted: a blank ends an argument
            await self._esl.api(f"bgapi originate {{origination_uuid={leg_id}}}null/bench {socket}")

        collecting = asyncio.create_task(self._collect(began, calls))
        late_ms = await _steadily(dial, rate, calls)
        took_ms, failures = await collecting
        return Burst(took_ms, failures, late_ms)

    async def _collect(self, began: dict[str, float], calls: int) -> tuple[list[float], Counter[str]]:
        took_ms: list[float] = []
        failures: Counter[str] = Counter()
        with contextlib.suppress(TimeoutError):
            for _ in range(calls):
                async with asyncio.timeout(LONGEST_S):
                    end = await self._ends.get()
                if end.get(f"variable_{PLACE}") == DONE:
                    took_ms.append((time.monotonic() - began[end["Unique-ID"]]) * 1000)
                else:
                    failures[end.get("Hangup-Cause", "FreeSWITCH ended")] += 1
        return took_ms, _complete(failures, calls - len(took_ms))


class FakeLoad:
    """Calls on the fake, which lives in this process and is not measured."""

    is_live = False
    pid = 0
    version = "a fake FreeSWITCH"

    async def place(self, port: int, rate: int, calls: int) -> Burst:
        """From a fake of its own."""
        took_ms: list[float] = []
        calling: list[asyncio.Task[None]] = []
        async with FakeFreeswitch([port]) as switch:

            async def call() -> None:
                began = time.monotonic()
                channel = switch.call()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LONGEST_S):
                        await channel.ended.wait()
                    if channel.variables.get(PLACE) == DONE:
                        took_ms.append((time.monotonic() - began) * 1000)

            async def dial() -> None:
                calling.append(asyncio.create_task(call()))

            late_ms = await _steadily(dial, rate, calls)
            await asyncio.gather(*calling)
        return Burst(took_ms, _complete(Counter(), calls - len(took_ms)), late_ms)


def _complete(failures: Counter[str], failed: int) -> Counter[str]:
    """With those of whose end nobody heard."""
    return failures + Counter({"no end in time": failed - failures.total()})


@contextlib.asynccontextmanager
async def open_load() -> AsyncIterator[Load]:
    """On a real FreeSWITCH if there is one."""
    try:
        await asyncio.to_thread(find_freeswitch)
    except (NoFreeswitch, LabError) as reason:
        print(f"  against the fake FreeSWITCH: {reason}", flush=True)
        yield FakeLoad()
        return
    async with LabFreeswitch(log_level="warning") as pbx, pbx.esl.listen(LAST_EVENT) as ends:
        yield LiveLoad(pbx, pbx.esl, ends, await version_of(pbx))


async def version_of(pbx: LabFreeswitch) -> str:
    """ "FreeSWITCH 1.11.0"."""
    found = _VERSION.search(await pbx.command("status")) or re.search(
        r"Version (\S+)", await pbx.command("version")
    )
    return f"FreeSWITCH {found[1] if found else 'of unknown version'}"


async def _steadily(dial: Callable[[], Awaitable[None]], rate: int, calls: int) -> float:
    """Dial so often, at that rate. How late the latest was, in milliseconds."""
    began, late_s = time.monotonic(), 0.0
    for number in range(calls):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        late_s = max(late_s, time.monotonic() - due)
        await dial()
    return late_s * 1000
