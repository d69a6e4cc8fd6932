"""The keys a caller has pressed and nobody has taken yet. Filled by the session, emptied by the verbs.

FreeSWITCH tells of each key whatever it is doing, so none is lost between two verbs. A verb during which keys do
not count forgets them when it ends. They are kept in memory, never written or shown: some are secret.
"""

from __future__ import annotations

import asyncio

from cordboard.telephony.verbs import KEYS

MOST = 64  # what nobody takes is not heard


class Keys:
    """The keys of one call, in order."""

    __slots__ = ("_keys", "_loop", "_pressed", "last_at")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._keys: list[str] = []
        self._pressed: asyncio.Future[None] | None = None
        self.last_at = 0.0  # when the key was pressed that was taken or came last, by the loop's clock

    def press(self, key: str) -> None:
        """One more key. A to D, which no telephone has, do not count."""
        if key not in tuple(KEYS) or len(self._keys) >= MOST:
            return
        self._keys.append(key)
        self.last_at = self._loop.time()
        if self._pressed is not None and not self._pressed.done():
            self._pressed.set_result(None)

    def __bool__(self) -> bool:
        return bool(self._keys)

    def take(self) -> str:
        """The oldest one; "" if there is none."""
        return self._keys.pop(0) if self._keys else ""

    def forget(self) -> None:
        """Drop what was pressed."""
        self._keys.clear()

    def pressed(self) -> asyncio.Future[None]:
        """Done as soon as there is a key. One waits at a time."""
        self._pressed = self._loop.create_future()
        if self._keys:
            self._pressed.set_result(None)
        return self._pressed
