"""The service under test as a process of its own, its log read line by line into a journal. `stage` starts it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from cordboard.errors import LabError
from cordboard.lab import cleanup
from cordboard.lab.journal import Entry, Journal

READY_S = 60.0  # the first start speaks all prompts
STOP_S = 40.0  # a drain may take the 25 s of its setting
MAX_LINE = 1 << 20
_KEPT_LINES = 40


class ServiceProcess:
    """`cordboard run` on a configuration directory. environment: settings on top of its files."""

    def __init__(self, config: Path, environment: Mapping[str, str], journal: Journal) -> None:
        self.journal = journal
        self._config = config
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._complaints: deque[str] = deque(maxlen=_KEPT_LINES)
        self._forget_at_exit: Callable[[], None] | None = None

    @property
    def pid(self) -> int:
        """The supervisor's process id. Raises LabError if it was never started."""
        if self._process is None:
            raise LabError("the service has not been started")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the supervisor lives."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it and wait until all workers are ready. Raises LabError with what it said if it ends before."""
        before = len(self.journal.entries)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cordboard", "run", "--config", str(self._config)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**cleanup.environment(), **self._environment},
            limit=MAX_LINE,
            start_new_session=True,
        )
        self._forget_at_exit = cleanup.on_exit(self._kill_group)
        assert self._process.stdout is not None and self._process.stderr is not None
        self._readers = [
            asyncio.create_task(self._read(self._process.stdout, self._take_line)),
            asyncio.create_task(self._read(self._process.stderr, self._complaints.append)),
        ]
        await self._ready(self._process, before)

    async def stop(self) -> None:
        """End it by SIGTERM, by SIGKILL if it does not obey. May be called when it has ended."""
        if self._process is not None and self.is_running:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), STOP_S)
        await self.kill()

    async def kill(self) -> None:
        """End it and its workers at once, as a power cut does."""
        self._kill_group()
        if self._process is not None:
            await self._process.wait()
        await asyncio.gather(*self._readers, return_exceptions=True)
        if self._forget_at_exit is not None:
            self._forget_at_exit()
            self._forget_at_exit = None

    async def _ready(self, process: asyncio.subprocess.Process, before: int) -> None:
        ready = asyncio.create_task(self.journal.wait_until(lambda: self._announced(before), READY_S))
        ended = asyncio.create_task(process.wait())
        try:
            await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done() or ready.exception() is not None:
                await self.kill()
                raise LabError(f"the service did not become ready:\n{self._last_words()}")
        finally:
            for task in (ready, ended):
                task.cancel()
            await asyncio.gather(ready, ended, return_exceptions=True)

    def _announced(self, before: int) -> list[Entry]:
        """The lines of a service and of all its workers which are ready; nothing while one is still missing.

        A worker's line may come after the supervisor's. before: how many lines there were at the start.
        """
        said = self.journal.entries[before:]
        service = [entry for entry in said if entry["event"] == "service_ready"]
        workers = [entry for entry in said if entry["event"] == "worker_ready"]
        return workers if service and len(workers) >= service[0]["workers"] else []

    def _last_words(self) -> str:
        logged = [json.dumps(entry) for entry in self.journal.entries[-5:]]
        return "\n".join((*logged, *self._complaints)) or "it said nothing"

    async def _read(self, stream: asyncio.StreamReader, take: Callable[[str], None]) -> None:
        while line := await stream.readline():
            take(line.decode("utf-8", "replace").rstrip())

    def _take_line(self, line: str) -> None:
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if isinstance(entry, dict):
            self.journal.add(entry)
        else:
            self._complaints.append(line)

    def _kill_group(self) -> None:
        """The supervisor is the leader of a session of its own, so its workers go with it."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
