"""Who listens to the keys of callers on hold. One object for all calls of a worker: an edge tells it, the service
listens.

How an edge hears of a key, and which it must not hear of, is its own affair. None is logged or kept here.
"""

from __future__ import annotations

from collections.abc import Callable


class KeyListeners:
    """Who wants to hear the keys of which leg: `telephony.ports.HoldKeys`."""

    def __init__(self) -> None:
        self._listeners: dict[str, Callable[[str], None]] = {}

    def hear_keys(self, leg_id: str, heard: Callable[[str], None]) -> None:
        """Call this with each key of a leg while it is on hold with keys."""
        self._listeners[leg_id] = heard

    def forget_keys(self, leg_id: str) -> None:
        """Hear nothing more of a leg."""
        self._listeners.pop(leg_id, None)

    def tell(self, leg_id: str, key: str) -> None:
        """A key of a leg that is on hold with keys."""
        if listener := self._listeners.get(leg_id):
            listener(key)
