"""A switch behind one link: to connect, to wait for it, to be told that it is there again. Both edges' switches are
made on this; what is said over the link, and what is heard, is each edge's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from cordboard.edge.reconnecting import Callback, OnConnected


class Link(Protocol):
    """One connection to a switch, which comes back by itself."""

    @property
    def is_connected(self) -> bool:
        """Whether commands can be sent now."""

    def on_connected(self, callback: Callable[[], None]) -> None:
        """Call this after each log-in."""

    def start(self) -> None:
        """Begin to connect, and stay connected until `aclose`."""

    async def wait_connected(self, deadline_s: float) -> None:
        """Wait for the link. Raises SwitchUnavailable after the deadline."""

    async def aclose(self) -> None:
        """Disconnect for good."""


LinkT = TypeVar("LinkT", bound=Link)


class LinkedSwitch(Generic[LinkT]):
    """The part of `telephony.ports.Switch` that is the same whatever the switch."""

    def __init__(self, link: LinkT) -> None:
        self._link = link
        self._callbacks = OnConnected()

    @property
    def is_connected(self) -> bool:
        """Whether commands can be sent now."""
        return self._link.is_connected

    @property
    def link(self) -> LinkT:
        """The link itself, for those who want to say or hear more."""
        return self._link

    async def connect(self) -> None:
        """Begin to connect; returns at once. The link comes back by itself whenever it is lost."""
        self._link.start()

    async def aclose(self) -> None:
        """Disconnect for good."""
        await self._link.aclose()
        self._callbacks.cancel()

    async def wait_connected(self, deadline_s: float) -> None:
        """Wait for the link. Raises SwitchUnavailable after the deadline."""
        await self._link.wait_connected(deadline_s)

    def on_connected(self, callback: Callback) -> None:
        """Call this after each (re)connect, to list what lives and reconcile. An async one gets a task."""
        self._link.on_connected(lambda: self._callbacks.begin(callback))
