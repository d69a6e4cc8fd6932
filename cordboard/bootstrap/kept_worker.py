"""One process of the service (a worker, the desk) as its supervisor sees it: started, watched, started again.

The signals it sends: SIGTERM for a restart (hand the calls over now, others serve), SIGUSR2 for the end of the
service (serve the calls to their end, as far as the time goes), SIGHUP for a new configuration.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

import structlog

from cordboard.bootstrap.pulse import follow_pulses
from cordboard.bootstrap.signals import hold_signals
from cordboard.errors import CordboardError

log = structlog.get_logger()

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0  # before a dead worker is started again
LONG_PAUSE_S = 30.0  # before what no call needs is: starts cost the calls
PROVED_AFTER_S = 30.0  # a worker that lived this long did not die of its start
FAILED_STARTS_MAX = 3  # of a worker that has never been ready: it will not be by trying
NOT_STARTED = -1
LAST_WORDS_S = 1.0  # to read why a process has ended, which is in the pipe by then
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)  # loaded before any fork


class WorkerNeverReady(CordboardError):
    """A worker did not come up, however often it was started; its own words stand on standard error."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a worker may take, in seconds.

    ready_s: from its start until calls can come. silent_s: between two signs of life. end_s: to let its calls end.
    roll_s: to hand its calls over; a caller who leaves a message may end it.
    """

    ready_s: float = 60.0
    silent_s: float = 20.0  # a verb's longest time without an answer is shorter by far
    end_s: float = 35.0
    roll_s: float = 155.0


class KeptWorker:
    """A process that is kept running from `start` to `stop`.

    name:     a worker's index, or "desk". command: the program, given the descriptor of its pulse pipe.
    is_vital: without it there is no service. What is not vital is tried for ever.
    ready:    it serves; tried: it has been ready once, or has failed once.
    """

    def __init__(
        self, name: int | str, command: Callable[[int], list[str]], patience: Patience, *, is_vital: bool = True
    ) -> None:
        self.name = name
        self._command = command
        self._patience = patience
        self._is_vital = is_vital
        self._refusal = self._told = ""  # why it could not begin: now, and as it was logged last
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._has_been_ready = False
        self._failed_starts = 0
        self.ready = asyncio.Event()
        self.tried = asyncio.Event()

    def start(self) -> asyncio.Task[None]:
        """Begin to keep it running. The task ends after `stop`, or with WorkerNeverReady."""
        self._keeper = asyncio.create_task(self._keep_running())
        return self._keeper

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process, if there is one."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def stop(self) -> None:
        """Let it serve its calls to their end and end it for good; one that does not end in time is killed."""
        self._stopping.set()
        self.send(signal.SIGUSR2)
        ended, _ = await asyncio.wait({self._keeper}, timeout=self._patience.end_s)
        if not ended:
            self._kill("worker_killed", after_s=self._patience.end_s)
            await asyncio.wait({self._keeper})

    async def roll(self) -> None:
        """Have it hand its calls over and end; wait for its successor. Raises TimeoutError if none is ready."""
        old = self._process
        self.send(signal.SIGTERM)
        if old is not None:
            await self._await_end(old)
            self.ready.clear()  # that of the old one
        await asyncio.wait_for(self.ready.wait(), self._patience.ready_s)

    async def _await_end(self, process: asyncio.subprocess.Process) -> None:
        try:
            await asyncio.wait_for(process.wait(), self._patience.roll_s)
        except TimeoutError:
            self._kill("worker_killed", after_s=self._patience.roll_s)
            await process.wait()

    async def _keep_running(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            began = time.monotonic()
            code = await self._run_once()
            self.tried.set()
            if self._stopping.is_set():
                return
            self._give_up_on_a_bad_start()
            has_proved = time.monotonic() - began > PROVED_AFTER_S
            longest_s = LONGEST_PAUSE_S if self._is_vital else LONG_PAUSE_S
            pause_s = FIRST_PAUSE_S if has_proved else min(pause_s * 2, longest_s)
            await self._pause(code, 0.0 if code == 0 else pause_s)  # 0: it was asked to end, as for a restart

    async def _pause(self, code: int, pause_s: float) -> None:
        if self._refusal:
            self._tell_refusal()
        else:
            ended_badly = log.error if self._failed_starts else log.warning  # without having been ready: error
            tell = log.info if code == 0 else ended_badly
            tell("worker_ended", worker=self.name, code=code, again_in_s=pause_s)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause_s)

    def _tell_refusal(self) -> None:
        """Once, however often it is tried: the next start will most likely say the same."""
        if self._refusal != self._told:
            event = "worker_not_started" if self._is_vital else f"{self.name}_not_started"
            log.error(event, worker=self.name, reason=self._refusal)
        self._told = self._refusal

    def _give_up_on_a_bad_start(self) -> None:
        """Raises WorkerNeverReady when trying on makes no sense."""
        if self._is_vital and not self._has_been_ready and self._failed_starts >= FAILED_STARTS_MAX:
            words = f"worker {self.name} ended {self._failed_starts} times before it was ready"
            raise WorkerNeverReady(f"{words}: {self._refusal}" if self._refusal else words)

    async def _run_once(self) -> int:
        """One life of the process: its exit code."""
        self._failed_starts += 1
        self._refusal = ""
        try:
            process, pulses = await self._spawn()
        except OSError as fault:
            self._refusal = str(fault)
            return NOT_STARTED
        with pulses:
            watcher = asyncio.create_task(self._watch(pulses))
            try:
                code = await process.wait()
                await asyncio.wait({watcher}, timeout=LAST_WORDS_S)
                return code
            finally:
                watcher.cancel()
                await asyncio.gather(watcher, return_exceptions=True)
                self.ready.clear()

    async def _spawn(self) -> tuple[asyncio.subprocess.Process, BinaryIO]:
        """A new process, and the pipe of its pulses. Raises OSError."""
        read_end, write_end = os.pipe()
        pulses = os.fdopen(read_end, "rb", buffering=0)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(write_end), pass_fds=(write_end,), preexec_fn=_before_exec
            )
        except BaseException:
            pulses.close()
            raise
        finally:
            os.close(write_end)
        if self._stopping.is_set():  # `stop` has found nobody to tell
            self.send(signal.SIGUSR2)
        return self._process, pulses

    async def _watch(self, pulses: BinaryIO) -> None:
        """Kill the process when it gives no sign of life."""
        patience = self._patience
        if not await follow_pulses(pulses, self._be_ready, self._be_refused, patience.ready_s, patience.silent_s):
            self._kill("worker_hung", was_ready=self.ready.is_set())

    def _be_ready(self) -> None:
        self._has_been_ready = True
        self._failed_starts = 0
        self._told = ""
        self.ready.set()
        self.tried.set()

    def _be_refused(self, reason: str) -> None:
        self._refusal = reason

    def _kill(self, event: str, **fields: object) -> None:
        log.error(event, worker=self.name, **fields)
        self.send(signal.SIGKILL)


def _before_exec() -> None:
    """Runs in the new process. If the supervisor dies, the kernel ends the worker as for the end of the service.

    Its calls may then finish here, while the service that comes next takes the new ones.
    """
    hold_signals()
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGUSR2)
