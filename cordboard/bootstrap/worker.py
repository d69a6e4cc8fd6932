"""One worker process: a FastAGI listener, the manager link, a store thread and a small health server.

SIGTERM drains: no new calls, each call is handed over between two verbs, and what is left after `drain_s` is
handed over as it is. SIGHUP loads the configuration anew for the calls to come.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
from pathlib import Path

import structlog
import uvloop

from agi_scripts.server import AgiServer
from agi_scripts.switch import AsteriskSwitch
from cordboard.bootstrap.configuration import Configuration, load_configuration, prepare_prompts
from cordboard.bootstrap.health import HealthServer, health_app, health_server
from cordboard.bootstrap.logs import configure_logs
from cordboard.errors import ConfigurationError, StoreUnavailable, SwitchError
from cordboard.service.house import Houses
from cordboard.service.messages import Messages
from cordboard.service.metrics import Metrics
from cordboard.service.reception import Reception
from cordboard.store.flow_runs import FlowRuns
from cordboard.store.writer import StoreThread, open_database

log = structlog.get_logger()


class WorkerProcess:
    """The parts of one worker and how they start and end."""

    def __init__(self, configuration: Configuration, files: Path | None, index: int) -> None:
        settings = configuration.settings
        self._configuration = configuration
        self._files = files
        self._index = index
        self._metrics = Metrics()
        self._store = StoreThread(open_database(configuration.state / "cordboard.db"))
        self._runs = FlowRuns(self._store)
        self._houses = Houses(configuration.house)
        self._messages = Messages(configuration.settings, configuration.voicemail_root)
        self._reception = Reception(self._houses, self._runs, self._metrics, self._messages.left)
        self._server = AgiServer(
            settings.listen.agi.host,
            settings.listen.agi.port + index,
            self._reception.take,
            configuration.library,
            recordings_root=configuration.voicemail_root,
            max_sessions=settings.max_calls,
        )
        ami = settings.asterisk.ami
        self._switch = AsteriskSwitch(ami.host, ami.port, ami.user, configuration.ami_secret)
        self._health = self._make_health()
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def _make_health(self) -> HealthServer:
        http = self._configuration.settings.listen.http
        return health_server(health_app(self._checks, self._metrics), http.host, http.port + self._index)

    def _checks(self) -> dict[str, bool]:
        return {
            "accepting": not self._stop.is_set(),
            "ami": self._switch.is_connected,
            "store": self._runs.is_healthy,
        }

    async def run(self, ready_fd: int | None) -> None:
        """Serve until SIGTERM."""
        failed = await prepare_prompts(self._configuration)
        self._listen_for_signals()
        self._store.start()
        self._switch.on_connected(self._reconcile)
        await self._switch.connect()
        await self._server.start()
        if self._index == 0:
            self._messages.resume_untold()
        web = asyncio.create_task(self._health.serve())
        gc.freeze()  # flows and modules live as long as we do: the collector need not look at them
        self._announce(ready_fd, unplayable=len(failed))
        await self._stop.wait()
        await self._drain()
        self._health.should_exit = True
        await web

    def _announce(self, ready_fd: int | None, unplayable: int) -> None:
        listen = self._configuration.settings.listen
        ports = {"agi_port": listen.agi.port + self._index, "http_port": listen.http.port + self._index}
        log.info("worker_ready", pid=os.getpid(), unplayable_prompts=unplayable, **ports)
        if ready_fd is not None:
            os.write(ready_fd, b"1")
            os.close(ready_fd)

    async def _drain(self) -> None:
        self._server.stop_accepting()
        self._reception.drain()
        log.info("draining", calls=self._server.session_count)
        await self._server.wait_idle(self._configuration.settings.drain_s)
        await self._server.aclose()
        await self._messages.aclose()
        await self._switch.aclose()
        self._store.close()
        log.info("worker_stopped")

    def _listen_for_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._begin_reload)

    def _begin_reload(self) -> None:
        task = asyncio.create_task(self._reload())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reload(self) -> None:
        try:
            fresh = load_configuration(self._configuration.directory, self._files)
        except ConfigurationError as fault:
            for finding in fault.findings:
                log.error("configuration_refused", **finding.as_json())
            return
        await self._configuration.library.prepare(fresh.prompts())
        self._houses.replace(fresh.house)
        self._messages.use(fresh.settings)
        log.info("configuration_loaded", flows=len(fresh.house.flows))

    async def _reconcile(self) -> None:
        """After the manager link came up: forget calls which the switch no longer has."""
        try:
            asked_at = time.time()
            legs = await self._switch.list_legs()
            ghosts = await self._runs.forget_ghosts({leg.leg_id for leg in legs}, asked_at)
        except (SwitchError, StoreUnavailable) as fault:
            log.warning("reconcile_failed", reason=str(fault))
            return
        log.info("reconciled", legs=len(legs), ghosts=ghosts)


def run_worker(directory: Path, files: Path | None, index: int, ready_fd: int | None) -> int:
    """The whole life of a worker process; returns the exit code."""
    configuration = load_configuration(directory, files)
    configure_logs(configuration.settings.log, worker=index)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(configuration, files, index, ready_fd))
    return 0


async def _serve(configuration: Configuration, files: Path | None, index: int, ready_fd: int | None) -> None:
    await WorkerProcess(configuration, files, index).run(ready_fd)
