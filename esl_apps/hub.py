"""One thread with a gevent hub of its own, in which greenswitch lives; asyncio stays in its thread.

Made by the process that serves calls, and shared by the server of calls and the link. Nothing is monkey-patched.
The two threads meet in two queues, and nowhere else:

    asyncio --call(function)--> inbox  --one wake-up of the hub for all that is in it--> hub thread
    asyncio <--one wake-up for all that is in it-- outbox <--tell(function)-- hub thread

A wake-up costs more than what it brings, so a sender rings only if no ring is on its way. Neither side ever waits
for the other. Where asyncio falls behind, connections stop reading until it has caught up, and TCP holds the rest.

    stopped -> running -> (a fault in the hub, or no sign of life from it for 10 s) -> running, in a new thread

A fault in one connection ends that connection. One in the hub itself ends the thread: every connection is lost,
which their owners are told, and a new thread begins.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import structlog

from cordboard.errors import SwitchUnavailable
from esl_apps.hub_thread import HubThread, Job

OUTBOX_FULL = 5000  # what asyncio has not taken yet; above it nothing is read any more
BATCH = 500  # taken from the outbox before asyncio turns to something else
BEAT_S = 2.0
STUCK_BEATS = 5  # 10 s without an answer: nothing in the hub takes a millisecond
START_S = 5.0
STOP_S = 5.0
RESTART_S = 0.2  # between the end of one thread and the beginning of the next

_log = structlog.get_logger(__name__)


class Tenant(Protocol):
    """What lives in the hub thread. Both are called there, `evict` by whoever notices that the thread is dead."""

    def pause(self) -> None:
        """Read no more for now."""

    def resume(self) -> None:
        """Read again."""

    def evict(self, reason: Exception) -> tuple[Any, ...]:
        """The thread is gone. Close, and tell the owner by `tell`. From any thread. Returns its watchers: only the
        thread that they are of may close them.
        """


class EslHub:
    """The thread, and the way into it and out of it."""

    def __init__(self) -> None:
        self._thread: HubThread | None = None
        self._outbox: deque[Job] = deque()
        self._rung = False
        self._paused = False
        self._tenants: set[Tenant] = set()
        self._on_restart: list[Callable[[], None]] = []
        self._ready: asyncio.Future[None] | None = None
        self._watching: asyncio.TimerHandle | None = None
        self._closed = False

    # -- asyncio's side --

    async def start(self) -> None:
        """Begin. Raises SwitchUnavailable if the thread does not come up."""
        self._asyncio = asyncio.get_running_loop()
        await self._begin()

    async def aclose(self) -> None:
        """End the thread; what still lives in it is lost."""
        self._closed = True
        if self._watching is not None:
            self._watching.cancel()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.put(thread.stop, ())
            await self._asyncio.run_in_executor(None, thread.join, STOP_S)
            self._evict_all(SwitchUnavailable("the event socket's thread was ended", switch="freeswitch"))

    def on_restart(self, callback: Callable[[], None]) -> None:
        """Call this, in asyncio, whenever a new thread has replaced one that failed."""
        self._on_restart.append(callback)

    def call(self, function: Callable[..., object], *arguments: Any) -> bool:
        """Run a function in the hub thread soon, after those called before. It must not wait, nor raise.

        False, and nothing is run, if there is no thread now.
        """
        if self._thread is None:
            return False
        self._thread.put(function, arguments)
        return True

    @property
    def is_running(self) -> bool:
        """Whether there is a thread that takes calls."""
        return self._thread is not None

    # -- the hub thread's side --

    @property
    def loop(self) -> Any:
        """gevent's event loop. Only in the hub thread."""
        assert self._thread is not None
        return self._thread.loop

    def tell(self, function: Callable[..., object], *arguments: Any) -> None:
        """Run a function in asyncio soon, after those told before."""
        self._outbox.append((function, arguments))
        if not self._rung:
            self._rung = True
            self._ring()
        if len(self._outbox) > OUTBOX_FULL and not self._paused:
            self._paused = True
            for tenant in list(self._tenants):
                tenant.pause()
            if not self._outbox:  # asyncio has taken it all meanwhile, and will not say so
                self._go_on()

    def settle(self, tenant: Tenant) -> None:
        """It lives here from now on."""
        self._tenants.add(tenant)
        if self._paused:
            tenant.pause()

    def leave(self, tenant: Tenant) -> None:
        """It lives here no more."""
        self._tenants.discard(tenant)

    # -- inside --

    def _ring(self) -> None:
        try:
            self._asyncio.call_soon_threadsafe(self._take)
        except RuntimeError:  # asyncio's loop has been closed; there is nobody to tell
            self._outbox.clear()

    def _take(self) -> None:
        """A batch of the outbox, in asyncio. One that fails does not keep the others waiting."""
        self._rung = False
        for _ in range(BATCH):
            if not self._outbox:
                break
            function, arguments = self._outbox.popleft()
            try:
                function(*arguments)
            except Exception:
                _log.exception("esl_callback_failed")
        if self._outbox and not self._rung:
            self._rung = True
            self._asyncio.call_soon(self._take)
        if self._paused and not self._outbox:
            self.call(self._go_on)

    def _go_on(self) -> None:
        self._paused = False
        for tenant in list(self._tenants):
            tenant.resume()

    async def _begin(self) -> None:
        self._ready = self._asyncio.create_future()
        thread = self._thread = HubThread(self._began, self._ended)
        thread.start()
        try:
            async with asyncio.timeout(START_S):
                await self._ready
        except TimeoutError as error:
            raise SwitchUnavailable("the event socket's thread did not start", switch="freeswitch") from error
        self._beat(thread)

    def _began(self, thread: HubThread) -> None:
        self.tell(self._set_ready, thread)

    def _set_ready(self, thread: HubThread) -> None:
        if thread is self._thread and self._ready is not None and not self._ready.done():
            self._ready.set_result(None)

    def _beat(self, thread: HubThread) -> None:
        """Ask for a sign of life, and see whether those came that were asked for before."""
        if thread is not self._thread or self._closed:
            return
        if thread.unanswered >= STUCK_BEATS:
            thread.fault = TimeoutError(f"no sign of life for {STUCK_BEATS * BEAT_S:g} s")
            self._replace(thread)
            return
        thread.unanswered += 1
        thread.put(self.tell, (self._note_beat, thread))
        self._watching = self._asyncio.call_later(BEAT_S, self._beat, thread)

    def _note_beat(self, thread: HubThread) -> None:
        thread.unanswered = 0

    def _ended(self, thread: HubThread) -> None:
        self.tell(self._replace, thread)

    def _replace(self, thread: HubThread) -> None:
        """In asyncio: a thread has ended, or hangs. Its connections are lost; a new one takes its place."""
        if thread is not self._thread or self._closed:
            return
        _log.error("esl_thread_failed", fault=repr(thread.fault), exc_info=thread.fault)
        self._thread, self._paused = None, False
        reason = SwitchUnavailable("the event socket's thread failed", switch="freeswitch")
        reason.__cause__ = thread.fault
        thread.abandon(self._evict_all(reason))
        self._asyncio.call_later(RESTART_S, self._restart)

    def _evict_all(self, reason: Exception) -> tuple[Any, ...]:
        watchers = tuple(watcher for tenant in list(self._tenants) for watcher in tenant.evict(reason))
        self._tenants.clear()
        return watchers

    def _restart(self) -> None:
        if self._closed:
            return
        self._restarting = self._asyncio.create_task(self._begin_again())

    async def _begin_again(self) -> None:
        try:
            await self._begin()
        except SwitchUnavailable as error:
            _log.error("esl_thread_failed", fault=repr(error))
            if self._thread is not None:
                self._replace(self._thread)
            return
        _log.info("esl_thread_restarted")
        for callback in self._on_restart:
            callback()
