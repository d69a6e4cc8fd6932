"""When a process of the service listens to signals: not before it can, and not after.

A signal that arrives while a process still imports would end it. So the commands hold signals back first thing,
and the supervisor and the workers let them through once their handlers stand. A worker inherits the mask; a
program which a process starts after that does not.
"""

from __future__ import annotations

import signal

HELD = frozenset({signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM})


def hold_signals() -> None:
    """Keep the service's signals pending from now on."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HELD)


def let_signals_through() -> None:
    """Deliver what is pending, and all that follow. To be called when the handlers are installed."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
