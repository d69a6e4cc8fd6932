"""What the service under test tells in its log, as a list that can be waited on. `stage` fills it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

Entry = dict[str, Any]

MAX_ENTRIES = 200_000  # a runaway service must not eat the machine; the oldest half is dropped


class Journal:
    """The service's JSON log lines since it was started, oldest first."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.listeners: list[Callable[[Entry], None]] = []
        self._grown = asyncio.Event()

    def add(self, entry: Entry) -> None:
        """Note a line and wake who waits."""
        if len(self.entries) >= MAX_ENTRIES:
            del self.entries[: MAX_ENTRIES // 2]
        self.entries.append(entry)
        self._grown.set()
        for listener in self.listeners:
            listener(entry)

    def find(self, event: str, **fields: Any) -> list[Entry]:
        """The lines of an event whose fields have these values."""
        wanted = {"event": event, **fields}
        return [entry for entry in self.entries if all(entry.get(name) == value for name, value in wanted.items())]

    async def wait(self, event: str, deadline_s: float, **fields: Any) -> Entry:
        """The first such line, as soon as it is there. Raises TimeoutError."""
        return (await self.wait_until(lambda: self.find(event, **fields), deadline_s))[0]

    async def wait_until(self, found: Callable[[], list[Entry]], deadline_s: float) -> list[Entry]:
        """What `found` gives as soon as it is not empty; asked again after each new line. Raises TimeoutError."""
        async with asyncio.timeout(deadline_s):
            while not (entries := found()):
                self._grown.clear()
                await self._grown.wait()
        return entries
