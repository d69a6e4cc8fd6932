"""Callers, agents and the books of a service whose processes are about to be killed, for `test_queue_crash_safety`.

A `Line` is a caller, a `Seat` an agent with phone and desk, `Books` what the service has written. Times in the
books are wall time, times of calls are `time.monotonic()` or seconds of the call; `wall` brings them together.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from cordboard.lab.call import Call
from cordboard.lab.caller import Caller
from cordboard.lab.desk_client import DeskClient
from cordboard.lab.hearing import tone_share
from cordboard.lab.listening import Listener
from cordboard.lab.music import Music
from cordboard.lab.rtp import SAMPLE_RATE_HZ, tone
from cordboard.lab.sip_phone import SipPhone
from cordboard.lab.stage import Stage
from tests.live.crash_kit import Guest, strike

NUMBERS = {"waits": "6201", "rings": "6202", "whispers": "6203", "talks": "6204", "leaves": "6205", "first": "6206"}
CALLER_HZ, AGENT_HZ = 440.0, 700.0
SILENCE_BELOW = 100  # of 32,767
GAP_S = 0.5  # of music; a call that changes its worker has it too
SOON_S = 8.0
START_S = 60.0  # of a worker, where the machine has other work
LOOK_S = 0.02  # the database tells nobody when it has changed

_anis = count(1)


# -- callers --


class Line(Guest):
    """A caller. `ani` is of this one only, and finds it in the books."""

    def __init__(self, stage: Stage, call: Call, ani: str) -> None:
        self.call = call
        self.stage = stage
        self.ani = ani
        self.dialled_at = time.time() - call.now_s

    def listen(self) -> None:
        """Look for prompts in what is heard from now on; it takes some work."""
        self.listener = Listener(self.call, self.stage.book)

    def gap_s(self, start_s: float, upto_s: float | None = None) -> float:
        """The longest silence of a stretch; upto_s: None for what has surely come by now."""
        return self.longest_silence_s(start_s, self.call.now_s - 0.3 if upto_s is None else upto_s)

    async def hears_music(self, within_s: float = SOON_S) -> float:
        """Wait for the music; the second of the call in which it was known."""
        music = Music.from_file(self.stage.pbx.music_sound)
        await self._until(lambda: music.is_in(self.call.heard.samples()), within_s, "music")
        return self.call.now_s

    async def hears_agent(self, within_s: float = SOON_S) -> None:
        """Wait for the agent's tone."""
        await self._until(lambda: hears(self.call, AGENT_HZ), within_s, "the agent")

    async def hung_up(self, within_s: float = SOON_S) -> None:
        """Wait until the flow has ended the call."""
        async with asyncio.timeout(within_s):
            assert (await self.call.ended).by == "pbx"

    async def _until(self, condition: Callable[[], bool], within_s: float, what: str) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            assert self.call.end is None, f"{self.ani} was cut off: {self.call.end}"
            assert time.monotonic() < deadline, f"{self.ani} waited {within_s} s for {what} in vain"
            await asyncio.sleep(0.1)


def hears(call: Call, frequency_hz: float) -> bool:
    """Whether the last half second of a call was this tone."""
    return tone_share(call.heard.samples(max(0.0, call.heard.end_s - 0.5)), frequency_hz) > 0.9


@contextlib.asynccontextmanager
async def line(stage: Stage, queue: str) -> AsyncIterator[Line]:
    """A caller who has dialled the number of a queue and says a tone; hangs up in the end if still there."""
    ani = f"+4420794{next(_anis):05}"
    async with Caller(ani=ani, name="Ada", host="127.0.0.2") as caller:
        call = await caller.dial(NUMBERS[queue], pbx=(stage.pbx.host, stage.pbx.sip_port), deadline_s=8)
        call.speak(tone(CALLER_HZ, 1.0), repeat=True)
        yield Line(stage, call, ani)
        await call.hang_up()


# -- agents --


@dataclass(frozen=True)
class Seat:
    """An agent: phone and desk."""

    name: str
    phone: SipPhone
    desk: DeskClient

    async def ready(self) -> None:
        await self.desk.set_presence("available")

    async def rings(self, within_s: float = SOON_S) -> str:
        """Wait for a call; who calls."""
        return (await self.phone.incoming(within_s)).number

    async def talks(self, caller: Line) -> None:
        """Wait until both hear each other."""
        await caller.hears_agent()
        deadline = time.monotonic() + SOON_S
        while not hears(self.phone.leg, CALLER_HZ):
            assert time.monotonic() < deadline, f"{self.name} does not hear {caller.ani}"
            await asyncio.sleep(0.1)

    async def hang_up(self) -> float:
        """End the call; when that was, wall time. The next one may ring before we hear that it is over."""
        call = self.phone.call
        await self.phone.hang_up()
        return wall((await self.phone.closed(call=call)).closed_at)

    def gap_s(self, start: float) -> float:
        """The longest silence on the phone since a moment of `time.monotonic()`."""
        leg = self.phone.leg
        return longest_silence_s(leg, start - leg.started_at, leg.now_s - 0.3)


@contextlib.asynccontextmanager
async def seats(stage: Stage, *names: str) -> AsyncIterator[list[Seat]]:
    """Agents whose phones are registered, logged in at the desk and not ready yet."""
    async with contextlib.AsyncExitStack() as stack:
        yield list(await asyncio.gather(*(stack.enter_async_context(_seat(stage, name)) for name in names)))


@contextlib.asynccontextmanager
async def _seat(stage: Stage, name: str) -> AsyncIterator[Seat]:
    extension = stage.configuration.plan.agents[name].device.rpartition("/")[2]
    async with SipPhone(extension, stage.pbx) as phone, stage.desk(name) as desk:
        phone.speak(tone(AGENT_HZ, 1.0))
        yield Seat(name, phone, desk)


