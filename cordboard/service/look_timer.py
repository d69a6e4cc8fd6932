"""When the floor looks at what is due: once a second, at each deadline of the store before that, and when told to.

Used by `floor`. What a look does is not its affair; whatever goes wrong in one, there is another.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from cordboard.errors import StoreUnavailable

LOOK_S = 1.0  # between two looks at what is due, if nothing is due before

log = structlog.get_logger()


class LookTimer:
    """look: done again and again from `start` on, one after the other."""

    def __init__(self, look: Callable[[], Awaitable[None]]) -> None:
        self._look = look
        self._due = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._look_at = 0.0  # the moment of the timer

    def start(self) -> None:
        """Begin to look."""
        self._looking = asyncio.create_task(self._look_again_and_again())

    async def aclose(self) -> None:
        """Look no more; a look under way is cut short."""
        if self._timer is not None:
            self._timer.cancel()
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking

    def look_now(self) -> None:
        """Something has come about that is to be looked at at once."""
        self._due.set()

    def look_by(self, due_in_s: float | None) -> None:
        """Something is due in so many seconds, None if nothing is: look then, unless a look comes before anyway."""
        if due_in_s is None or due_in_s >= LOOK_S:
            return
        loop = asyncio.get_running_loop()
        at = loop.time() + max(0.0, due_in_s)
        if loop.time() < self._look_at <= at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._look_at = at  # not the timer's `when`: what uvloop gives for a moment that is now has none
        self._timer = loop.call_at(at, self._due.set)

    async def _look_again_and_again(self) -> None:
        while True:
            await self._look_once()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._due.wait()
            self._due.clear()

    async def _look_once(self) -> None:
        try:
            await self._look()
        except StoreUnavailable:
            pass  # the store says so itself
        except Exception:
            log.exception("look_failed")
