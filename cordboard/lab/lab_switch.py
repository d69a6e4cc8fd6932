"""What the lab's switches have in common: a directory, a life from start to removal, and words when it fails.

`pbx` (Asterisk) and `freeswitch` are each one of these. What runs, what is written into its files and how one sees
that calls can come is theirs. Blocking work is done in threads, and to its end: what it made can then be removed.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, TypeVar

from cordboard.errors import LabError
from cordboard.lab import cleanup
from cordboard.lab.sounds import SAFE_DESTINATION

LOG_TAIL_LINES = 10
RETRY_EVERY_S = 0.02  # no event tells of a port that begins to listen

LinkT = TypeVar("LinkT")


@dataclass(frozen=True, slots=True)
class LiveChannel:
    """A channel that exists right now. age: as the switch writes it."""

    name: str
    unique_id: str
    state: str
    caller: str
    context: str
    extension: str
    application: str
    age: str


class Runs(Protocol):
    """What a switch runs in: `LabContainer`, `SwitchProcess`."""

    def kill(self) -> None:
        """SIGKILL; nothing happens if it does not run."""

    def start_again(self) -> None:
        """Start it after it was killed or has ended."""

    def pid(self) -> int:
        """Its pid on the host; 0 when it does not run."""

    def logs(self) -> str:
        """What it wrote to its output, all starts together."""

    def remove(self) -> None:
        """Kill it for good; harmless when it has ended."""


class LabSwitch(ABC):
    """One switch, named for people. Its paths can be read before it is started.

    boot_s: how long the last start took until calls could come. owner: `cleanup.STANDING` for a lab that is to
    outlive this program.
    """

    def __init__(self, name: str, run_dir: Path, owner: str, runs: Runs, ready_timeout_s: float) -> None:
        self.boot_s = 0.0
        self.run_dir = run_dir
        self.conf_dir = run_dir / "conf"
        self.sound_dir = run_dir / "sounds"
        self._name = name
        self._owner = owner
        self._runs = runs
        self._ready_timeout_s = ready_timeout_s
        self._forget = cleanup.on_exit(self._remove) if owner != cleanup.STANDING else _forget_nothing

    @property
    def safe_destination_sound(self) -> Path:
        """What a caller at the safe destination hears, as 8 kHz WAV."""
        return self.sound_dir / f"{SAFE_DESTINATION}.wav"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @abstractmethod
    async def start(self) -> None:
        """Sweep what dead owners left, start, and wait until calls can come. Raises LabError."""

    async def kill(self) -> None:
        """SIGKILL the switch, as a crash would. Calls, registrations and links are gone; the files stay."""
        await self._close_link()
        await asyncio.to_thread(self._runs.kill)

    async def restart(self) -> None:
        """Kill the switch if it runs, start it on the same ports and files, and wait until calls can come."""
        await self.kill()
        await self._boot(self._runs.start_again)

    async def stop(self) -> None:
        """Remove the switch and its files. Harmless when it was never started or is gone."""
        await self._close_link()
        await asyncio.to_thread(self._remove)
        self._forget()

    async def leave_running(self) -> None:
        """Let go of a standing lab's switch: it goes on when this program ends."""
        await self._close_link()

    def logs(self) -> str:
        """Everything the switch wrote, over all starts. Blocks for some milliseconds."""
        return self._runs.logs()

    def pid(self) -> int:
        """The switch's pid on the host; 0 when it does not run."""
        return self._runs.pid()

    # -- what each switch does in its own way --

    @abstractmethod
    async def _come_up(self) -> None:
        """Connect, and wait until calls can come."""

    @abstractmethod
    async def _close_link(self) -> None:
        """Let go of the lab's own connection."""

    # -- what they use --

    async def _boot(self, start: Callable[[], None]) -> None:
        """Start and wait. Raises LabError with the end of the log when the switch ends or takes too long."""
        began = time.monotonic()
        await to_the_end(start)
        try:
            async with asyncio.timeout(self._ready_timeout_s):
                await self._come_up()
        except TimeoutError as error:
            late = f"{self._name} was not up after {self._ready_timeout_s} s"
            raise LabError(await self._with_log(late)) from error
        self.boot_s = time.monotonic() - began

    async def _connect(self, connect: Callable[[], Awaitable[LinkT]]) -> LinkT:
        """Try until the switch lets us in."""
        while True:
            try:
                return await connect()
            except OSError:
                await self._still_starting()

    async def _still_starting(self) -> None:
        """A short wait. Raises LabError if the switch has ended instead."""
        await asyncio.sleep(RETRY_EVERY_S)
        if await asyncio.to_thread(self._has_ended):
            raise LabError(await self._with_log(f"{self._name} ended at its start"))

    def _has_ended(self) -> bool:
        return self.pid() == 0

    async def _with_log(self, message: str) -> str:
        log = await asyncio.to_thread(self.logs)
        return f"{message}; its log ends with:\n" + "\n".join(log.splitlines()[-LOG_TAIL_LINES:])

    def _write_all(self, files: Mapping[str, str]) -> None:
        """Write files of its configuration, name to text."""
        for name, text in files.items():
            path = self.conf_dir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    def _remove(self) -> None:
        self._runs.remove()
        cleanup.remove_run_dir(self.run_dir)


def silent(line: str) -> None:
    """A log nobody reads."""


async def to_the_end(work: Callable[[], None]) -> None:
    """Do blocking work in a thread. Cancelled, it waits for the thread, so that what it made can be removed."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.gather(working, return_exceptions=True)
        raise


def _forget_nothing() -> None:
    """What takes back a closer that was never registered."""
