"""`cordboard run`: one process that keeps N workers and the desk running.

SIGTERM  ends the service: no new calls, live ones go on for up to `drain_s`.
SIGHUP   checks the configuration; good, every worker loads it; bad, the faults are logged and all stays as is. So
         does a saved file, and `cordboard flow publish`, which is SIGHUP with a request beside it.
SIGUSR1  restarts the workers one after the other (after an upgrade): each drains while the others serve.

Checking and keeping configurations is `publishing`'s, keeping one worker alive `kept_worker`'s.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path

import structlog

from cordboard.bootstrap.configuration import Configuration, load_configuration, restart_needed
from cordboard.bootstrap.kept_worker import KeptWorker, Patience
from cordboard.bootstrap.logs import configure_logs
from cordboard.bootstrap.process_limits import CLOSE_S, LONGEST_MESSAGE_S, UMASK
from cordboard.bootstrap.publishing import Publisher
from cordboard.bootstrap.requests import Answer, Request, waiting_requests
from cordboard.bootstrap.revisions import Cause
from cordboard.bootstrap.signals import let_signals_through
from cordboard.bootstrap.state_lock import held_state, unwritable
from cordboard.bootstrap.watching import saved_files
from cordboard.errors import CordboardError
from cordboard.service.wakes import DESK, Wakes

log = structlog.get_logger()


class Supervisor:
    """The parent of all workers. configuration: what is running; at first only its settings count."""

    def __init__(self, configuration: Configuration) -> None:
        self._first = configuration
        self._publisher = Publisher(configuration)
        end_s = configuration.settings.drain_s + CLOSE_S
        patience = Patience(end_s=end_s, roll_s=end_s + LONGEST_MESSAGE_S)
        self._workers = [self._kept_worker(index, patience) for index in range(configuration.settings.workers)]
        desks = [KeptWorker(DESK, self._desk_command, patience, is_vital=False)]
        self._desks = desks if configuration.plan.agents else []
        self._processes = self._workers + self._desks
        self._stop = asyncio.Event()
        self._changing = asyncio.Lock()  # one change at a time: the start, a reload, a rolling restart
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None

    async def run(self) -> int:
        """Run until SIGTERM or SIGINT. Returns the exit code. Raises CordboardError if it cannot run."""
        self._listen_for_signals()
        stopping = asyncio.create_task(self._stop.wait())
        starting = asyncio.create_task(self._start())  # speaking all prompts may take minutes
        await asyncio.wait({stopping, starting}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.wait({starting})
            return await self._end(())
        keepers = await starting
        self._begin(self._announce())
        await asyncio.wait({stopping, *keepers}, return_when=asyncio.FIRST_COMPLETED)
        return await self._end(keepers)

    async def _start(self) -> Sequence[asyncio.Task[None]]:
        """Check, prepare, and begin to keep the workers. Raises ConfigurationError, StateUnwritable."""
        async with self._changing:
            try:
                published = await self._publisher.take(Cause("start"))
            except OSError as fault:
                raise unwritable(self._first.state, fault) from fault
            self._watch(published.configuration.settings.watch)
            return [process.start() for process in self._processes]

    async def _end(self, keepers: Sequence[asyncio.Task[None]]) -> int:
        """Stop all workers. 1 if a keeper has ended before; raises what it raised if that was on purpose."""
        is_asked = self._stop.is_set()
        for task in tuple(self._tasks):
            task.cancel()
        if keepers:
            await asyncio.gather(*(process.stop() for process in self._processes))
        ends = await asyncio.gather(*keepers, return_exceptions=True)
        for fault in (end for end in ends if isinstance(end, BaseException)):
            if isinstance(fault, CordboardError):
                raise fault
            log.error("keeper_failed", exc_info=fault)
        log.info("service_stopped")
        return 0 if is_asked else 1

    def _kept_worker(self, index: int, patience: Patience) -> KeptWorker:
        return KeptWorker(
            index, lambda pulse_fd: self._command("worker", pulse_fd, "--index", str(index)), patience
        )

    def _desk_command(self, pulse_fd: int) -> list[str]:
        return self._command("desk", pulse_fd)

    def _command(self, program: str, pulse_fd: int, *options: str) -> list[str]:
        return [
            sys.executable, "-m", "cordboard", program, "--config", str(self._first.directory),
            "--files", str(self._publisher.active), "--pulse-fd", str(pulse_fd), *options,
        ]  # fmt: skip

    def _listen_for_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._begin(self._be_told()))
        loop.add_signal_handler(signal.SIGUSR1, lambda: self._begin(self._roll()))
        let_signals_through()

    async def _announce(self) -> None:
        """Say that calls can come. The desk is waited for as long as it may still be starting, and no longer."""
        await asyncio.gather(*(worker.ready.wait() for worker in self._workers))
        await asyncio.gather(*(desk.tried.wait() for desk in self._desks))
        log.info("service_ready", workers=len(self._workers), pid=os.getpid())

    async def _be_told(self) -> None:
        """Take the files as they are now, for everybody who asks."""
        requests: list[Request] = []
        async with self._changing:
            try:
                requests = waiting_requests(self._first.state)
            except OSError as fault:
                log.error("requests_unreadable", reason=str(fault))
            for request in requests:
                answer = await self._reload(request.cause)
                try:
                    request.answer(answer)
                except OSError as fault:
                    log.error("request_not_answered", reason=str(fault))
            if not requests:
                await self._reload(Cause("reload"))

    async def _follow_saves(self) -> None:
        """Take the files whenever somebody has saved one."""
        async for saved in saved_files(self._first.directory):
            async with self._changing:
                try:
                    if all(path.suffix == ".yaml" for path in saved) and self._publisher.is_current():
                        log.debug("saved_unchanged")
                        continue
                except OSError as fault:  # a file that was there a moment ago: its removal is told of, too
                    log.info("not_readable_yet", reason=str(fault))
                    continue
                await self._reload(Cause("watch"))

    def _watch(self, is_wanted: bool) -> None:
        if is_wanted == (self._watching is not None):
            return
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        else:
            self._watching = self._begin(self._follow_saves())

    async def _reload(self, cause: Cause) -> Answer:
        published, answer = await self._publisher.try_take(cause)
        if published is not None:
            self._use(published.configuration)
            self._begin(self._publisher.drop_old_revisions())
        else:
            self._wake_desk()
        return answer

    def _wake_desk(self) -> None:
        """Admins see what was refused at once, and not when the desk looks next."""
        wakes = Wakes(self._first.state / "wakes", "supervisor", lambda: None)
        wakes.wake([DESK])
        wakes.close()

    def _use(self, configuration: Configuration) -> None:
        configure_logs(configuration.settings.log, worker="supervisor")
        self._watch(configuration.settings.watch)
        names = restart_needed(self._first.settings, configuration.settings)
        if configuration.plan.agents and not self._desks:
            names.append("the desk, for the first agents")
        if names:
            log.warning("restart_needed", settings=names)
        for process in self._processes:
            process.send(signal.SIGHUP)

    async def _roll(self) -> None:
        async with self._changing:
            for index, process in enumerate(self._processes):
                try:
                    await process.roll()
                except TimeoutError:
                    log.error("roll_given_up", worker=process.name, left=len(self._processes) - index - 1)
                    return
        log.info("service_rolled", workers=len(self._workers))

    def _begin(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def run_service(directory: Path) -> int:
    """`cordboard run`: load, check, supervise. Raises ConfigurationError, StateInUse or StateUnwritable before
    anything is started.
    """
    os.umask(UMASK)
    configuration = load_configuration(directory)
    with held_state(configuration.state):
        configure_logs(configuration.settings.log, worker="supervisor")
        return asyncio.run(_supervise(configuration))


async def _supervise(configuration: Configuration) -> int:
    return await Supervisor(configuration).run()
