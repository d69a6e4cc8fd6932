"""Free ports on loopback, so that several labs can run beside each other on one host network.

Nothing is reserved: a port that is free now may be gone in a second. The range is one which the kernel does not
hand out by itself, and the search starts at a random place, so that two labs hardly ever meet.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Sequence

from cordboard.errors import LabError

LOOPBACK = "127.0.0.1"
PORT_RANGE = range(20000, 32000)  # above the lab's RTP ports, below Linux's ephemeral ones (from 32768)


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether both the UDP and the TCP port can be bound now."""
    return _can_bind(socket.SOCK_DGRAM, host, port) and _can_bind(socket.SOCK_STREAM, host, port)


def find_free_ports(count: int = 1, *, host: str = LOOPBACK, among: Sequence[int] = PORT_RANGE) -> int:
    """The first of `count` neighbouring ports that are all free. Raises LabError if there are none."""
    starts = among[: len(among) - count + 1 : count]
    offset = random.randrange(len(starts) or 1)
    for start in (*starts[offset:], *starts[:offset]):
        if all(is_free(port, host) for port in range(start, start + count)):
            return start
    raise LabError(f"no {count} free ports on {host} between {among[0]} and {among[-1]}")


def prefer(port: int) -> int:
    """`port` if it is free, else any free one."""
    return port if is_free(port) else find_free_ports()


def _can_bind(kind: socket.SocketKind, host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as candidate:
        if kind == socket.SOCK_STREAM:
            # the rule a server binds by: a connection left in TIME_WAIT does not count as taken
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((host, port))
        except OSError:
            return False
    return True
