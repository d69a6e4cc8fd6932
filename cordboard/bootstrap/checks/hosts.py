"""Hosts as they are written in a configuration: what they stand for, and whose they are."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import Any


async def resolve(host: str, port: int) -> list[tuple[socket.AddressFamily, Any]]:
    """What a host stands for: (family, socket address) each. Raises OSError for an unknown name."""
    infos = await asyncio.to_thread(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    return [(info[0], info[4]) for info in infos]


async def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it. Raises OSError for an unknown name."""
    return all(ip_address(address[0].partition("%")[0]).is_loopback for _, address in await resolve(host, 0))


def shown_host(host: str) -> str:
    """A host as it stands before `:port`."""
    return f"[{host}]" if ":" in host else host


def reachable_host(host: str) -> str:
    """Where to knock for a listener on `host`: one on every address is on loopback too."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - nothing is bound here
