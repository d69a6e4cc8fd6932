"""How long a connection was there before it was accepted: the kernel takes it even for a process that is stopped.

Called by the servers of both edges for each connection. Where the kernel does not say (it does on Linux) the answer
is that it has only just come.
"""

from __future__ import annotations

import socket
import struct

_TCP_INFO = getattr(socket, "TCP_INFO", None)
_LAST_DATA_SENT = struct.Struct("=I")  # ms; of who has sent nothing yet, since the connection was made
_OFFSET = 44  # in Linux' struct tcp_info, the beginning of which has never changed


def waited_s(connection: socket.socket) -> float:
    """Seconds since the peer connected. Only right before anything was sent on it."""
    if _TCP_INFO is None:
        return 0.0
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _OFFSET + _LAST_DATA_SENT.size)
        return float(_LAST_DATA_SENT.unpack_from(info, _OFFSET)[0]) / 1000
    except (OSError, struct.error):  # no TCP, or not this kernel
        return 0.0
