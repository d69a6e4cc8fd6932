"""Stops asking a CRM that does not answer, and finds out when it does again.

Used by connectors that ask over a network. It reads no clock and knows no connector: time is handed in.

        closed ── `threshold` failures in a row ──► open ── `rest_s` later, one question ──► half-open
          ▲                                          ▲                                          │
          └───────────── it was answered ────────────┼──────────────────────────────────────────┤
                                                     └────────── it failed again ───────────────┘

Many questions are under way at once, so an answer may belong to an earlier state: each question carries the number
of the state it was asked in, and what comes of it afterwards counts no more. A probe that never comes back (its
task was cancelled) gives way to another one after `rest_s`.

It is our own because it takes no more lines than an adapter would, every transition can be tested with a clock of
numbers, and the libraries there are let several probes through at once or have not been released for years.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["closed", "open", "half_open"]
Ticket = int
"""The number of the state in which a question was asked."""


@dataclass(slots=True)
class Breaker:
    """threshold: failures in a row that open it; rest_s: how long nobody asks then. Times: seconds of any one clock
    that never goes back.
    """

    threshold: int = 5
    rest_s: float = 5.0
    state: State = "closed"
    _epoch: Ticket = 0
    _failures: int = 0
    _since: float = 0.0

    def enter(self, now: float) -> Ticket | None:
        """Leave to ask; None if there is none now."""
        if self.state == "closed":
            return self._epoch
        if now - self._since < self.rest_s:
            return None
        self._become("half_open", now)
        return self._epoch

    def answered(self, ticket: Ticket, now: float) -> bool:
        """A question was answered. Whether this closed the breaker."""
        if ticket != self._epoch:
            return False
        self._failures = 0
        if self.state == "closed":
            return False
        self._become("closed", now)
        return True

    def failed(self, ticket: Ticket, now: float) -> bool:
        """A question was not answered. Whether this opened the breaker."""
        if ticket != self._epoch:
            return False
        self._failures += 1
        if self.state == "closed" and self._failures < self.threshold:
            return False
        self._become("open", now)
        return True

    def _become(self, state: State, now: float) -> None:
        self.state, self._since = state, now
        self._epoch += 1
        self._failures = 0
