"""What to say when a port cannot be listened on."""

from __future__ import annotations

import errno

from cordboard.errors import CordboardError


class PortUnavailable(CordboardError):
    """A port of this process cannot be listened on."""


def port_unavailable(what: str, fault: OSError) -> PortUnavailable:
    """The error for a port. what: which one it is, "AGI port 127.0.0.1:4573 of worker 0"."""
    if fault.errno == errno.EADDRINUSE:
        return PortUnavailable(f"{what} is in use; is another Cordboard running?")
    return PortUnavailable(f"{what} cannot be listened on: {fault.strerror}")
