"""The inbound link: one connection to FreeSWITCH's event socket, kept up; commands out, events in.

Used by `FreeswitchSwitch`. Nothing is ever sent twice; every command has a deadline and every future an end; a peer
that stops answering is noticed by an unanswered ping.

    connecting -> logging in, asking for events -> connected -> lost -> (0.1 to 2 s) -> connecting
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import uuid
from collections.abc import Callable, Sequence

import structlog

from cordboard.errors import OutcomeUnknown, SwitchError, SwitchRefused, SwitchUnavailable
from esl_apps import commands, events
from esl_apps.events import EslEvent
from esl_apps.hub import EslHub
from esl_apps.safe_esl import SafeEvent, ToAsyncio
from esl_apps.safe_link import CONNECT_S, SafeInbound

BACKOFF_MIN_S = 0.1
BACKOFF_MAX_S = 2.0
JOBS_MAX = 2000  # jobs that have not ended; more means a FreeSWITCH that is stuck, or a caller gone wild

_log = structlog.get_logger(__name__)


class EslLink:
    """Keeps one connection up, and sends commands over it.

    filters: of the events asked for only those are sent which have one of these values; BACKGROUND_JOB always is.
    """

    def __init__(
        self,
        host: str,
        port: int,
        secret: str,
        *,
        hub: EslHub,
        filters: Sequence[tuple[str, str]] = (),
        ping_s: float = 2.0,
        action_s: float = 5.0,
    ) -> None:
        self._address = (host, port, secret)
        self._hub = hub
        self._filters = [("Event-Name", events.JOB), *filters] if filters else []
        self._ping_s = ping_s
        self._action_s = action_s
        self._line: SafeInbound | None = None
        self._connecting: asyncio.Future[None] | None = None
        self._lost: asyncio.Future[None] | None = None
        self._connected = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._callbacks: dict[str, list[Callable[[EslEvent], None]]] = {events.JOB: [self._take_job]}
        self._on_connected: list[Callable[[], None]] = []
        self._jobs: dict[str, asyncio.Future[str]] = {}

    @property
    def is_connected(self) -> bool:
        """Whether we are logged in."""
        return self._connected.is_set()

    def on_connected(self, callback: Callable[[], None]) -> None:
        """Call this after each log-in: events were missed meanwhile."""
        self._on_connected.append(callback)

    def on_event(self, name: str, callback: Callable[[EslEvent], None]) -> None:
        """Call this with each event of a name ("CHANNEL_BRIDGE", "CUSTOM sofia::register"), in order."""
        line = commands.listen([name])
        self._callbacks.setdefault(name, []).append(callback)
        if self._line is not None and self.is_connected:
            self._hub.call(self._line.post, line, self._note_fault())

    def start(self) -> None:
        """Begin to connect, and stay connected until `aclose`."""
        if self._keeper is None:
            self._keeper = asyncio.get_running_loop().create_task(self._keep_connected())

    async def wait_connected(self, deadline_s: float) -> None:
        """Wait for the link. Raises SwitchUnavailable after the deadline."""
        try:
            async with asyncio.timeout(deadline_s):
                await self._connected.wait()
        except TimeoutError as error:
            raise SwitchUnavailable("no event socket link to FreeSWITCH", switch="freeswitch") from error

    async def aclose(self) -> None:
        """Disconnect for good."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper

    async def api(self, command: str, *, longest_s: float | None = None, changes: bool = True) -> str:
        """A command that ends at once, and its answer. One that takes long holds up all others.

        changes: whether it does something that must not be done twice.
        Raises SwitchUnavailable if nothing was sent, or the command changes nothing; OutcomeUnknown if it was sent
        and no answer came; SwitchProtocolError if it cannot be encoded.
        """
        line = commands.api(command)
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def take(value: SafeEvent | Exception) -> None:
            _settle(answer, value if isinstance(value, Exception) else value.data)

        self._post(line, ToAsyncio(self._hub, take, only_faults=False))
        return await self._answer(answer, command, longest_s, changes)

    async def bgapi(self, command: str, *, longest_s: float | None = None, changes: bool = True) -> str:
        """A command that may take its time, and its answer: "+OK ...", "-ERR USER_BUSY". Raises as `api`."""
        if len(self._jobs) >= JOBS_MAX:
            raise SwitchUnavailable("FreeSWITCH does not keep up", switch="freeswitch")
        job_id = new_job_id()
        line = commands.background(command, job_id)
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def refuse(value: SafeEvent | Exception) -> None:
            if isinstance(value, SafeEvent):
                value = SwitchRefused(f"a job was not begun: {value.data}", switch="freeswitch")
            _settle(answer, value)

        self._jobs[job_id] = answer
        try:
            self._post(line, ToAsyncio(self._hub, refuse, only_faults=True))
            return await self._answer(answer, command, longest_s, changes)
        finally:
            del self._jobs[job_id]

    # -- what the connection tells, in the hub thread --

    def connected(self, line: SafeInbound) -> None:
        self._hub.tell(self._set_connected, line)

    def lost(self, line: SafeInbound, fault: Exception | None) -> None:
        self._hub.tell(self._set_lost, line, fault)

    def _hear(self, event: SafeEvent) -> None:
        if event.name != events.JOB or event.get("Job-UUID", "") in self._jobs:  # FreeSWITCH tells all of all jobs
            self._hub.tell(self._take, event)

    # -- inside, in asyncio --

    def _post(self, line: bytes, answer: ToAsyncio) -> None:
        if self._line is None or not self.is_connected:
            raise SwitchUnavailable("no event socket link to FreeSWITCH", switch="freeswitch")
        self._hub.call(self._line.post, line, answer)

    async def _answer(
        self, answer: asyncio.Future[str], command: str, longest_s: float | None, changes: bool
    ) -> str:
        kind = OutcomeUnknown if changes else SwitchUnavailable
        name = command.partition(" ")[0]
        try:
            async with asyncio.timeout(longest_s or self._action_s):
                return await answer
        except TimeoutError as error:
            raise kind(f"{name}: no answer in time", switch="freeswitch") from error
        except OutcomeUnknown as error:
            raise kind(f"{name}: {error}", switch="freeswitch") from error

    def _take(self, event: SafeEvent) -> None:
        name = f"CUSTOM {event.subclass}" if event.name == events.CUSTOM else event.name
        for callback in self._callbacks.get(name, ()):
            try:
                callback(event)
            except Exception:
                _log.exception("esl_event_handler_failed", esl_event=name)

    def _take_job(self, event: EslEvent) -> None:
        answer = self._jobs.get(event.get("Job-UUID", ""))
        if answer is not None:
            _settle(answer, event.text)

    def _note_fault(self) -> ToAsyncio:
        def note(value: SafeEvent | Exception) -> None:
            if isinstance(value, SafeEvent):
                _log.warning("esl_events_refused", answer=value.data)

        return ToAsyncio(self._hub, note, only_faults=True)

    def _set_connected(self, line: SafeInbound) -> None:
        if line is self._line and self._connecting is not None and not self._connecting.done():
            self._connecting.set_result(None)

    def _set_lost(self, line: SafeInbound, fault: Exception | None) -> None:
        if line is not self._line:
            return
        if self._connecting is not None and not self._connecting.done():
            self._connecting.set_exception(fault or SwitchUnavailable("closed by FreeSWITCH", switch="freeswitch"))
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)
        self._fail_jobs()

    def _fail_jobs(self) -> None:
        for answer in self._jobs.values():
            _settle(answer, OutcomeUnknown("the link was lost before the answer", switch="freeswitch"))

    async def _keep_connected(self) -> None:
        failures, told = 0, ""
        while True:
            try:
                await self._connect()
                failures, told = 0, ""
                await self._use()
            except (OSError, TimeoutError, SwitchError) as error:
                reason = str(error) or type(error).__name__
                if reason != told:  # "refused" while FreeSWITCH starts is not the log-in that it refuses then
                    _log.warning("esl_not_connected", reason=reason)
                failures, told = failures + 1, reason
            finally:
                self._drop()
            await asyncio.sleep(_backoff_s(failures))

    async def _connect(self) -> None:
        """Connect, log in, ask for events. Raises OSError, TimeoutError, SwitchError."""
        if not self._hub.is_running:
            raise SwitchUnavailable("the event socket's thread is not there", switch="freeswitch")
        loop = asyncio.get_running_loop()
        self._connecting, self._lost = loop.create_future(), loop.create_future()
        line = self._line = SafeInbound(self._hub, *self._address, self)
        line.register_handle("*", self._hear)
        asked = [commands.only(*one) for one in self._filters] + [commands.listen(self._callbacks)]
        self._hub.call(line.begin, asked, self._note_fault())
        async with asyncio.timeout(2 * CONNECT_S):
            await self._connecting

    async def _use(self) -> None:
        """Be connected until the link is lost."""
        self._connected.set()
        _log.info("esl_connected")
        for callback in self._on_connected:
            callback()
        await self._ping()
        _log.warning("esl_lost")

    def _drop(self) -> None:
        self._connected.clear()
        line, self._line = self._line, None
        if line is not None:
            self._hub.call(line.lose, None)
            self._fail_jobs()

    async def _ping(self) -> None:
        """Until the link is lost. A ping unanswered when the next is due: the link is half open."""
        assert self._lost is not None
        while True:
            await asyncio.wait([self._lost], timeout=self._ping_s)
            if self._lost.done():
                return
            try:
                await self.api("echo ping", longest_s=self._ping_s, changes=False)
            except SwitchUnavailable:
                return


def new_job_id() -> str:
    """What a job's answer is known by. FreeSWITCH cuts it at 36 characters."""
    return str(uuid.uuid4())


def _settle(answer: asyncio.Future[str], value: str | Exception) -> None:
    if answer.done():
        return
    if isinstance(value, Exception):
        answer.set_exception(value)
    else:
        answer.set_result(value)


def _backoff_s(failures: int) -> float:
    """Full jitter: workers that lost the link together do not come back together."""
    longest_s = min(BACKOFF_MAX_S, BACKOFF_MIN_S * 2 ** min(failures, 10))
    return random.uniform(BACKOFF_MIN_S, max(BACKOFF_MIN_S, longest_s))
