"""What to say when a port cannot be listened on."""

from __future__ import annotations

import errno

from cordboard.errors import CordboardError


class PortUnavailable(CordboardError):
    """A port of this process cannot be listened on."""


def port_unavailable(what: str, key: str, fault: OSError) -> PortUnavailable:
    """The error for a port.

    what: which one it is, "AGI port 127.0.0.1:4573 of worker 0"; key: where under `listen:` it is written, "agi".
    """
    if fault.errno == errno.EADDRINUSE:
        other = f"write another in cordboard.yaml (`listen: {{{key}: {{port: ...}}}}`)"
        return PortUnavailable(f"{what} is in use; {other}, or see `cordboard doctor`")
    return PortUnavailable(f"{what} cannot be listened on: {fault.strerror}")
