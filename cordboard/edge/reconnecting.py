"""What is to be done each time the link to a switch is there again. Used by the switches of both edges."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

import structlog

Callback = Callable[[], Awaitable[None] | None]

_log = structlog.get_logger(__name__)


class OnConnected:
    """Callbacks under way. An async one gets a task, whose failure is logged."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Future[None]] = set()

    def begin(self, callback: Callback) -> None:
        """Call it now."""
        result = callback()
        if inspect.isawaitable(result):
            task = asyncio.ensure_future(result)
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def cancel(self) -> None:
        """End those under way."""
        for task in list(self._tasks):
            task.cancel()

    def _ended(self, task: asyncio.Future[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("on_connected_failed", exc_info=error)
