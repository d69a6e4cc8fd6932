"""One worker process: for each switch a server of calls and a link, a store thread and a small health server.

SIGTERM  drains: no new calls, each call is handed over between two verbs, for there are others to take it.
SIGUSR2  ends the service: no new calls, and those that are here go on until `drain_s` is almost over.
SIGHUP   loads the configuration anew for the calls to come.

What is left after `drain_s` is handed over as it is.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn

import structlog
import uvloop

from cordboard.bootstrap.acd_parts import AcdParts
from cordboard.bootstrap.configuration import (
    Configuration,
    load_configuration,
    prepare_prompts,
    read_surroundings,
)
from cordboard.bootstrap.edges import AllKeys, AllSwitches, open_edges
from cordboard.bootstrap.health import bind_health, health_app, health_server
from cordboard.bootstrap.logs import close_logs, configure_logs
from cordboard.bootstrap.older_flows import OlderFlows
from cordboard.bootstrap.ports import PortUnavailable, port_unavailable
from cordboard.bootstrap.process_limits import HAND_OVER_S, LONGEST_MESSAGE_S, UMASK
from cordboard.bootstrap.pulse import refusals_told, send_pulses
from cordboard.bootstrap.queue_logging import open_queue_log
from cordboard.bootstrap.revisions import Revisions
from cordboard.bootstrap.signals import let_signals_through
from cordboard.errors import ConfigurationError, StoreUnavailable
from cordboard.flows.surroundings import Surroundings
from cordboard.service.acd_metrics import AcdMetrics
from cordboard.service.agent_line import AgentLine
from cordboard.service.callbacks import Callbacks
from cordboard.service.callers import Callers
from cordboard.service.crossing import Crossing
from cordboard.service.errands import Errands
from cordboard.service.house import Houses
from cordboard.service.http_requests import HttpRequests
from cordboard.service.messages import Messages
from cordboard.service.metrics import Metrics
from cordboard.service.notes import Notes
from cordboard.service.observer import Observer
from cordboard.service.outside_caps import OutsideCaps
from cordboard.service.reception import Reception
from cordboard.service.scripts import Scripts
from cordboard.service.tracing import CallTraces, forget_old_traces
from cordboard.service.waiting_room import WaitingRoom
from cordboard.service.wakes import worker_name
from cordboard.store.agent_pins import StoredPins
from cordboard.store.flow_runs import FlowRuns
from cordboard.store.traces import TraceWriter
from cordboard.telephony.capabilities import SwitchName

log = structlog.get_logger()


class WorkerProcess:
    """The parts of one worker and how they start and end."""

    def __init__(self, configuration: Configuration, files: Path | None, index: int) -> None:
        settings = configuration.settings
        self._configuration = configuration
        self._files = files
        self._index = index
        self._tasks: set[asyncio.Future[None]] = set()
        self._metrics = Metrics()
        self._acd = AcdParts.open(configuration, worker_name(index))
        self._runs = FlowRuns(self._acd.store, self._acd.reader)
        self._trace_writer = TraceWriter(self._acd.store)
        self._traces = CallTraces(self._trace_writer, settings.trace.keep_days)
        older = OlderFlows(Revisions(configuration.state), self._surroundings, configuration.library)
        self._houses = Houses(configuration.house, older.find)
        self._messages = Messages(configuration.settings, configuration.voicemail_root)
        self._callers = Callers(self._acd.floor)
        self._waiting_room = WaitingRoom(self._acd.floor)
        self._edges = open_edges(configuration, index, lambda phone: self._reception.take(phone))
        self._caps = OutsideCaps()
        self._caps.use(settings.outside)
        self._crossing = Crossing(settings.reach())
        self._callbacks = Callbacks(self._acd.floor, AllSwitches(self._edges), self._caps)
        self._notes = Notes(self._acd.store, self._callbacks.book)
        self._agent_line = AgentLine(self._acd.floor, StoredPins(self._acd.reader))
        self._queue_log = open_queue_log(configuration, self._acd)
        self._acd_metrics = AcdMetrics(self._metrics.registry, self._acd.floor) if index == 0 else None
        self._errands = Errands(
            HttpRequests(configuration.open_web_services(), self._metrics),
            Scripts(settings.scripts, settings.script_pool, configuration.directory, self._metrics),
            self._notes,
            self._agent_line,
        )
        self._reception = Reception(
            self._houses,
            self._runs,
            self._metrics,
            self._messages,
            self._waiting_room,
            self._callers,
            errands=self._errands,
            trace=self._traces,
            caps=self._caps,
            crossing=self._crossing,
            called_back=self._callbacks,
        )
        self._waiting_room.keys = AllKeys(self._edges)
        self._legs_told: int | None = None  # how many the log has spoken of; None since the link came up
        self._edges.on_connected(self._expect_news)
        self._observers = [
            Observer(edge.switch, self._acd.floor, self._reconciler(edge.name), edge.name)
            for edge in self._edges.all
        ]
        for edge, observer in zip(self._edges.all, self._observers, strict=True):
            if edge.extras is not None:
                edge.extras.hear_ends(observer.observes, self._begin)
        self._health = health_server(
            health_app(self._checks, self._metrics, self._refresh_metrics, is_ready=self._edges.is_ready)
        )
        self._stop = asyncio.Event()
        self._hand_over = asyncio.Event()

    async def _refresh_metrics(self) -> None:
        """Those of queues are the same for all workers: the first one has them."""
        if self._acd_metrics is not None:
            await self._acd_metrics.refresh(self._acd.reader)

    def _checks(self) -> dict[str, bool]:
        return {
            "accepting": not self._stop.is_set(),
            **self._edges.checks(),
            "store": self._runs.is_healthy,
        }

    async def run(self, pulse_fd: int | None) -> None:
        """Serve until SIGTERM or SIGUSR2. Raises PortUnavailable."""
        self._listen_for_signals()
        failed = await prepare_prompts(self._configuration)
        port = self._bind_health()
        await self._listen_for_calls()
        self._acd.start()
        if self._queue_log is not None:
            self._queue_log.start()
        self._callers.use(self._configuration.open_crm())
        self._use_notes(self._configuration)
        self._errands.warm()
        await self._edges.connect()
        if self._index == 0:
            self._messages.resume_untold()
            self._begin(forget_old_traces(self._acd.store, lambda: self._traces.keep_days))
        web = asyncio.create_task(self._health.serve(sockets=[port]))
        await self._health.is_up.wait()
        gc.freeze()  # flows and modules live as long as we do: the collector need not look at them
        self._announce(pulse_fd, unplayable=len(failed))
        stop = asyncio.create_task(self._stop.wait())
        await asyncio.wait({stop, web}, return_when=asyncio.FIRST_COMPLETED)
        if web.done():  # nobody could see any more how this worker is: another one does better
            log.error("health_server_ended")
            self._hand_over.set()
        await self._drain()
        await web

    def _bind_health(self) -> socket.socket:
        """First of all: a worker that took calls and then had no health port would cost callers."""
        http = self._configuration.settings.listen.http
        try:
            return bind_health(http.host, http.port + self._index)
        except OSError as fault:
            raise self._port_fault("HTTP", http.host, http.port, fault) from fault

    async def _listen_for_calls(self) -> None:
        for edge in self._edges.all:
            try:
                await edge.start()
            except OSError as fault:
                raise self._port_fault(edge.kind, edge.listener.host, edge.listener.port, fault) from fault

    def _port_fault(self, kind: str, host: str, first: int, fault: OSError) -> PortUnavailable:
        return port_unavailable(
            f"{kind} port {host}:{first + self._index} of worker {self._index}", kind.lower(), fault
        )

    def _announce(self, pulse_fd: int | None, unplayable: int) -> None:
        listen = self._configuration.settings.listen
        ports = {f"{edge.kind.lower()}_port": edge.listener.port + self._index for edge in self._edges.all}
        ports |= {"http_port": listen.http.port + self._index}
        log.info("worker_ready", pid=os.getpid(), unplayable_prompts=unplayable, **ports)
        if pulse_fd is not None:
            self._begin(send_pulses(pulse_fd))

    async def _drain(self) -> None:
        """Let the calls end, hand over what is left, close everything. A successor may have the ports at once."""
        self._edges.stop_accepting()
        self._health.should_exit = True
        log.info("draining", calls=self._edges.session_count)
        began = time.monotonic()
        drain_s = self._configuration.settings.drain_s
        await self._let_calls_end(drain_s - HAND_OVER_S)
        self._reception.drain()
        await self._edges.wait_idle(max(began + drain_s - time.monotonic(), 0.0))
        if self._hand_over.is_set():  # at the end of the service a message is left to those who come next
            await self._reception.wait_recorded(LONGEST_MESSAGE_S)
        await self._edges.close_servers()
        await self._messages.aclose()
        for observer in self._observers:
            await observer.aclose()
        await self._callbacks.aclose()
        await self._edges.aclose()
        await self._callers.aclose()
        await self._errands.aclose()
        self._agent_line.close()
        self._notes.flush()
        self._trace_writer.flush()
        if self._queue_log is not None:
            await self._queue_log.aclose()
        await self._acd.aclose()
        log.info("worker_stopped")

    async def _let_calls_end(self, longest_s: float) -> None:
        """Wait until no call is here, or they are to be handed over."""
        idle = asyncio.create_task(self._edges.wait_idle(longest_s))
        hand_over = asyncio.create_task(self._hand_over.wait())
        if longest_s > 0:
            await asyncio.wait({idle, hand_over}, return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()
        hand_over.cancel()

    def _listen_for_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._leave_to_others)
        for number in (signal.SIGUSR2, signal.SIGINT):  # a terminal's Ctrl-C goes to the whole service
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._begin(self._reload()))
        let_signals_through()

    def _leave_to_others(self) -> None:
        self._hand_over.set()
        self._stop.set()

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reload(self) -> None:
        try:
            fresh = load_configuration(self._configuration.directory, self._files)
            crm, services = fresh.open_crm(), fresh.open_web_services()
        except ConfigurationError as fault:
            for finding in fault.findings:
                log.error("configuration_refused", **finding.as_json())
            return
        await self._configuration.library.prepare(fresh.prompts())
        self._callers.use(crm)
        self._use_notes(fresh)
        await self._errands.use(services, fresh.settings.scripts, fresh.settings.script_pool)
        self._houses.replace(fresh.house)
        self._acd.floor.use(fresh.plan)
        self._messages.use(fresh.settings)
        self._caps.use(fresh.settings.outside)
        self._crossing.use(fresh.settings.reach())
        self._traces.keep_days = fresh.settings.trace.keep_days
        configure_logs(fresh.settings.log, worker=self._index)
        log.info("configuration_loaded", flows=len(fresh.house.flows))

    def _use_notes(self, configuration: Configuration) -> None:
        settings = configuration.settings
        self._notes.use(settings.country or "", settings.dial_policy())
        self._callbacks.use(settings.dial_policy())

    def _surroundings(self) -> Surroundings | None:
        """What the flow of a call that began before this process is compiled against."""
        return read_surroundings(self._files or self._configuration.directory)

    def _expect_news(self) -> None:
        self._legs_told = None

    def _reconciler(self, switch: SwitchName) -> Callable[[set[str], float], Awaitable[None]]:
        """What follows a comparison with one switch. Calls of another one are no ghosts: its legs count, too."""

        async def reconciled(live_legs: set[str], listed_at: float) -> None:
            if (others := await self._edges.legs_beside(switch)) is not None:
                await self._forget_ghosts(live_legs | others, listed_at)
            await self._edges.rescue(switch)

        return reconciled

    async def _forget_ghosts(self, live_legs: set[str], listed_at: float) -> None:
        """The switch has said which legs live: forget calls whose leg is gone."""
        try:
            ghosts = await self._runs.forget_ghosts(live_legs, listed_at)
        except StoreUnavailable as fault:
            log.warning("reconcile_failed", reason=str(fault))
            return
        is_news = bool(ghosts) or len(live_legs) != self._legs_told
        tell = log.info if is_news else log.debug  # it is every few seconds
        tell("reconciled", legs=len(live_legs), ghosts=ghosts)
        self._legs_told = len(live_legs)


def run_worker(directory: Path, files: Path | None, index: int, pulse_fd: int | None) -> NoReturn:
    """The whole life of a worker process. Raises CordboardError if it cannot begin."""
    os.umask(UMASK)
    with refusals_told(pulse_fd):
        configuration = load_configuration(directory, files)
        configure_logs(configuration.settings.log, worker=index)
        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        runner.run(_serve(configuration, files, index, pulse_fd))
    _leave()


def _leave() -> NoReturn:
    """End now: everything is closed but, perhaps, a thread that waits for a mail server which does not answer."""
    close_logs()
    sys.stdout.flush()
    os._exit(0)


async def _serve(configuration: Configuration, files: Path | None, index: int, pulse_fd: int | None) -> None:
    await WorkerProcess(configuration, files, index).run(pulse_fd)
