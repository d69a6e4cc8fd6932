"""The desk's process: the web server for agents' browsers. Calls do not depend on it.

SIGTERM, SIGUSR2  end it; browsers reconnect to its successor by themselves.
SIGHUP            loads queues, agents, customer fields and flows anew.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

import structlog
import uvloop

from cordboard.bootstrap.acd_parts import AcdParts
from cordboard.bootstrap.configuration import Configuration, load_configuration
from cordboard.bootstrap.health import bind_health
from cordboard.bootstrap.live_flows import LiveFlows
from cordboard.bootstrap.logs import close_logs, configure_logs
from cordboard.bootstrap.ports import port_unavailable
from cordboard.bootstrap.process_limits import UMASK
from cordboard.bootstrap.pulse import refusals_told, send_pulses
from cordboard.bootstrap.signals import let_signals_through
from cordboard.bootstrap.stored_kpis import StoredKpis
from cordboard.desk.app import desk_app
from cordboard.desk.server import desk_server
from cordboard.errors import ConfigurationError, CordboardError
from cordboard.service.wakes import DESK
from cordboard.store.accounts import StoredAccounts

log = structlog.get_logger()


class DeskEnded(CordboardError):
    """The desk serves no more, and nobody has asked it to end."""


class DeskProcess:
    """The parts of the desk and how they start and end."""

    def __init__(self, configuration: Configuration, files: Path | None) -> None:
        self._configuration = configuration
        self._files = files
        self._crm = configuration.crm
        self._acd = AcdParts.open(configuration, DESK)
        self._accounts = StoredAccounts(self._acd.store, self._acd.reader)
        self._flows = LiveFlows(configuration)
        zone = ZoneInfo(configuration.settings.zone)
        self._kpis = StoredKpis(configuration.database, lambda: self._acd.floor.plan, zone)
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, pulse_fd: int | None) -> None:
        """Serve until a signal. Raises PortUnavailable."""
        self._listen_for_signals()
        listen = self._configuration.settings.listen.desk
        try:
            port = bind_health(listen.host, listen.port)
        except OSError as fault:
            raise port_unavailable(f"desk port {listen.host}:{listen.port}", "desk", fault) from fault
        self._acd.start()
        app = desk_app(
            self._acd.floor,
            self._accounts,
            self._flows,
            crm=lambda: self._crm,
            kpis=self._kpis,
            https=listen.https,
        )
        server = desk_server(app, https=listen.https)
        web = asyncio.create_task(server.serve(sockets=[port]))
        await server.is_up.wait()
        gc.freeze()
        log.info("desk_ready", pid=os.getpid(), url=f"http://{listen.host}:{listen.port}/")
        if pulse_fd is not None:
            self._begin(send_pulses(pulse_fd))
        stop = asyncio.create_task(self._stop.wait())
        await asyncio.wait({stop, web}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await web
        await self._flows.aclose()
        self._kpis.close()
        await self._acd.aclose()
        if not self._stop.is_set():
            raise DeskEnded("the web server has ended by itself")
        log.info("desk_stopped")

    def _listen_for_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGUSR2, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        let_signals_through()

    def _reload(self) -> None:
        try:
            fresh = load_configuration(self._configuration.directory, self._files)
        except ConfigurationError as fault:
            for finding in fault.findings:
                log.error("configuration_refused", **finding.as_json())
            return
        self._crm = fresh.crm
        self._acd.floor.use(fresh.plan)
        self._flows.use(fresh)
        configure_logs(fresh.settings.log, worker=DESK)
        log.info("configuration_loaded", agents=len(fresh.plan.agents))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def run_desk(directory: Path, files: Path | None, pulse_fd: int | None) -> NoReturn:
    """The whole life of the desk's process. Raises CordboardError if it cannot begin."""
    os.umask(UMASK)
    with refusals_told(pulse_fd):
        configuration = load_configuration(directory, files)
        configure_logs(configuration.settings.log, worker=DESK)
        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        runner.run(_serve(configuration, files, pulse_fd))
    close_logs()
    sys.stdout.flush()
    os._exit(0)


async def _serve(configuration: Configuration, files: Path | None, pulse_fd: int | None) -> None:
    await DeskProcess(configuration, files).run(pulse_fd)
