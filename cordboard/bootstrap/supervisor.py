"""`cordboard run`: one process that keeps N workers running.

SIGTERM  drains all workers and ends.
SIGHUP   checks the configuration; good, every worker loads it; bad, the faults are logged and all stays as is.
SIGUSR1  restarts the workers one after the other (after an upgrade): each drains while the others serve.

Workers read a copy of the last good configuration, so that a worker which dies while a file on disk is half
edited comes back with what is running.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

import structlog

from cordboard.bootstrap.configuration import Configuration, load_configuration, prepare_prompts
from cordboard.bootstrap.logs import configure_logs
from cordboard.errors import ConfigurationError

log = structlog.get_logger()

READY_DEADLINE_S = 60.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0  # before a dead worker is started again
PROVED_AFTER_S = 30.0  # a worker that lived this long did not die of its start
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)  # loaded before any fork


class Worker:
    """One worker process, started again whenever it ends."""

    def __init__(self, index: int, command: Callable[[int, int], list[str]], grace_s: float) -> None:
        self._index = index
        self._command = command
        self._grace_s = grace_s
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self.ready = asyncio.Event()

    async def keep_running(self) -> None:
        """Start it, and start it again, until `stop`."""
        pause_s = FIRST_PAUSE_S
        while not self._stopping:
            began = time.monotonic()
            code = await self._run_once()
            if self._stopping:
                return
            pause_s = (
                FIRST_PAUSE_S if time.monotonic() - began > PROVED_AFTER_S else min(pause_s * 2, LONGEST_PAUSE_S)
            )
            if code == 0:
                pause_s = 0.0  # it was asked to end, as in a rolling restart
            log.warning("worker_ended", worker=self._index, code=code, again_in_s=pause_s)
            await asyncio.sleep(pause_s)

    async def _run_once(self) -> int:
        self.ready.clear()
        read_end, write_end = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(self._index, write_end), pass_fds=(write_end,), preexec_fn=_end_with_parent
            )
        finally:
            os.close(write_end)
        watcher = asyncio.ensure_future(self._watch_ready(read_end))
        try:
            return await self._process.wait()
        finally:
            watcher.cancel()
            self.ready.clear()

    async def _watch_ready(self, read_end: int) -> None:
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb")
        )
        try:
            if await reader.read(1):
                self.ready.set()
        finally:
            transport.close()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process, if there is one."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def stop(self) -> None:
        """Drain it for good; a worker that does not end in time is killed."""
        self._stopping = True
        self.send(signal.SIGTERM)
        await self._await_end()

    async def roll(self) -> None:
        """Drain it and wait for its successor to be ready."""
        self.send(signal.SIGTERM)
        await self._await_end()
        await asyncio.wait_for(self.ready.wait(), READY_DEADLINE_S)

    async def _await_end(self) -> None:
        process = self._process
        if process is None:
            return
        try:
            await asyncio.wait_for(process.wait(), self._grace_s)
        except TimeoutError:
            log.error("worker_killed", worker=self._index, after_s=self._grace_s)
            process.kill()
            await process.wait()


class Supervisor:
    """The parent of all workers."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.absolute()
        self._workers: list[Worker] = []
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, configuration: Configuration) -> int:
        """Run until SIGTERM or SIGINT. Returns the exit code."""
        settings = configuration.settings
        await prepare_prompts(configuration)
        self._keep(configuration)
        self._workers = [Worker(index, self._command, settings.drain_s + 5.0) for index in range(settings.workers)]
        self._listen_for_signals()
        keepers = [asyncio.create_task(worker.keep_running()) for worker in self._workers]
        self._begin(self._announce())
        await self._stop.wait()
        await asyncio.gather(*(worker.stop() for worker in self._workers))
        await asyncio.gather(*keepers)
        log.info("service_stopped")
        return 0

    def _command(self, index: int, ready_fd: int) -> list[str]:
        return [
            sys.executable, "-m", "cordboard", "worker", "--config", str(self._directory),
            "--files", str(self._active), "--index", str(index), "--ready-fd", str(ready_fd),
        ]  # fmt: skip

    def _keep(self, configuration: Configuration) -> None:
        """Copy the YAML files of a good configuration to where workers read them, and switch over at once."""
        fresh = configuration.state / f"active-{time.time_ns()}"
        for file in configuration.files:
            copy = fresh / file.relative_to(self._directory)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        link = configuration.state / "active"
        fresh.with_suffix(".link").symlink_to(fresh)
        fresh.with_suffix(".link").replace(link)
        for old in configuration.state.glob("active-*"):
            if old != fresh:
                shutil.rmtree(old)
        self._active = link

    def _listen_for_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._begin(self._reload()))
        loop.add_signal_handler(signal.SIGUSR1, lambda: self._begin(self._roll()))

    async def _announce(self) -> None:
        await asyncio.gather(*(worker.ready.wait() for worker in self._workers))
        log.info("service_ready", workers=len(self._workers), pid=os.getpid())

    async def _reload(self) -> None:
        try:
            configuration = load_configuration(self._directory)
        except ConfigurationError as fault:
            for finding in fault.findings:
                log.error("configuration_refused", **finding.as_json())
            return
        await prepare_prompts(configuration)
        self._keep(configuration)
        for worker in self._workers:
            worker.send(signal.SIGHUP)

    async def _roll(self) -> None:
        for worker in self._workers:
            await worker.roll()
        log.info("service_rolled", workers=len(self._workers))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _end_with_parent() -> None:
    """Have the kernel send this worker SIGTERM if the supervisor dies, so that it drains and frees its port."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def run_service(directory: Path) -> int:
    """`cordboard run`: load, check, supervise. Raises ConfigurationError before anything is started."""
    configuration = load_configuration(directory)
    configure_logs(configuration.settings.log, worker="supervisor")
    return asyncio.run(Supervisor(directory).run(configuration))
