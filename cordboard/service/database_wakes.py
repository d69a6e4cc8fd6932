"""The wakes of a process whose database is shared by several machines: heard from the database itself.

Takes the place of `Wakes` there. Nothing is sent from here: the transaction that has something to tell says so
(`store.notices`), and its word comes with its commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from cordboard.store.address import PostgresAddress
from cordboard.store.notices import EVERYBODY, hear


class DatabaseWakes:
    """names: what the process is called; on_wake: called once however many have come."""

    def __init__(self, address: PostgresAddress, names: Iterable[str], on_wake: Callable[[], None]) -> None:
        self._address = address
        self._names = frozenset({*names, EVERYBODY})
        self._on_wake = on_wake
        self._hearing: asyncio.Task[None] | None = None
        self._is_woken = False

    def listen(self) -> None:
        """Begin to call `on_wake`."""
        self._hearing = asyncio.create_task(hear(self._address, self._heard))

    def wake(self, names: Iterable[str]) -> None:
        """Nothing: they have been told by the transaction."""

    def close(self) -> None:
        """Stop listening."""
        if self._hearing is not None:
            self._hearing.cancel()

    def _heard(self, names: frozenset[str]) -> None:
        """Notices come in bursts; what they are about is looked at once."""
        if not self._is_woken and names & self._names:
            self._is_woken = True
            asyncio.get_running_loop().call_soon(self._wake)

    def _wake(self) -> None:
        self._is_woken = False
        self._on_wake()
