"""One reading of the floor for all pages: whoever watches gets the newest, and only the newest.

The floor says that something has changed; the feed waits a moment for the rest of the burst, reads once, and wakes
every watcher. A watcher that was busy sending misses readings between, never the last one, so what a slow browser
costs is one answer in its socket. Without a change the floor is read every two seconds all the same, as a wake may
be lost and a page must know how old its figures are. While nobody watches, nothing is read.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import time

import structlog

from cordboard.desk.ports import DeskFloor
from cordboard.errors import StoreUnavailable
from cordboard.store.acd_values import FloorSnapshot

COALESCE_S = 0.02  # a call that is answered changes an offer, an agent and a queue
REFRESH_S = 2.0  # a page calls its figures old after five seconds: two lost readings
WATCHERS_MAX = 500
OF_ONE_MAX = 12  # pages of one log-in; a browser itself stops at six to one address

log = structlog.get_logger()


class TooManyWatchers(Exception):
    """As many pages are open as the desk serves, or as one log-in may have."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The floor at one moment. version: "<this process>.<number>", for people who compare; read_at: seconds since
    1970; bodies: what was made of it for the wire, by page, so that two tabs of one agent cost one encoding.
    """

    version: str
    snapshot: FloorSnapshot
    read_at: float
    bodies: dict[str, bytes | None] = field(default_factory=dict)


Body = Callable[[Reading], bytes | None]
"""What a page shows of a reading, as JSON; None if it may not show anything (any more)."""


class Watcher:
    """One open page. `reading` is the newest when `stirred` returns, None before the first. whose: its log-in."""

    def __init__(self, whose: str) -> None:
        self.whose = whose
        self.reading: Reading | None = None
        self.is_ended = False
        self.is_logged_out = False
        self._stir = asyncio.Event()

    async def stirred(self) -> bool:
        """Wait for the next reading or the next failure to read. False: the page gets no more."""
        await self._stir.wait()
        self._stir.clear()
        return not self.is_ended

    def stir(self, reading: Reading | None) -> None:
        """Here is the newest."""
        self.reading = reading
        self._stir.set()

    def end(self, *, logged_out: bool) -> None:
        """The page gets no more. logged_out: and it must not come back."""
        self.is_ended = True
        self.is_logged_out = logged_out
        self._stir.set()


class FloorFeed:
    """Reads the floor while somebody watches."""

    def __init__(self, floor: DeskFloor, clock: Callable[[], float] = time) -> None:
        self._floor = floor
        self._clock = clock
        self._process = secrets.token_hex(3)
        self._readings = 0
        self._newest: Reading | None = None
        self._watchers: set[Watcher] = set()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        floor.bell.on_changed(self._changed.set)

    async def read(self) -> Reading:
        """The floor now. Raises StoreUnavailable."""
        snapshot = await self._floor.snapshot()
        self._readings += 1
        return Reading(f"{self._process}.{self._readings}", snapshot, self._clock())

    def look_again(self) -> None:
        """Something that pages show beside the floor may have changed."""
        self._changed.set()

    @contextlib.contextmanager
    def watching(self, whose: str) -> Iterator[Watcher]:
        """A watcher for as long as the block runs. Raises TooManyWatchers."""
        of_one = sum(watcher.whose == whose for watcher in self._watchers)
        if len(self._watchers) >= WATCHERS_MAX or of_one >= OF_ONE_MAX:
            raise TooManyWatchers
        watcher = Watcher(whose)
        self._watchers.add(watcher)
        self._changed.set()  # the first reading comes at once
        if self._task is None:
            self._task = asyncio.create_task(self._read_on())
        try:
            yield watcher
        finally:
            self._leave(watcher)

    def log_out(self, whose: str) -> None:
        """End the pages of one log-in for good."""
        for watcher in self._watchers:
            if watcher.whose == whose:
                watcher.end(logged_out=True)

    def end(self) -> None:
        """Let every page go; they come back to whoever serves next."""
        for watcher in self._watchers:
            watcher.end(logged_out=False)

    def _leave(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)
        if not self._watchers and self._task is not None:
            self._task.cancel()
            self._task = None
            self._newest = None  # whoever comes next must not see old figures first

    async def _read_on(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_S):
                    await self._changed.wait()
                await asyncio.sleep(COALESCE_S)
            self._changed.clear()
            await self._read_for_all()

    async def _read_for_all(self) -> None:
        try:
            self._newest = await self.read()
        except StoreUnavailable:
            pass  # the store says so itself, and the pages see how old the last reading is
        except Exception as fault:  # one bad reading must not end all to come
            log.error("desk_reading_failed", fault=type(fault).__name__)
        for watcher in self._watchers:
            watcher.stir(self._newest)
