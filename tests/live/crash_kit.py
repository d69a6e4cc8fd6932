"""A caller that can be told "wait until you hear this", for tests which do something to the service meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np

from cordboard.lab.call import Call
from cordboard.lab.caller import Caller
from cordboard.lab.hearing import Began, Heard
from cordboard.lab.journal import Entry
from cordboard.lab.listening import Listener
from cordboard.lab.rtp import SAMPLE_RATE_HZ
from cordboard.lab.stage import SAFE_PROMPT, Stage

ANI = "+442079460123"
SAID_MOST = 30  # lines
HEARD_S = 0.2
SILENCE_BELOW = 100  # of 32,767; the phone's melody is far above


class Guest:
    """One live call and what it has heard. Waiting is by events; each wait has a deadline."""

    def __init__(self, stage: Stage, call: Call) -> None:
        self.call = call
        self.stage = stage
        self.listener = Listener(call, stage.book)

    async def hears(self, prompt: str, within_s: float = 10.0, *, after: int = 0, whole: bool = False) -> float:
        """When (seconds of the call) the prompt began, for the (after + 1)th time; whole: wait for its end too."""
        kind = Heard if whole else Began
        until_s = self.call.now_s + within_s
        while len(found := self.events(kind, prompt)) <= after:
            if not await self.listener.changed(until_s):
                raise AssertionError(f"{prompt} was not heard; heard was {self.listener.events}; {self._said()}")
        return float(found[after].start_s)

    async def hears_somebody(self, within_s: float = 10.0) -> None:
        """Wait for the sound of the phone at the other end, where the PBX itself is silent."""
        async with asyncio.timeout(within_s):
            while self.longest_silence_s(self.call.now_s - HEARD_S, self.call.now_s) > HEARD_S / 2:
                await asyncio.sleep(HEARD_S)

    def longest_silence_s(self, start_s: float, upto_s: float) -> float:
        """The longest stretch without sound, in steps of 20 ms."""
        frame = SAMPLE_RATE_HZ // 50
        samples = self.call.heard.samples(start_s, upto_s).astype(float)
        frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
        longest = run = 0
        for is_silent in np.abs(frames).max(axis=1) < SILENCE_BELOW:
            run = run + 1 if is_silent else 0
            longest = max(longest, run)
        return longest / 50

    def _said(self) -> str:
        """The last that the service said of calls, and what it complained of."""
        said = [one for one in self.stage.journal.entries if "call_id" in one or one["level"] != "info"]
        return "\n".join(["the service said:", *map(str, said[-SAID_MOST:])])

    def events(self, kind: type, prompt: str) -> list[Any]:
        """What was heard of a prompt so far."""
        key = prompt if prompt == SAFE_PROMPT else self.stage.book.resolve(prompt, "en")
        return [event for event in self.listener.events if isinstance(event, kind) and key in event.prompts]


@contextlib.asynccontextmanager
async def guest(
    stage: Stage, dials: str = "6000", host: str = "127.0.0.2", ani: str = ANI, deadline_s: float = 5
) -> AsyncIterator[Guest]:
    """A caller who has dialled; hangs up in the end if still there. deadline_s: until somebody answers."""
    async with Caller(ani=ani, name="Ada", host=host) as caller:
        call = await caller.dial(dials, pbx=(stage.pbx.host, stage.pbx.sip_port), deadline_s=deadline_s)
        try:
            yield Guest(stage, call)
        finally:
            if call.end is None:
                await call.hang_up()


async def holder(stage: Stage) -> int:
    """The process id of the worker that has the one call now."""
    taken = [entry for entry in stage.journal.entries if entry["event"] in ("call_arrived", "call_resumed")]
    return stage.worker_pids()[taken[-1]["worker"]]


def logged_with(stage: Stage, secret: str) -> list[Entry]:
    """The lines of the service's log that have a secret in them; clocks and process ids may have its digits."""
    return [
        entry
        for entry in stage.journal.entries
        if any(secret in str(value) for name, value in entry.items() if name not in ("at", "pid"))
    ]


def all_workers_ready(stage: Stage) -> bool:
    """Whether each worker has said that it is ready since it last ended, and lives."""
    last: dict[int, str] = {}
    for entry in stage.journal.entries:
        if entry["event"] in ("worker_ready", "worker_ended"):
            last[entry["worker"]] = entry["event"]
    return set(last.values()) == {"worker_ready"} and all(map(_is_alive, stage.worker_pids()))


def _is_alive(pid: int) -> bool:
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text() if Path(f"/proc/{pid}").exists() else False


def strike(pid: int, how: signal.Signals) -> None:
    """Send a worker a signal. It may be gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, how)