def longest_silence_s(call: Call, start_s: float, upto_s: float) -> float:
    """The longest stretch without sound, in steps of 20 ms."""
    frame = SAMPLE_RATE_HZ // 50
    samples = call.heard.samples(max(0.0, start_s), upto_s)
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    longest = run = 0
    for is_silent in np.abs(frames.astype(float)).max(axis=1) < SILENCE_BELOW:
        run = run + 1 if is_silent else 0
        longest = max(longest, run)
    return longest / 50


def wall(monotonic: float | None) -> float:
    """A moment of `time.monotonic()` as seconds since 1970."""
    assert monotonic is not None
    return time.time() - time.monotonic() + monotonic


# -- the books --


class Books:
    """What the service has written, read beside it."""

    def __init__(self, stage: Stage) -> None:
        self._path = stage.configuration.database

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        with contextlib.closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(sql, values).fetchall()

    def entry(self, caller: Line) -> sqlite3.Row | None:
        """The caller's latest place."""
        sql = (
            "select e.* from queue_entries e join callers c on c.call_id = e.call_id where c.ani = ?"
            " order by entered_at desc"
        )
        return next(iter(self.rows(sql, caller.ani)), None)

    def offer(self, caller: Line) -> sqlite3.Row | None:
        """The caller's latest offer."""
        sql = (
            "select o.* from offers o join callers c on c.call_id = o.call_id where c.ani = ? order by made_at desc"
        )
        return next(iter(self.rows(sql, caller.ani)), None)

    async def until(self, found: Callable[[], Any], within_s: float = SOON_S, what: object = "") -> Any:
        """What `found` gives as soon as it is something."""
        deadline = time.monotonic() + within_s
        while not (something := found()):
            assert time.monotonic() < deadline, f"not in the books within {within_s} s: {what or found}"
            await asyncio.sleep(LOOK_S)
        return something

    async def entered(self, caller: Line, within_s: float = SOON_S) -> sqlite3.Row:
        """The caller's place, once there is one."""
        return await self.until(lambda: self.entry(caller), within_s, f"{caller.ani} waits")

    async def offer_is(self, caller: Line, state: str, within_s: float = SOON_S) -> sqlite3.Row:
        """The caller's latest offer, once it is in that state."""

        def found() -> sqlite3.Row | None:
            offer = self.offer(caller)
            return offer if offer is not None and offer["state"] == state else None

        return await self.until(found, within_s, f"the offer of {caller.ani} is {state}")

    async def told(self, caller: Line, kind: str, within_s: float = SOON_S) -> float:
        """When, by the ledger, this happened to the caller last. Waits for it."""
        sql = (
            "select l.at from ledger l join callers c on c.call_id = l.call_id where c.ani = ? and kind = ?"
            " order by seq desc"
        )
        rows = await self.until(lambda: self.rows(sql, caller.ani, kind), within_s, f"{kind} of {caller.ani}")
        return float(rows[0]["at"])


# -- the service --


def worker_pid(stage: Stage, name: str) -> int:
    """The process of "worker-0"."""
    return stage.worker_pids()[int(name.removeprefix("worker-"))]


def observer(stage: Stage) -> str:
    """The name of the worker that observes."""
    return f"worker-{stage.journal.find('observer_begins')[-1]['worker']}"


def other(name: str) -> str:
    return "worker-1" if name == "worker-0" else "worker-0"


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "\nState:\tZ" not in status.read_text()


def desk_pid(stage: Stage) -> int:
    return int(stage.journal.find("desk_ready")[-1]["pid"])


async def waiters(stage: Stage, books: Books, stack: contextlib.AsyncExitStack) -> list[Line]:
    """Callers who wait in a queue whose agent is not there: at least two, some on each worker, in their order."""
    waiting: list[Line] = []
    owners: set[str] = set()
    while len(owners) < 2:
        waiting.append(await stack.enter_async_context(line(stage, "waits")))
        owners.add((await books.entered(waiting[-1]))["owner"])
        assert len(waiting) < 12, "the dialplan does not spread calls over the workers"
    await asyncio.gather(*(caller.hears_music() for caller in waiting))
    return waiting


async def made_whole(stage: Stage) -> None:
    """Wait until every process serves, somebody observes, and no channel is left."""
    for pid in (stage.service.pid, *stage.worker_pids()):
        strike(pid, signal.SIGCONT)
    await all_serve(stage)
    await stage.pbx.wait_for_no_channels()


async def all_serve(stage: Stage) -> None:
    """Wait until every process serves."""
    await stage.journal.wait_until(lambda: [{}] if _is_whole(stage) else [], START_S)


def _is_whole(stage: Stage) -> bool:
    """Whether each process has said that it is ready since it last ended, and lives; the desk is one."""
    last: dict[Any, str] = {}
    for entry in stage.journal.entries:
        if entry["event"] in ("worker_ready", "desk_ready", "worker_ended"):
            last[entry["worker"]] = entry["event"]
    pids = (*stage.worker_pids(), desk_pid(stage))
    return "worker_ended" not in last.values() and all(map(is_alive, pids))


# -- a database that cannot be written --


@contextlib.contextmanager
def locked(stage: Stage) -> Iterator[None]:
    """Somebody else holds the database's write lock."""
    connection = sqlite3.connect(stage.configuration.database, isolation_level=None, timeout=10)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()


@contextlib.contextmanager
def unwritable(stage: Stage) -> Iterator[None]:
    """Nothing can be written to any file, as with a disk that is full or broken."""
    pids = [*stage.worker_pids(), desk_pid(stage)]
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
