"""Who waits for which events of the lab's own connections. Used by `ami` and `esl`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

Event = dict[str, str]

EVENT_LIMIT = 20_000  # a listener that does not read loses the oldest events


class Listeners:
    """Queues of events by their names, which stand under `header`. An empty event: the connection has ended."""

    def __init__(self, header: str) -> None:
        self._header = header
        self._listeners: dict[asyncio.Queue[Event], frozenset[str]] = {}

    @contextlib.contextmanager
    def listen(self, *names: str) -> Iterator[asyncio.Queue[Event]]:
        """A queue of the events of these names (of all, if none is named) for as long as the context lasts."""
        events: asyncio.Queue[Event] = asyncio.Queue(EVENT_LIMIT)
        self._listeners[events] = frozenset(names)
        try:
            yield events
        finally:
            del self._listeners[events]

    def tell(self, event: Event) -> None:
        """Something has happened."""
        for listener, names in self._listeners.items():
            if not names or event.get(self._header) in names:
                _put(listener, event)

    def end(self) -> None:
        """Nothing more will come."""
        for listener in self._listeners:
            _put(listener, {})


def _put(queue: asyncio.Queue[Event], event: Event) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(event)


async def hang_up(reading: asyncio.Task[None] | None, writer: asyncio.StreamWriter) -> None:
    """End a connection and the task that reads it."""
    if reading is not None:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
