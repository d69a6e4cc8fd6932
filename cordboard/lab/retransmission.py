"""SIP over UDP loses datagrams: this repeats one until it has done its work (RFC 3261, timers A, E and G)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

T1_S = 0.5
T2_S = 4.0
GIVE_UP_S = 64 * T1_S


class Retransmission:
    """Sends at once, then after T1, 2 T1, 4 T1 ... (at most `cap_s` apart) until stopped or given up."""

    def __init__(
        self, send: Callable[[], None], on_give_up: Callable[[], None] | None = None, cap_s: float = T2_S
    ) -> None:
        self._send = send
        self._on_give_up = on_give_up
        self._cap_s = cap_s
        loop = asyncio.get_running_loop()
        self._give_up_at = loop.time() + GIVE_UP_S
        send()
        self._timer: asyncio.TimerHandle | None = loop.call_later(T1_S, self._again, T1_S)

    def stop(self) -> None:
        """Send no more. May be called twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _again(self, waited_s: float) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() >= self._give_up_at:
            self._timer = None
            if self._on_give_up is not None:
                self._on_give_up()
            return
        self._send()
        wait_s = min(2 * waited_s, self._cap_s)
        self._timer = loop.call_later(wait_s, self._again, wait_s)
