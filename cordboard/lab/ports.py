"""Free ports on loopback, so that several labs can run beside each other on one host network.

A port that was found is claimed for a minute, as a service binds it only once it has started: no other search finds
it, in whatever process. Who does not ask here may take it all the same. The range is one which the kernel does not
hand out by itself.
"""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Sequence

from cordboard.errors import LabError

LOOPBACK = "127.0.0.1"
CLAIMED_S = 60.0  # until it is bound, on a machine with too much else to do
PORT_RANGE = range(20000, 32000)  # above the lab's RTP ports, below Linux's ephemeral ones (from 32768)

_claims: list[tuple[float, int]] = []  # until when, by `time.monotonic()`, and the descriptor of each


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether both the UDP and the TCP port can be bound now."""
    return _can_bind(socket.SOCK_DGRAM, host, port) and _can_bind(socket.SOCK_STREAM, host, port)


def find_free_ports(count: int = 1, *, host: str = LOOPBACK, among: Sequence[int] = PORT_RANGE) -> int:
    """The first of `count` neighbouring ports that are all free, and claimed from now on. Raises LabError if there
    are none.
    """
    _forget_old_claims()
    starts = among[: len(among) - count + 1 : count]
    offset = random.randrange(len(starts) or 1)
    for start in (*starts[offset:], *starts[:offset]):
        ports = range(start, start + count)
        if all(is_free(port, host) for port in ports) and _claim(ports, host):
            return start
    raise LabError(f"no {count} free ports on {host} between {among[0]} and {among[-1]}")


def prefer(port: int) -> int:
    """`port` if it is free, else any free one."""
    return port if is_free(port) else find_free_ports()


def _claim(ports: Sequence[int], host: str) -> bool:
    """Claim all of them, or none. A claim is a name which the kernel gives to one socket on the machine only, and
    takes back when its process ends.
    """
    claims: list[int] = []
    for port in ports:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as claim:
            try:
                claim.bind(f"\0cordboard-lab-{host}-{port}")
            except OSError:
                _close(claims)
                return False
            claims.append(claim.detach())
    until = time.monotonic() + CLAIMED_S
    _claims.extend((until, claim) for claim in claims)
    return True


def _forget_old_claims() -> None:
    now = time.monotonic()
    old = [claim for until, claim in _claims if until <= now]
    _claims[:] = [one for one in _claims if one[0] > now]
    _close(old)


def _close(claims: Sequence[int]) -> None:
    for claim in claims:
        os.close(claim)


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
