"""One life of the thread in which greenswitch lives: a gevent hub, and an inbox that wakes it. Used by `EslHub`."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event

Job = tuple[Callable[..., object], tuple[Any, ...]]


class HubThread:
    """One life of the hub. fault: why it ended, None if it was asked to."""

    def __init__(self, began: Callable[[HubThread], None], ended: Callable[[HubThread], None]) -> None:
        self._began = began
        self._ended = ended
        self._inbox: deque[Job] = deque()
        self._rung = False
        self._ringing = threading.Lock()  # nobody rings a waker that is being taken down
        self._end: Event | None = None
        self._waker: Any = None
        self.fault: Exception | None = None
        self.loop: Any = None
        self._buried: tuple[Any, ...] = ()
        self.unanswered = 0  # signs of life that were asked for; asyncio's own count
        self._thread = threading.Thread(target=self._run, name="esl-hub", daemon=True)

    def start(self) -> None:
        """Begin; `began` is called in the thread when it takes calls, `ended` when it does no more."""
        self._thread.start()

    def join(self, longest_s: float) -> None:
        """Wait for its end."""
        self._thread.join(longest_s)

    def put(self, function: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        """Run a function in the thread, after those put before. From any thread."""
        self._inbox.append((function, arguments))
        if self._rung:
            return
        with self._ringing:
            if self._waker is not None:
                self._rung = True
                self._waker.send()

    def stop(self, fault: Exception | None = None) -> None:
        """In the thread: end it."""
        self.fault = self.fault or fault
        if self._end is not None:
            self._end.set()

    def abandon(self, watchers: tuple[Any, ...]) -> None:
        """It hangs, and another has taken its place: whenever it wakes, it closes these watchers and ends. Nothing
        that was put is run any more: it would reach into the other's loop.
        """
        self._buried = watchers
        self._inbox.clear()
        self.put(self.stop, ())

    def _run(self) -> None:
        try:
            self._live()
        except Exception as fault:
            self.fault = self.fault or fault
        self._ended(self)

    def _live(self) -> None:
        hub = gevent.get_hub()
        self.loop, self._end = hub.loop, Event()
        waker = hub.loop.async_()
        waker.start(self._take)
        self._waker = waker
        self.put(self._began, (self,))
        self._end.wait()
        with self._ringing:
            self._waker = None
            waker.close()
        for watcher in self._buried:
            watcher.close()
        hub.destroy(destroy_loop=True)

    def _take(self) -> None:
        """All that is in the inbox. Runs in the hub's own greenlet, so nothing here may wait."""
        self._rung = False
        try:
            while self._inbox:
                function, arguments = self._inbox.popleft()
                function(*arguments)
        except Exception as fault:
            self.stop(fault)
